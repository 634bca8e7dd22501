// The Parquet sink on a log that fails when told to.
#include "engine/parquet_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "codec/table_reader.h"
#include "env/testing/manual_clock.h"
#include "log/testing/memory_log.h"

namespace millrace::engine {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kHour = 3'600'000;

class Sink : public ::testing::Test {
 protected:
  Sink() : folder_(std::move(*env::TemporaryFolder::make("sink"))), log_(clock_) {
    log::TopicConfig config;
    config.partitions = 2;
    EXPECT_TRUE(log_.admin().create_topic(topic_, config));
    options_.mode = SinkOptions::Mode::kWindow;
    options_.folder = folder_.path() / "lake";
    options_.topic = topic_;
    options_.incarnation = "one";
    options_.rows_max = 30;
  }

  // `count` records an hour apart, keyless, to both partitions in turn.
  void produce(std::int64_t count) {
    auto producer = log_.open_producer({topic_, ""});
    const auto handle = (*producer)->open_topic(topic_);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string value = R"({"n":)" + std::to_string(sent_) + "}";
      log::NewRecord record;
      record.value = value;
      record.timestamp = Timestamp(sent_ * kHour);
      record.partition = PartitionId(static_cast<std::int32_t>(sent_ % 2));
      ++sent_;
      ASSERT_TRUE((*producer)->append(*handle, record));
    }
    ASSERT_TRUE((*producer)->commit(RowNumber(0)));
  }

  Status run() {
    log::ConsumerOptions consume;
    consume.group = GroupId("sink");
    consume.topics = {topic_};
    consume.exactly_once = false;
    auto consumer = log_.open_consumer(consume);
    EXPECT_TRUE(consumer) << consumer.error().message();
    ParquetSink sink(**consumer, clock_, stop_, logger_, options_);
    Status result = sink.run();
    summary_ = sink.summary();
    return result;
  }

  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.folder)) {
      if (entry.is_regular_file()) {
        names.insert(std::filesystem::relative(entry.path(), options_.folder).string());
      }
    }
    return names;
  }

  // The numbers of all records in all files, each once.
  void expect_each_once() const {
    std::multiset<std::string> numbers;
    for (const std::string& name : files()) {
      auto reader =
          codec::TableReader::open(options_.folder / name, codec::TableFormat::kParquet, {}, {});
      ASSERT_TRUE(reader) << reader.error().message();
      codec::TableRow row;
      while (*reader->read(row)) numbers.insert(std::string(row.cells[0]));
    }
    std::multiset<std::string> sent;
    for (std::int64_t i = 0; i < sent_; ++i) sent.insert(std::to_string(i));
    EXPECT_EQ(numbers, sent);
  }

  env::TemporaryFolder folder_;
  env::ManualClock clock_;
  env::StopToken stop_;
  telemetry::Logger logger_;
  const TopicName topic_{"readings"};
  log::testing::MemoryLog log_;
  SinkOptions options_;
  SinkSummary summary_;
  std::int64_t sent_ = 0;
};

TEST_F(Sink, WritesEachDayOfABatchToItsFolder) {
  produce(100);
  ASSERT_TRUE(run());
  EXPECT_EQ(summary_.rows, 100U);
  EXPECT_EQ(summary_.stop_reason, "caught_up");
  EXPECT_EQ(summary_.files, files().size());
  expect_each_once();
  EXPECT_THAT(*files().begin(), HasSubstr("date=1970-01-01/readings-"));
  EXPECT_THAT(*files().begin(),
              ::testing::EndsWith("-0-00000000000000000000-00000000000000000029.parquet"));
}

TEST_F(Sink, AnAbortedCommitIsWrittenAgainUnderTheSameNames) {
  produce(100);
  log_.fail_commit(2, log::CommitResult::kAborted);
  ASSERT_TRUE(run());
  EXPECT_EQ(summary_.aborted, 1U);
  EXPECT_EQ(summary_.rows, 100U);
  expect_each_once();
}

