// The n-th call to the disk fails, for every n: nothing is torn, and it goes on after healing.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "log_sqlite/tests/faulty_disk.h"
#include "log_sqlite/tests/fixture.h"

namespace millrace::log_sqlite {
namespace {

using log::testing::Client;

class SqliteLogDisk : public SqliteLogTest {
 protected:
  static constexpr std::int64_t kRecords = 60;

  void SetUp() override {
    log_ = open();
    create(*log_, in_, 1);
    create(*log_, out_, 1);
    fill(*log_, in_, 1, kRecords, kRecords);
  }

  // A consumer of a new group that has read everything and appended as many outputs.
  std::unique_ptr<Client> scored() {
    log::ConsumerOptions options;
    options.group = GroupId("group-" + std::to_string(++groups_));
    options.topics = {in_};
    auto client = std::make_unique<Client>(*log_, options);
    EXPECT_TRUE(client->poll_records(kRecords));
    append_outputs(*client);
    return client;
  }
  void append_outputs(Client& client) {
    const auto out = client->transaction().open_topic(out_);
    for (std::int64_t i = 0; i < kRecords; ++i) {
      EXPECT_TRUE(
          log::testing::append(client->transaction(), *out, log::testing::text(value_of(0, i)))
              .has_value());
    }
  }
  std::int64_t outputs() { return log_->admin().describe_topic(out_)->partitions[0].end.value(); }
  std::int64_t committed() {
    const auto info = log_->admin().describe_group(GroupId("group-" + std::to_string(groups_)));
    if (info->positions.empty()) return 0;
    return info->positions[0].committed.value_or(Offset(0)).value();
  }
  void expect_sound() {
    const auto report = check_sqlite_log(file_, env::real_clock());
    ASSERT_TRUE(report.has_value()) << report.error().message();
    EXPECT_THAT(report->damage, ::testing::IsEmpty());
  }

  FaultyDisk disk_;
  std::unique_ptr<log::Log> log_;
  int groups_ = 0;
};

TEST_F(SqliteLogDisk, AFailingWriteAbortsTheCommitAndDoingItAgainCommits) {
  for (const auto& [result, code] : std::vector<std::pair<int, ErrorCode>>{
           {SQLITE_FULL, ErrorCode::kDiskFull}, {SQLITE_IOERR_WRITE, ErrorCode::kIo}}) {
    int nth = 1;
    for (;; ++nth) {
      ASSERT_LT(nth, 1000);
      auto client = scored();
      const std::int64_t before = outputs();
      disk_.fail(FaultyDisk::Call::kWrite, nth, result);
      const log::CommitOutcome outcome = client->commit();
      if (!disk_.heal()) break;
      SCOPED_TRACE("write " + std::to_string(nth));
      EXPECT_EQ(outcome.result, log::CommitResult::kAborted);
      EXPECT_EQ(outcome.cause, code);
      EXPECT_EQ(outputs(), before);
      EXPECT_EQ(committed(), 0);
      // It reads on from the committed position by itself.
      client->records.clear();
      ASSERT_TRUE(client->poll_records(kRecords));
      append_outputs(*client);
      EXPECT_EQ(client->commit().result, log::CommitResult::kCommitted);
      EXPECT_EQ(outputs(), before + kRecords);
      EXPECT_EQ(committed(), kRecords);
    }
    EXPECT_GT(nth, 3);  // so many writes does a commit make at least
    expect_sound();
  }
}

TEST_F(SqliteLogDisk, AFailingSyncLeavesTheOutcomeUnknownAndNothingTorn) {
  auto client = scored();
  disk_.fail(FaultyDisk::Call::kSync, 1, SQLITE_IOERR_FSYNC);
  EXPECT_EQ(client->commit().result, log::CommitResult::kUnknown);
  EXPECT_TRUE(disk_.heal());
  client.reset();
  log_.reset();
  log_ = open();
  EXPECT_EQ(outputs(), committed());
  client = scored();
  EXPECT_EQ(client->commit().result, log::CommitResult::kCommitted);
  expect_sound();
}

TEST_F(SqliteLogDisk, AFailingReadIsAnErrorOfPollAndTheNextPollGoesOn) {
  log::ConsumerOptions options;
  options.group = group_;
  options.topics = {in_};
  Client client(*log_, options);
  ASSERT_TRUE(client.poll_assigned(1));
  fill(*log_, in_, 1, kRecords, 1, "", kRecords);  // no page of them is in the consumer's cache
  disk_.fail(FaultyDisk::Call::kRead, 1, SQLITE_IOERR_READ);
  client.poll_once();
  EXPECT_TRUE(disk_.heal());
  ASSERT_TRUE(client.error.has_value());
  EXPECT_EQ(client.error->code(), ErrorCode::kIo);
  client.error.reset();
  ASSERT_TRUE(client.poll_records(2 * kRecords));
  for (std::int64_t i = 0; i < 2 * kRecords; ++i) {
    EXPECT_EQ(client.records[static_cast<std::size_t>(i)].value, value_of(0, i));
  }
}

TEST_F(SqliteLogDisk, AFullDiskStopsAProducerUntilThereIsRoom) {
  auto producer = log_->open_producer({in_, "file"});
  const auto handle = (*producer)->open_topic(in_);
  EXPECT_TRUE(log_->reachable().has_value());
  ASSERT_TRUE(log::testing::append(**producer, *handle, log::testing::text("kept")).has_value());
  disk_.fail(FaultyDisk::Call::kWrite, 1, SQLITE_FULL);
  const Status full = (*producer)->commit(RowNumber(1));
  disk_.heal();
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code(), ErrorCode::kDiskFull);
  EXPECT_EQ(full.error().disposition(), Disposition::kRetry);
  EXPECT_FALSE((*producer)->position()->has_value());
  ASSERT_FALSE(log_->reachable().has_value());
  EXPECT_EQ(log_->reachable().error().code(), ErrorCode::kDiskFull);
  EXPECT_TRUE((*producer)->commit(RowNumber(1)).has_value());
  EXPECT_TRUE(log_->reachable().has_value());
  EXPECT_EQ(*(*producer)->position(), RowNumber(1));
  EXPECT_EQ(log_->admin().describe_topic(in_)->partitions[0].end, Offset(kRecords + 1));
}

}  // namespace
}  // namespace millrace::log_sqlite
