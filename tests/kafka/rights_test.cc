// Fault F8: who may not do what is told so, and nothing is skipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "integration/program.h"
#include "kafka/admin.h"
#include "kafka/cluster.h"
#include "kafka/telco.h"

namespace millrace::kafka_testing {
namespace {

using integration::Finished;
using ::testing::HasSubstr;

TEST(Rights, AScorerIsToldWhichRightIsMissing) {
  const auto cluster = Cluster::start({.secure = true});
  ASSERT_TRUE(cluster->secure().has_value());
  const Secure& secure = *cluster->secure();
  const Telco telco(cluster->bootstrap());
  telco.create();
  telco.produce(300);
  const Admin admin(cluster->bootstrap());
  const auto allow = [&](rd_kafka_ResourceType_t resource, const std::string& name,
                         rd_kafka_AclOperation_t operation) {
    admin.allow(secure.limited_user, resource, name, operation);
  };
  const auto score = [&](const std::string& delivery) {
    std::vector<std::string> words =
        telco.command({"score", "telco-churn", "--mode", "batch", "--set", "delivery=" + delivery});
    for (std::string& word : words) {
      if (word.starts_with("kafka://")) word = "kafka://" + secure.sasl_ssl_bootstrap;
    }
    for (const std::string& property :
         {"ssl.ca.location=" + secure.ca_file, std::string("security.protocol=SASL_SSL"),
          std::string("sasl.mechanisms=PLAIN"), "sasl.username=" + secure.limited_user,
          "sasl.password=${file:" + secure.limited_password_file + "}"}) {
      words.insert(words.end(), {"-X", property});
    }
    return telco.place().run(words);
  };
  const auto expect_refused = [&](const std::string& what, const std::string& delivery) {
    const Finished refused = score(delivery);
    EXPECT_EQ(refused.exit_code, 77) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr(what));
  };
  for (const char* name : {"in", "out", "dead"})
    allow(RD_KAFKA_RESOURCE_TOPIC, telco.topic(name), RD_KAFKA_ACL_OPERATION_DESCRIBE);
  expect_refused("ransactional", "exactly_once");
  // The library cannot give rights to transactional ids.
  expect_refused(telco.topic("group"), "at_least_once");
  allow(RD_KAFKA_RESOURCE_GROUP, telco.topic("group"), RD_KAFKA_ACL_OPERATION_READ);
  expect_refused(telco.topic("in"), "at_least_once");
  allow(RD_KAFKA_RESOURCE_TOPIC, telco.topic("in"), RD_KAFKA_ACL_OPERATION_READ);
  expect_refused(telco.topic("out"), "at_least_once");
  allow(RD_KAFKA_RESOURCE_TOPIC, telco.topic("out"), RD_KAFKA_ACL_OPERATION_WRITE);
  expect_refused(telco.topic("dead"), "at_least_once");
  allow(RD_KAFKA_RESOURCE_TOPIC, telco.topic("dead"), RD_KAFKA_ACL_OPERATION_WRITE);
  const Finished good = score("at_least_once");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_GE(telco.outputs(), telco.dump("in").size());
}

}  // namespace
}  // namespace millrace::kafka_testing
