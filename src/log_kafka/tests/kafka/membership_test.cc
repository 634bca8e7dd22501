// What only a broker can do to a consumer: put it out of its group.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

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

constexpr Milliseconds kPatience{120'000};

bool wait_until(const std::function<bool()>& condition) {
  env::Clock& clock = env::real_clock();
  const SteadyTime give_up_at = clock.steady() + kPatience;
  while (!condition()) {
    if (clock.steady() >= give_up_at) return false;
  }
  return true;
}

// A group of its own on a topic of its own.
class KafkaConsumer : public ::testing::Test {
 protected:
  KafkaConsumer()
      : cluster_(kafka_testing::Cluster::shared()),
        home_(*env::TemporaryFolder::make("kafka_home")),
        name_("t" + env::random_hex(6)) {}

  std::unique_ptr<log::Log> open_log(const std::vector<Property>& properties = {}) {
    return open_log(cluster_->bootstrap(), properties);
  }
  std::unique_ptr<log::Log> open_log(const std::string& brokers,
                                     const std::vector<Property>& properties = {}) {
    auto log = open_kafka_log({.brokers = brokers, .properties = properties, .home = home_.path()},
                              env::real_clock(), logger_);
    EXPECT_TRUE(log);
    return std::move(*log);
  }

  std::unique_ptr<log::Consumer> open_consumer(log::Log& log) const {
    log::ConsumerOptions options;
    options.group = GroupId(name_);
    options.topics = {TopicName(name_)};
    options.exactly_once = false;
    auto consumer = log.open_consumer(options);
    EXPECT_TRUE(consumer);
    return std::move(*consumer);
  }

  std::unique_ptr<kafka_testing::Cluster> cluster_;
  env::TemporaryFolder home_;
  std::string name_;
  telemetry::Logger logger_{telemetry::Level::kWarning};
};

// What polling brought.
struct Seen {
  bool assigned = false;
  bool lost = false;
  std::optional<Error> error;

  void poll(log::Consumer& consumer) {
    const auto event = consumer.poll(env::real_clock().steady() + Milliseconds(100));
    if (!event) {
      error = event.error();
      return;
    }
    if (std::holds_alternative<log::Assigned>(*event)) assigned = true;
    if (std::holds_alternative<log::Lost>(*event)) lost = true;
  }
};

bool wait_until_assigned(log::Consumer& consumer) {
  Seen seen;
  return wait_until([&] {
    seen.poll(consumer);
    return seen.assigned;
  });
}

// Fault F7.
TEST_F(KafkaConsumer, PolledTooLateItLosesItsPartitionsSaysWhyAndGoesOn) {
  const auto log =
      open_log({{"max.poll.interval.ms", "2000", "test"}, {"session.timeout.ms", "2000", "test"}});
  ASSERT_TRUE(log->admin().create_topic(TopicName(name_), log::TopicConfig()));
  const auto consumer = open_consumer(*log);
  ASSERT_TRUE(wait_until_assigned(*consumer));
  ::testing::internal::CaptureStderr();
  // The group waits for the session of a static member to end.
  ASSERT_TRUE(wait_until([&] {
    const auto group = log->admin().describe_group(GroupId(name_));
    return group && group->members.empty();
  }));
  Seen seen;
  EXPECT_TRUE(wait_until([&] {
    seen.poll(*consumer);
    return seen.lost && seen.assigned;
  }));
  EXPECT_FALSE(seen.error);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("max.poll.interval.ms (2000)"));
  EXPECT_TRUE(consumer->close());
}

// What a request to join does that a killed predecessor sent and a busy broker served late.
TEST_F(KafkaConsumer, OneWhoseNameWasTakenJoinsAgainAndGoesOn) {
  const auto log = open_log();
  ASSERT_TRUE(log->admin().create_topic(TopicName(name_), log::TopicConfig()));
  const auto consumer = open_consumer(*log);
  ASSERT_TRUE(wait_until_assigned(*consumer));
  // Without its lock anybody gets the name.
  std::filesystem::remove_all(home_.path() / "locks");
  const auto other_log = open_log();
  const auto other = open_consumer(*other_log);
  ASSERT_EQ(other->member_id(), consumer->member_id());
  ASSERT_TRUE(wait_until_assigned(*other));
  ASSERT_TRUE(other->close());
  ::testing::internal::CaptureStderr();
  Seen seen;
  EXPECT_TRUE(wait_until([&] {
    seen.poll(*consumer);
    return seen.error || (seen.lost && seen.assigned);
  }));
  EXPECT_FALSE(seen.error);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("joining again"));
  EXPECT_TRUE(consumer->close());
}

TEST_F(KafkaConsumer, ANameThatTwoGoByIsAnErrorThatSaysSo) {
  const std::vector<Property> quick = {{"heartbeat.interval.ms", "200", "test"}};
  const auto log = open_log(quick);
  ASSERT_TRUE(log->admin().create_topic(TopicName(name_), log::TopicConfig()));
  const auto consumer = open_consumer(*log);
  std::filesystem::remove_all(home_.path() / "locks");
  const auto other_log = open_log(quick);
  const auto other = open_consumer(*other_log);
  Seen seen;
  Seen of_other;
  ASSERT_TRUE(wait_until([&] {
    if (!seen.error) seen.poll(*consumer);
    if (!of_other.error) of_other.poll(*other);
    return seen.error || of_other.error;
  }));
  const Error error = seen.error ? *seen.error : *of_other.error;
  EXPECT_EQ(error.code(), ErrorCode::kFenced);
  EXPECT_THAT(error.message(), HasSubstr("goes by the name of member"));
}

TEST_F(KafkaConsumer, BrokersByAnotherNameAreTheSameCluster) {
  const auto log = open_log();
  ASSERT_TRUE(log->admin().create_topic(TopicName(name_), log::TopicConfig()));
  const auto other_log = open_log(cluster_->bootstrap() + "," + cluster_->bootstrap());
  const auto one = open_consumer(*log);
  const auto other = open_consumer(*other_log);
  EXPECT_NE(one->member_id(), other->member_id());
}

}  // namespace
}  // namespace millrace::log_kafka
