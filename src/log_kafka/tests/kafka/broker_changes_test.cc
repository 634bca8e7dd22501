// What brokers do to records and topics while a program is at work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <variant>

#include "env/clock.h"
#include "env/file.h"
#include "env/random.h"
#include "kafka/admin.h"
#include "kafka/cluster.h"
#include "log_kafka/kafka_log.h"
#include "telemetry/logger.h"

namespace millrace::log_kafka {
namespace {

using ::testing::HasSubstr;

constexpr Milliseconds kPatience{60'000};

class BrokerChanges : public ::testing::Test {
 protected:
  BrokerChanges()
      : cluster_(kafka_testing::Cluster::shared()),
        admin_(cluster_->bootstrap()),
        home_(*env::TemporaryFolder::make("kafka_home")),
        topic_("t" + env::random_hex(6)) {
    auto log =
        open_kafka_log({.brokers = cluster_->bootstrap(), .properties = {}, .home = home_.path()},
                       env::real_clock(), logger_);
    EXPECT_TRUE(log);
    log_ = std::move(*log);
    EXPECT_TRUE(log_->admin().create_topic(topic_, log::TopicConfig()));
  }

  // Each of so many bytes.
  static void append(log::Producer& producer, log::TopicHandle topic, int count,
                     std::size_t bytes) {
    const std::string value(bytes, 'x');
    for (int i = 0; i < count; ++i) {
      log::NewRecord record;
      record.value = value;
      record.timestamp = env::real_clock().now();
      ASSERT_TRUE(producer.append(topic, record));
    }
  }

  // All records, or what stops the reading of them.
  Result<int> read_all() {
    log::ReaderOptions options;
    options.topic = topic_;
    MILLRACE_ASSIGN(const auto reader, log_->open_reader(options));
    int count = 0;
    const SteadyTime give_up = env::real_clock().steady() + kPatience;
    while (!reader->at_end() && env::real_clock().steady() < give_up) {
      MILLRACE_ASSIGN(const auto batch,
                      reader->next(env::real_clock().steady() + Milliseconds(100)));
      if (batch) count += static_cast<int>(batch->records.size());
    }
    return count;
  }

  // A byte of the only segment file of the topic's partition.
  void damage(std::streamoff at) const {
    const std::filesystem::path segment = std::filesystem::path(cluster_->data_folder(1)) /
                                          (topic_.value() + "-0") / "00000000000000000000.log";
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char was = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(was ^ 1));
    ASSERT_TRUE(file.good()) << segment;
  }

  std::unique_ptr<kafka_testing::Cluster> cluster_;
  kafka_testing::Admin admin_;
  env::TemporaryFolder home_;
  telemetry::Logger logger_{telemetry::Level::kError};
  TopicName topic_;
  std::unique_ptr<log::Log> log_;
};

TEST_F(BrokerChanges, ASmallerLimitOfATopicIsKeptFromThenOn) {
  auto producer = log_->open_producer({topic_, ""});
  ASSERT_TRUE(producer);
  const auto topic = (*producer)->open_topic(topic_);
  ASSERT_TRUE(topic);
  append(**producer, *topic, 100, 1'000);
  ASSERT_TRUE((*producer)->commit(RowNumber(100)));
  admin_.configure_topic(topic_.value(), {{"max.message.bytes", "20000"}});
  // Together more than the topic takes now, one by one not.
  append(**producer, *topic, 100, 1'000);
  const Status committed = (*producer)->commit(RowNumber(200));
  EXPECT_TRUE(committed) << committed.error().message();
  const auto count = read_all();
  ASSERT_TRUE(count) << count.error().message();
  EXPECT_EQ(*count, 200);
}

TEST_F(BrokerChanges, ADamagedRecordIsAnErrorAndNothingBehindItIsRead) {
  auto producer = log_->open_producer({topic_, ""});
  ASSERT_TRUE(producer);
  const auto topic = (*producer)->open_topic(topic_);
  ASSERT_TRUE(topic);
  for (int i = 0; i < 3; ++i) {
    append(**producer, *topic, 10, 1'000);
    ASSERT_TRUE((*producer)->commit(RowNumber(10 * (i + 1))));
  }
  // In the second batch.
  damage(15'000);
  log::ConsumerOptions options;
  options.group = GroupId(topic_.value());
  options.topics = {topic_};
  auto consumer = log_->open_consumer(options);
  ASSERT_TRUE(consumer);
  std::size_t count = 0;
  const SteadyTime give_up = env::real_clock().steady() + kPatience;
  std::optional<Error> error;
  while (!error && env::real_clock().steady() < give_up) {
    const auto event = (*consumer)->poll(env::real_clock().steady() + Milliseconds(100));
    if (!event) {
      error = event.error();
    } else if (const auto* batch = std::get_if<log::Batch>(&*event)) {
      count += batch->records.size();
    }
  }
  ASSERT_TRUE(error) << count << " records were read";
  EXPECT_EQ(error->code(), ErrorCode::kCorrupt);
  EXPECT_THAT(error->message(), HasSubstr("at offset 10"));
  EXPECT_EQ(count, 10U);
}

}  // namespace
}  // namespace millrace::log_kafka
