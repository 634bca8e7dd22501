#include <gtest/gtest.h>

#include <algorithm>

#include "log_kafka/kafka_log.h"

namespace millrace::log_kafka {
namespace {

Result<std::vector<Property>> explained(std::vector<Property> given) {
  return explain_properties({.brokers = "127.0.0.1:1", .properties = std::move(given), .home = {}});
}

std::string value_of(const std::vector<Property>& properties, const std::string& name) {
  const auto found = std::find_if(properties.begin(), properties.end(),
                                  [&](const Property& property) { return property.name == name; });
  return found == properties.end() ? "(none)" : found->value;
}

TEST(ExplainProperties, TheLibrarysNamesAreKnownSecondAndTopicNamesToo) {
  for (const char* setting :
       {"compression.type=lz4", "compression.codec=zstd", "linger.ms=7", "queue.buffering.max.ms=7",
        "retries=3", "delivery.timeout.ms=5000", "message.timeout.ms=5000", "compression.level=3",
        "max.in.flight=3", "sasl.mechanism=PLAIN", "client.rack=a",
        "statistics.interval.ms=1000"}) {
    const std::string text = setting;
    const std::size_t equals = text.find('=');
    const auto result = explained({{text.substr(0, equals), text.substr(equals + 1), "-X"}});
    EXPECT_TRUE(result) << setting << ": " << result.error().message();
  }
}

TEST(ExplainProperties, ASecondNameReplacesADefaultOfTheFirst) {
  const auto result = explained({{"queue.buffering.max.ms", "50", "-X"}});
  ASSERT_TRUE(result);
  EXPECT_EQ(value_of(*result, "linger.ms"), "50");
  EXPECT_EQ(value_of(*result, "queue.buffering.max.ms"), "(none)");
}

TEST(ExplainProperties, AnUnknownNameIsRefusedWithTheNearest) {
  const auto result = explained({{"sesion.timeout.ms", "1", "-X"}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kConfig);
  EXPECT_NE(result.error().message().find("'session.timeout.ms'"), std::string::npos)
      << result.error().message();
}

TEST(ExplainProperties, WhatGuaranteesRestOnIsRefused) {
  for (const char* name : {"acks", "request.required.acks", "enable.idempotence", "isolation.level",
                           "partitioner", "group.id"}) {
    const auto result = explained({{name, "1", "pipeline file"}});
    ASSERT_FALSE(result) << name;
    EXPECT_NE(result.error().message().find("millrace's own"), std::string::npos)
        << result.error().message();
  }
}

TEST(ExplainProperties, SecretsAreMasked) {
  const auto result = explained({{"sasl.password", "hunter2", "-X"}});
  ASSERT_TRUE(result);
  EXPECT_NE(value_of(*result, "sasl.password"), "(none)");
  for (const Property& property : *result) {
    EXPECT_EQ(property.value.find("hunter2"), std::string::npos) << property.name;
  }
}

}  // namespace
}  // namespace millrace::log_kafka
