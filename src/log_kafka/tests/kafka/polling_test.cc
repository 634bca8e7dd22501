// A consumer that is polled too late, which only a broker can tell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>

#include "env/clock.h"
#include "env/file.h"
#include "env/random.h"
#include "kafka/cluster.h"
#include "log/testing/conformance.h"
#include "log_kafka/kafka_log.h"
#include "telemetry/logger.h"

namespace millrace::log_kafka {
namespace {

using ::testing::HasSubstr;

constexpr Milliseconds kPatience{60'000};

bool wait_until(const std::function<bool()>& condition) {
  env::Clock& clock = env::real_clock();
  const SteadyTime give_up_at = clock.steady() + kPatience;
  while (!condition()) {
    if (clock.steady() >= give_up_at) return false;
  }
  return true;
}

// Fault F7.
TEST(KafkaConsumer, PolledTooLateItLosesItsPartitionsSaysWhyAndGoesOn) {
  const auto cluster = kafka_testing::Cluster::shared();
  const env::TemporaryFolder home = *env::TemporaryFolder::make("kafka_home");
  telemetry::Logger logger(telemetry::Level::kWarning);
  const auto opened = open_kafka_log({.brokers = cluster->bootstrap(),
                                      .properties = {{"max.poll.interval.ms", "2000", "test"},
                                                     {"session.timeout.ms", "2000", "test"}},
                                      .home = home.path()},
                                     env::real_clock(), logger);
  ASSERT_TRUE(opened);
  log::Log& log = **opened;
  const std::string name = "t" + env::random_hex(6);
  ASSERT_TRUE(log.admin().create_topic(TopicName(name), log::TopicConfig()));
  log::ConsumerOptions options;
  options.group = GroupId(name);
  options.topics = {TopicName(name)};
  auto consumer = log.open_consumer(options);
  ASSERT_TRUE(consumer);
  bool assigned = false;
  bool lost = false;
  const auto poll = [&] {
    const auto event = (*consumer)->poll(env::real_clock().steady() + Milliseconds(100));
    ASSERT_TRUE(event);
    if (std::holds_alternative<log::Assigned>(*event)) assigned = true;
    if (std::holds_alternative<log::Lost>(*event)) lost = true;
  };
  ASSERT_TRUE(wait_until([&] {
    poll();
    return assigned;
  }));
  ::testing::internal::CaptureStderr();
  // The group waits for the session of a static member to end.
  ASSERT_TRUE(wait_until([&] {
    const auto group = log.admin().describe_group(GroupId(name));
    return group && group->members.empty();
  }));
  assigned = false;
  EXPECT_TRUE(wait_until([&] {
    poll();
    return lost && assigned;
  }));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("max.poll.interval.ms (2000)"));
  EXPECT_TRUE((*consumer)->close());
}

}  // namespace
}  // namespace millrace::log_kafka