TEST_F(Sink, AnUnknownOutcomeEndsTheRunAndTheNextOneReplacesItsFiles) {
  for (const auto effect :
       {log::testing::MemoryLog::Effect::kNothing, log::testing::MemoryLog::Effect::kCommitted}) {
    produce(100);
    log_.fail_commit(2, log::CommitResult::kUnknown, effect);
    const Status failed = run();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::kTryAgain);
    options_.rows_max += 11;
    ASSERT_TRUE(run());
    expect_each_once();
  }
}

TEST_F(Sink, AFencedSinkStops) {
  produce(100);
  log_.fail_commit(1, log::CommitResult::kFenced);
  const Status failed = run();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kFenced);
  EXPECT_EQ(summary_.rows, 0U);
  ASSERT_TRUE(run());
  expect_each_once();
}

TEST_F(Sink, BytesBoundWhatIsGathered) {
  produce(100);
  options_.rows_max = 1'000'000;
  options_.bytes_max = 2'000;
  ASSERT_TRUE(run());
  EXPECT_GT(summary_.batches, 5U);
  expect_each_once();
}

TEST_F(Sink, ATopicMadeAnewOverwritesNothing) {
  produce(20);
  ASSERT_TRUE(run());
  const auto before = files();
  ASSERT_TRUE(log_.admin().reset_group(GroupId("sink"), {{{topic_, PartitionId(0)}, Offset(0)},
                                                         {{topic_, PartitionId(1)}, Offset(0)}}));
  options_.incarnation = "two";
  ASSERT_TRUE(run());
  EXPECT_EQ(files().size(), 2 * before.size());
}

TEST_F(Sink, APositionInTheMiddleOfAFileIsRefused) {
  produce(40);
  ASSERT_TRUE(run());
  const auto before = files();
  ASSERT_TRUE(log_.admin().reset_group(GroupId("sink"), {{{topic_, PartitionId(0)}, Offset(5)}}));
  const Status refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kConfig);
  EXPECT_THAT(refused.error().message(), HasSubstr("groups reset"));
  EXPECT_EQ(files(), before);
}

TEST_F(Sink, LeftoversOfAKilledAttemptAreRemoved) {
  produce(10);
  const SinkFiles names(options_.folder, topic_, options_.incarnation);
  const env::Path day = names.day_folder("1970-01-01");
  ASSERT_TRUE(env::make_folders(day));
  const env::Path left =
      names.file("1970-01-01", PartitionId(0), {Offset(0), Offset(4)}).string() + ".tmp.abcdef";
  const env::Path others = day / "other.parquet.tmp.abcdef";
  ASSERT_TRUE(env::write_file_atomic(left, "x"));
  ASSERT_TRUE(env::write_file_atomic(others, "x"));
  ASSERT_TRUE(run());
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(others));
}

TEST_F(Sink, AStopWritesWhatWasGathered) {
  produce(10);
  options_.mode = SinkOptions::Mode::kStreaming;
  options_.age_max = Milliseconds(50);  // of the manual clock, which an idle poll moves
  struct StopAfter final : SinkMonitor {
    explicit StopAfter(env::StopToken& token) : stop(token) {}
    void on_committed(const SinkSummary& all, Nanoseconds /*took*/) override {
      if (all.rows == 10) stop.request();
    }
    env::StopToken& stop;
  } monitor(stop_);
  log::ConsumerOptions consume;
  consume.group = GroupId("sink");
  consume.topics = {topic_};
  auto consumer = log_.open_consumer(consume);
  ParquetSink sink(**consumer, clock_, stop_, logger_, options_);
  sink.watch(monitor);
  ASSERT_TRUE(sink.run());
  EXPECT_EQ(sink.summary().stop_reason, "signal");
  expect_each_once();
}

}  // namespace
}  // namespace millrace::engine
