// Dead letters on the log in memory: which are chosen, and how they are put back.
#include "engine/replay.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "env/testing/manual_clock.h"
#include "log/testing/memory_log.h"

namespace millrace::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const TopicName kIn("in");
const TopicName kDead("dead");

struct Bad {
  std::string key;
  data::RecordCode code = data::RecordCode::kParse;
  std::int64_t failed_ms = 0;
  std::int32_t partition = 0;
  std::int32_t attempts = 0;  // earlier ones
};

class Replays : public testing::Test {
 protected:
  Replays() : log_(clock_) {
    log::TopicConfig two;
    two.partitions = 2;
    EXPECT_TRUE(log_.admin().create_topic(kIn, two));
    EXPECT_TRUE(log_.admin().create_topic(kDead, two));
  }

  void set_aside(const std::vector<Bad>& letters) {
    auto producer = log_.open_producer({kDead, ""});
    ASSERT_TRUE(producer);
    const auto topic = *(*producer)->open_topic(kDead);
    DeadLetterWriter writer(spec::DeadLetterFormat::kHeaders, GroupId("g"));
    for (const Bad& bad : letters) {
      log::Record record;
      record.offset = Offset(next_++);
      record.key = bad.key;
      record.value = "{}";
      const std::string attempts = std::to_string(bad.attempts);
      const log::Header header{kReplayAttemptHeader, std::string_view(attempts)};
      if (bad.attempts > 0) record.headers = {&header, 1};
      log::NewRecord letter =
          writer.compose({kIn, PartitionId(1)}, record, {{bad.code, "", "no good"}}, "decode",
                         Timestamp(bad.failed_ms));
      letter.partition = PartitionId(bad.partition);
      ASSERT_TRUE((*producer)->append(topic, letter));
    }
    ASSERT_TRUE((*producer)->commit(RowNumber(0)));
  }

  std::vector<std::string> keys_of(const DeadLetterFilter& filter) {
    std::vector<std::string> keys;
    const Status scanned =
        scan_dead_letters(log_, kDead, filter, [&keys](const DeadLetter& letter) {
          keys.push_back(letter.key.value_or("(none)"));
          return true;
        });
    EXPECT_TRUE(scanned) << scanned.error().message();
    return keys;
  }

  std::vector<std::string> put_back() {
    std::vector<std::string> keys;
    auto reader = log_.open_reader({kIn, {}, {}, false});
    EXPECT_TRUE(reader);
    while (!(*reader)->at_end()) {
      const auto batch = (*reader)->next(clock_.steady());
      EXPECT_TRUE(batch);
      for (const log::Record& record : (*batch)->records) keys.emplace_back(*record.key);
    }
    return keys;
  }

  ReplayResult replay(const ReplayOptions& options) {
    auto result = replay_dead_letters(log_, kDead, options, clock_, stop_);
    EXPECT_TRUE(result) << result.error().message();
    return result.value_or(ReplayResult());
  }

  env::ManualClock clock_;
  env::StopToken stop_;
  log::testing::MemoryLog log_;
  std::int64_t next_ = 0;
};

TEST_F(Replays, LettersAreChosenByKeyPartitionCodeAndTime) {
  set_aside({{.key = "a", .failed_ms = 1000},
             {.key = "b", .code = data::RecordCode::kUnknownValue, .failed_ms = 2000},
             {.key = "a", .failed_ms = 3000, .partition = 1}});
  DeadLetterFilter filter;
  EXPECT_THAT(keys_of(filter), ElementsAre("a", "b", "a"));
  filter.key = "a";
  EXPECT_THAT(keys_of(filter), SizeIs(2));
  filter.partition = PartitionId(1);
  EXPECT_THAT(keys_of(filter), ElementsAre("a"));
  filter = {};
  filter.from = Timestamp(2000);
  EXPECT_THAT(keys_of(filter), ElementsAre("b", "a"));
  filter.to = Timestamp(3000);
  EXPECT_THAT(keys_of(filter), ElementsAre("b"));
  filter.code = "parse_error";
  EXPECT_THAT(keys_of(filter), IsEmpty());
}

TEST_F(Replays, APartitionThatIsNotThereIsAUsageError) {
  DeadLetterFilter filter;
  filter.partition = PartitionId(9);
  const Status scanned =
      scan_dead_letters(log_, kDead, filter, [](const DeadLetter&) { return true; });
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code(), ErrorCode::kUsage);
}

TEST_F(Replays, TheSameFilterChoosesWhatIsPutBack) {
  set_aside({{.key = "early", .failed_ms = 1000}, {.key = "late", .failed_ms = 5000}});
  ReplayOptions options;
  options.filter.from = Timestamp(5000);
  const ReplayResult done = replay(options);
  EXPECT_EQ(done.matched, 1U);
  EXPECT_EQ(done.replayed, 1U);
  EXPECT_THAT(put_back(), ElementsAre("late"));
}

TEST_F(Replays, ADryRunCountsAndPutsNothingBack) {
  set_aside({{.key = "a"}, {.key = "b"}});
  ReplayOptions options;
  options.action = ReplayOptions::Action::kDryRun;
  options.due = [](std::uint64_t) { return SteadyTime::max(); };
  EXPECT_EQ(replay(options).replayed, 2U);
  EXPECT_THAT(put_back(), IsEmpty());
}

TEST_F(Replays, WhatFailedTooOftenStays) {
  set_aside({{.key = "first"}, {.key = "third", .attempts = 2}});
  ReplayOptions options;
  options.attempts_max = 3;
  const ReplayResult done = replay(options);
  EXPECT_EQ(done.attempts_used_up, 1U);
  EXPECT_THAT(put_back(), ElementsAre("first"));
}

TEST_F(Replays, ARateIsKeptOnTheClock) {
  std::vector<Bad> letters;
  for (int i = 0; i < 11; ++i) letters.push_back({.key = std::to_string(i)});
  set_aside(letters);
  const SteadyTime start = clock_.steady();
  ReplayOptions options;
  options.due = [start](std::uint64_t n) { return start + n * Milliseconds(100); };
  EXPECT_EQ(replay(options).replayed, 11U);
  EXPECT_EQ(clock_.steady() - start, Milliseconds(1000));
  EXPECT_THAT(put_back(), SizeIs(11));
}

TEST_F(Replays, AStopWhileWaitingKeepsWhatWasPutBack) {
  set_aside({{.key = "a"}, {.key = "b"}});
  ReplayOptions options;
  options.due = [this](std::uint64_t n) {
    if (n == 1) stop_.request();
    return n == 0 ? clock_.steady() : SteadyTime::max();
  };
  EXPECT_EQ(replay(options).replayed, 1U);
  EXPECT_THAT(put_back(), ElementsAre("a"));
  // The other one is still to be had, and the first is not put back again.
  env::StopToken go_on;
  const auto rest = replay_dead_letters(log_, kDead, {}, clock_, go_on);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->replayed, 1U);
  EXPECT_EQ(rest->replayed_before, 1U);
}

}  // namespace
}  // namespace millrace::engine
