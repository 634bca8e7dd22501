// Damage is reported, never delivered.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "env/random.h"
#include "log_sqlite/tests/fixture.h"

namespace millrace::log_sqlite {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SqliteLogDamage : public SqliteLogTest {
 protected:
  static constexpr std::int64_t kRecords = 400;

  // A closed log with records, outputs, a committed position and a resume id.
  void SetUp() override {
    const auto log = open();
    create(*log, in_, 2);
    create(*log, out_, 1);
    fill(*log, in_, 2, kRecords, 100, "file");
    log::testing::Client client(*log, options());
    ASSERT_TRUE(client.poll_records(kRecords));
    ASSERT_EQ(client.commit().result, log::CommitResult::kCommitted);
    committed_ = log->admin().describe_group(group_)->positions;
  }

  log::ConsumerOptions options() const {
    log::ConsumerOptions options;
    options.group = group_;
    options.topics = {in_};
    return options;
  }

  // Runs SQL on the closed file, as damage would.
  void break_with(const std::string& sql) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &raw), SQLITE_OK);
    char* message = nullptr;
    ASSERT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(raw);
  }

  // Reads everything there is. Every record delivered must be the one that was written; the first
  // error, if any, is given back.
  static std::optional<Error> read_all(log::Log& log, const TopicName& topic) {
    auto reader = log.open_reader({topic, {}, {}, false});
    if (!reader) return reader.error();
    while (true) {
      const auto batch = (*reader)->next(log::testing::soon());
      if (!batch) return batch.error();
      if (!*batch) return std::nullopt;
      for (const log::Record& record : (*batch)->records) {
        EXPECT_EQ(record.value,
                  value_of((*batch)->source.partition.value(), record.offset.value()));
        EXPECT_EQ(record.timestamp, Timestamp(1000 + record.offset.value()));
      }
    }
  }

  // Everything a program does with a log, against what must come out of it.
  std::optional<Error> use(const env::Path& file) {
    auto log = open_sqlite_log({.file = file}, env::real_clock());
    if (!log) return log.error();
    const auto described = (*log)->admin().describe_topic(in_);
    if (!described) return described.error();
    for (const auto& partition : described->partitions) {
      EXPECT_EQ(partition.begin, Offset(0));
      EXPECT_EQ(partition.end, Offset(kRecords));
    }
    if (auto error = read_all(**log, in_)) return error;
    const auto info = (*log)->admin().describe_group(group_);
    if (!info) return info.error();
    EXPECT_EQ(info->positions.size(), committed_.size());
    for (std::size_t i = 0; i < info->positions.size(); ++i) {
      EXPECT_EQ(info->positions[i].committed, committed_[i].committed);
    }
    auto producer = (*log)->open_producer({in_, "file"});
    if (!producer) return producer.error();
    const auto position = (*producer)->position();
    if (!position) return position.error();
    EXPECT_EQ(*position, RowNumber(kRecords));
    return std::nullopt;
  }

  std::vector<log::GroupPosition> committed_;
};

TEST_F(SqliteLogDamage, AnUndamagedLogIsRead) { EXPECT_FALSE(use(file_).has_value()); }

TEST_F(SqliteLogDamage, AFlippedBitInABatchIsNamedAndTheBatchesBeforeItAreDelivered) {
  std::string bytes = bytes_of(file_);
  const std::size_t at = bytes.find(value_of(1, 250));
  ASSERT_NE(at, std::string::npos);
  bytes[at + 100] = static_cast<char>(bytes[at + 100] ^ 4);
  write(file_, bytes);
  const auto error = use(file_);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kCorrupt);
  EXPECT_THAT(error->message(), HasSubstr("topic 'in', partition 1: offset 200"));
  const auto report = check_sqlite_log(file_, env::real_clock());
  ASSERT_TRUE(report.has_value());
  ASSERT_EQ(report->damage.size(), 1U);
  EXPECT_EQ(report->damage[0].topic, in_);
  EXPECT_EQ(report->damage[0].partition, PartitionId(1));
  EXPECT_EQ(report->damage[0].offset, Offset(200));
  EXPECT_EQ(report->records, static_cast<std::uint64_t>(2 * kRecords - 100));
}

TEST_F(SqliteLogDamage, AMissingBatchIsNamed) {
  break_with("DELETE FROM batch WHERE base = 100 AND partition_id = 1");
  const auto error = use(file_);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kCorrupt);
  EXPECT_THAT(error->message(), HasSubstr("offset 100"));
  const auto report = check_sqlite_log(file_, env::real_clock());
  ASSERT_TRUE(report.has_value());
  ASSERT_EQ(report->damage.size(), 1U);
  EXPECT_EQ(report->damage[0].offset, Offset(100));
  EXPECT_THAT(report->damage[0].what, HasSubstr("up to offset 199"));
}

TEST_F(SqliteLogDamage, BatchesInEachOthersPlaceAreNotDelivered) {
  break_with(
      "UPDATE batch SET base = 900, next = 1000 WHERE base = 100 AND partition_id = 1;"
      "UPDATE batch SET base = 100, next = 200 WHERE base = 200 AND partition_id = 1;"
      "UPDATE batch SET base = 200, next = 300 WHERE base = 900 AND partition_id = 1");
  const auto error = use(file_);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kCorrupt);
  EXPECT_THAT(check_sqlite_log(file_, env::real_clock())->damage, Not(IsEmpty()));
}

