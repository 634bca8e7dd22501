#include "log/testing/memory_log.h"

#include <gtest/gtest.h>

#include "env/testing/manual_clock.h"
#include "log/testing/conformance.h"

namespace millrace::log::testing {
namespace {

class MemoryUnderTest final : public LogUnderTest {
 public:
  Log& log() override { return *log_; }
  void reopen() override { log_ = std::make_unique<MemoryLog>(*log_); }

 private:
  std::unique_ptr<MemoryLog> log_ = std::make_unique<MemoryLog>(env::real_clock());
};

const LogFactory kMemory{"Memory", [] { return std::make_unique<MemoryUnderTest>(); }};

INSTANTIATE_TEST_SUITE_P(Log, LogConformance, ::testing::Values(kMemory), name_of_log);

// A log with one record on topic "in" and a consumer that has it.
class MemoryLogFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(log_.admin().create_topic(in_, {}).has_value());
    ASSERT_TRUE(log_.admin().create_topic(out_, {}).has_value());
    auto producer = log_.open_producer({in_, ""});
    ASSERT_TRUE(producer.has_value());
    const auto handle = (*producer)->open_topic(in_);
    ASSERT_TRUE(append(**producer, *handle, text("0")).has_value());
    ASSERT_TRUE((*producer)->commit(RowNumber(0)).has_value());
    ConsumerOptions options;
    options.group = GroupId("group");
    options.topics = {in_};
    client_ = std::make_unique<Client>(log_, options);
    ASSERT_TRUE(client_->poll_records(1));
    const auto out = (*client_)->transaction().open_topic(out_);
    ASSERT_TRUE(append((*client_)->transaction(), *out, text("scored")).has_value());
  }
  std::int64_t outputs() { return log_.admin().describe_topic(out_)->partitions.at(0).end.value(); }
  bool position_is_committed() {
    return log_.admin().describe_group(GroupId("group"))->positions.at(0).committed.has_value();
  }

  env::ManualClock clock_;
  MemoryLog log_{clock_};
  const TopicName in_{"in"};
  const TopicName out_{"out"};
  std::unique_ptr<Client> client_;
};

TEST_F(MemoryLogFaults, AnAbortedCommitGoesBackAndTheNextOneStands) {
  log_.fail_commit(1, CommitResult::kAborted);
  EXPECT_EQ(client_->commit().result, CommitResult::kAborted);
  EXPECT_EQ(outputs(), 0);
  EXPECT_FALSE(position_is_committed());
  ASSERT_TRUE(client_->poll_records(2));
  EXPECT_EQ(client_->commit().result, CommitResult::kCommitted);
  EXPECT_TRUE(position_is_committed());
}

TEST_F(MemoryLogFaults, TheFaultWaitsForItsCommit) {
  log_.fail_commit(2, CommitResult::kAborted);
  EXPECT_EQ(client_->commit().result, CommitResult::kCommitted);
  EXPECT_EQ(client_->commit({}).result, CommitResult::kAborted);
  EXPECT_EQ(client_->commit({}).result, CommitResult::kCommitted);
}

TEST_F(MemoryLogFaults, AFencedMemberStaysOut) {
  log_.fail_commit(1, CommitResult::kFenced);
  EXPECT_EQ(client_->commit().result, CommitResult::kFenced);
  EXPECT_EQ(outputs(), 0);
  const auto event = (*client_)->poll(clock_.steady());
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code(), ErrorCode::kFenced);
}

TEST_F(MemoryLogFaults, AnEvictedMemberIsFenced) {
  log_.evict((*client_)->member_id());
  EXPECT_EQ(client_->commit().result, CommitResult::kFenced);
  EXPECT_EQ(outputs(), 0);
}

TEST_F(MemoryLogFaults, AnUnknownCommitMayHaveHappenedOrNot) {
  log_.fail_commit(1, CommitResult::kUnknown, MemoryLog::Effect::kCommitted);
  EXPECT_EQ(client_->commit().result, CommitResult::kUnknown);
  EXPECT_EQ(outputs(), 1);
  EXPECT_TRUE(position_is_committed());
  log_.fail_commit(1, CommitResult::kUnknown);
  const auto out = (*client_)->transaction().open_topic(out_);
  ASSERT_TRUE(append((*client_)->transaction(), *out, text("lost")).has_value());
  EXPECT_EQ(client_->commit({}).result, CommitResult::kUnknown);
  EXPECT_EQ(outputs(), 1);
}

TEST_F(MemoryLogFaults, AFailedCommitSaysWhyAndDropsWhatWasAppended) {
  log_.fail_commit_request(1, Error(ErrorCode::kDiskFull, "full"));
  const auto positions = client_->positions();
  const CommitOutcome outcome = client_->commit(positions);
  EXPECT_EQ(outcome.result, CommitResult::kAborted);
  EXPECT_EQ(outcome.cause, ErrorCode::kDiskFull);
  EXPECT_EQ(client_->commit(positions).result, CommitResult::kCommitted);
  EXPECT_EQ(outputs(), 0);
}

TEST_F(MemoryLogFaults, AnIdlePollMovesAManualClockToItsDeadline) {
  const SteadyTime until = clock_.steady() + std::chrono::hours(1);
  const auto event = (*client_)->poll(until);
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(std::holds_alternative<Nothing>(*event));
  EXPECT_EQ(clock_.steady(), until);
}

}  // namespace
}  // namespace millrace::log::testing