TEST_F(SqliteLogDamage, RowsAreCoveredByTheirChecksums) {
  const std::string good = bytes_of(file_);
  for (const char* sql :
       {"UPDATE meta SET id = 'ffffffff'", "UPDATE topic SET incarnation = 'x' WHERE name = 'in'",
        "UPDATE topic SET config = '{}' WHERE name = 'in'",
        "UPDATE partition SET end = end + 1 WHERE id = 1",
        "UPDATE partition SET begin = 5 WHERE id = 1", "DELETE FROM partition WHERE id = 2",
        "UPDATE consumer_group SET generation = 0", "UPDATE position SET next = next - 1",
        "UPDATE position SET crc = crc + 1", "UPDATE producer SET next_row = 3"}) {
    write(file_, good);
    break_with(sql);
    const auto error = use(file_);
    ASSERT_TRUE(error.has_value()) << sql;
    EXPECT_EQ(error->code(), ErrorCode::kCorrupt) << sql;
    const auto report = check_sqlite_log(file_, env::real_clock());
    if (!report) continue;  // so bad that it cannot be opened
    EXPECT_THAT(report->damage, Not(IsEmpty())) << sql;
  }
}

TEST_F(SqliteLogDamage, FlippedBitsAnywhereNeverDeliverAnythingWrong) {
  const std::string good = bytes_of(file_);
  env::Random random(20'240'607);
  int noticed = 0;
  constexpr int kFlips = 150;
  const env::Path copy = folder_.path() / "copy.db";
  for (int i = 0; i < kFlips; ++i) {
    std::string bytes = good;
    const auto at = static_cast<std::size_t>(random.below(bytes.size()));
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    write(copy, bytes);
    const auto report = check_sqlite_log(copy, env::real_clock());
    const bool clean = report && report->damage.empty();
    const auto error = use(copy);
    SCOPED_TRACE("byte " + std::to_string(at) + ": " + (error ? error->message() : "read"));
    EXPECT_FALSE(clean && error.has_value());
    if (error) ++noticed;
    ::unlink(wal_of(copy).c_str());
  }
  EXPECT_GT(noticed, kFlips / 4);  // most of the file is records
}

// The WAL while the log is open: everything since the checkpoint.
class SqliteLogWal : public SqliteLogTest {
 protected:
  // Two commits of output and position together; the second is still in the WAL.
  void SetUp() override {
    log_ = open();
    create(*log_, in_, 1);
    create(*log_, out_, 1);
    fill(*log_, in_, 1, 100, 50);
    log::ConsumerOptions options;
    options.group = group_;
    options.topics = {in_};
    options.batch_records_max = 50;
    log::testing::Client client(*log_, options);
    const auto out = client->transaction().open_topic(out_);
    for (std::size_t half = 1; half <= 2; ++half) {
      ASSERT_TRUE(client.poll_records(50 * half));
      for (std::size_t i = 50 * (half - 1); i < 50 * half; ++i) {
        ASSERT_TRUE(
            log::testing::append(client->transaction(), *out, client.records[i]).has_value());
      }
      if (half == 2) before_last_ = std::filesystem::file_size(wal_of(file_));
      ASSERT_EQ(client.commit().result, log::CommitResult::kCommitted);
      if (half == 2) take_copy();
    }
  }
  void take_copy() {
    database_ = bytes_of(file_);
    wal_ = bytes_of(wal_of(file_));
  }

  // Outputs and committed position of a log made of these bytes.
  std::pair<std::int64_t, std::int64_t> state_of(const std::string& wal) {
    const env::Path copy = folder_.path() / "copy.db";
    write(copy, database_);
    write(wal_of(copy), wal);
    const auto log = open(copy);
    const auto group = log->admin().describe_group(group_);
    const auto out = log->admin().describe_topic(out_);
    const std::int64_t committed =
        group && !group->positions.empty() && group->positions[0].committed
            ? group->positions[0].committed->value()
            : 0;
    return {out ? out->partitions[0].end.value() : 0, committed};
  }

  std::unique_ptr<log::Log> log_;
  std::string database_;
  std::string wal_;
  std::uint64_t before_last_ = 0;
};

TEST_F(SqliteLogWal, TruncatedAnywhereInTheLastTransactionItIsThereOrNot) {
  EXPECT_EQ(state_of(wal_), std::make_pair(std::int64_t{100}, std::int64_t{100}));
  constexpr std::size_t kStep = 4000;  // less than a page: every page of the transaction is hit
  for (std::size_t size = before_last_; size < wal_.size(); size += kStep) {
    EXPECT_EQ(state_of(wal_.substr(0, size)), std::make_pair(std::int64_t{50}, std::int64_t{50}))
        << size;
  }
}

TEST_F(SqliteLogWal, DamagedItEndsThereInAnEarlierConsistentState) {
  env::Random random(7);
  for (int i = 0; i < 60; ++i) {
    std::string wal = wal_;
    const auto at = static_cast<std::size_t>(random.below(wal.size()));
    wal[at] = static_cast<char>(wal[at] ^ 16);
    const auto [outputs, position] = state_of(wal);
    EXPECT_EQ(outputs, position) << at;
  }
}

TEST_F(SqliteLogWal, WithoutItTheLogIsAsOfTheLastCheckpoint) {
  const auto [outputs, position] = state_of("");
  EXPECT_EQ(outputs, position);
  EXPECT_LT(outputs, 100);
}

}  // namespace
}  // namespace millrace::log_sqlite
