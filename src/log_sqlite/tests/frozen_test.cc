// Version 1 of the format is frozen: a log of version 1 opens for ever, and what is written today
// is what was written then (docs/formats/embedded-log.md). frozen/log_v1.txt is a log that
// write_log() made once; where a test here fails, the program has changed, never the file.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <cstdlib>
#include <sstream>

#include "log_sqlite/tests/fixture.h"

namespace millrace::log_sqlite {
namespace {

using log::testing::Client;
using log::testing::OwnedRecord;
using ::testing::IsEmpty;

const TopicName kReadings("readings");
const TopicName kOut("out");
const GroupId kScorers("scorers");

OwnedRecord record(std::optional<std::string> key, std::optional<std::string> value,
                   std::int64_t timestamp, std::int32_t partition) {
  OwnedRecord out;
  out.key = std::move(key);
  out.value = std::move(value);
  out.timestamp = timestamp;
  out.partition = partition;
  return out;
}

// Every form a record may have.
std::vector<OwnedRecord> readings() {
  std::vector<OwnedRecord> records = {
      record("sensor_1", R"({"CO":2.6})", 1'078'941'600'000, 0),
      record(std::nullopt, "no key", 1'078'941'600'001, 0),
      record("deleted", std::nullopt, 1'078'941'599'000, 0),
      record("", "", -5, 0),
      record(std::string("\0\xff\n", 3), std::string(300, 'x'), 1'078'945'200'000, 0),
      record("trimmed", "first", 7, 1),
      record("trimmed", "second", 8, 1),
      record("kept", "third", INT64_MAX, 1),
  };
  records[0].headers = {{"source", "file"}, {"source", std::nullopt}, {"", ""}};
  records[7].headers = {{"error.code", std::string("\0", 1)}};
  return records;
}

void append(log::Appender& appender, const std::vector<OwnedRecord>& records, std::size_t first,
            std::size_t end) {
  const auto topic = appender.open_topic(kReadings);
  ASSERT_TRUE(topic.has_value());
  for (std::size_t i = first; i < end; ++i)
    ASSERT_TRUE(log::testing::append(appender, *topic, records[i]).has_value());
}

// Two partitions, one of them trimmed, a deleted topic, a producer's place, and a group that has
// read some of it and written elsewhere in the same transactions.
void write_log(log::Log& log) {
  log::TopicConfig config;
  config.partitions = 2;
  config.retention = Milliseconds(604'800'000);
  config.message_bytes_max = 4096;
  config.other = {{"cleanup.policy", "delete"}};
  ASSERT_TRUE(log.admin().create_topic(kReadings, config).has_value());
  ASSERT_TRUE(log.admin().create_topic(TopicName("gone"), {}).has_value());
  ASSERT_TRUE(log.admin().create_topic(kOut, {}).has_value());
  ASSERT_TRUE(log.admin().delete_topic(TopicName("gone")).has_value());
  const std::vector<OwnedRecord> records = readings();
  {
    auto producer = log.open_producer({kReadings, "readings.ndjson"});
    ASSERT_TRUE(producer.has_value());
    append(**producer, records, 0, 2);
    ASSERT_TRUE((*producer)->commit(RowNumber(2)).has_value());
    append(**producer, records, 2, records.size());
    ASSERT_TRUE((*producer)->commit(RowNumber(8)).has_value());
  }
  log::ConsumerOptions options;
  options.group = kScorers;
  options.topics = {kReadings};
  Client client(log, options);
  ASSERT_TRUE(client.poll_records(records.size()));
  const auto out = client->transaction().open_topic(kOut);
  ASSERT_TRUE(out.has_value());
  ASSERT_TRUE(log::testing::append(client->transaction(), *out, record("sensor_1", "2.7", 9, 0))
                  .has_value());
  const auto outcome = client.commit(
      {{{kReadings, PartitionId(0)}, Offset(2)}, {{kReadings, PartitionId(1)}, Offset(3)}});
  ASSERT_EQ(outcome.result, log::CommitResult::kCommitted);
  ASSERT_TRUE(client->close().has_value());
  ASSERT_TRUE(log.admin().trim({kReadings, PartitionId(1)}, Offset(2)).has_value());
}

// The rows of a query as text, blobs in hexadecimal.
std::vector<std::string> rows_of(const env::Path& file, const std::string& sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  std::vector<std::string> rows;
  const int done = sqlite3_exec(
      database, sql.c_str(),
      [](void* out, int columns, char** values, char**) {
        std::string row;
        for (int i = 0; i < columns; ++i)
          row += std::string(i > 0 ? " | " : "") + (values[i] == nullptr ? "NULL" : values[i]);
        static_cast<std::vector<std::string>*>(out)->push_back(row);
        return 0;
      },
      &rows, nullptr);
  EXPECT_EQ(done, SQLITE_OK) << sql << ": " << sqlite3_errmsg(database);
  sqlite3_close(database);
  return rows;
}

std::vector<OwnedRecord> read_all(log::Log& log, const TopicName& topic) {
  auto reader = log.open_reader({topic, {}, {}, false});
  EXPECT_TRUE(reader.has_value());
  std::vector<OwnedRecord> records;
  while (reader) {
    const auto batch = (*reader)->next(log::testing::soon());
    EXPECT_TRUE(batch.has_value());
    if (!batch || !*batch) break;
    for (const log::Record& one : (*batch)->records)
      records.push_back(log::testing::owned((*batch)->source, one));
  }
  return records;
}

void expect_same(const OwnedRecord& a, const OwnedRecord& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.headers, b.headers);
  EXPECT_EQ(a.timestamp, b.timestamp);
  EXPECT_EQ(a.partition, b.partition);
}

class FrozenLog : public SqliteLogTest {
 protected:
  // The file's bytes as text: its size, then "offset bytes", both in hexadecimal; the rest is 0.
  void SetUp() override {
    const char* root = std::getenv("MILLRACE_SOURCE_DIR");
    ASSERT_NE(root, nullptr) << "run through ctest, or set MILLRACE_SOURCE_DIR";
    std::ifstream text(env::Path(root) / "src/log_sqlite/tests/frozen/log_v1.txt");
    ASSERT_TRUE(text.is_open());
    std::string line;
    while (std::getline(text, line) && line.starts_with('#')) {
    }
    constexpr int kHex = 16;
    std::string bytes(std::stoul(line, nullptr, kHex), '\0');
    for (std::size_t offset = 0; text >> std::hex >> offset >> line;) {
      for (std::size_t i = 0; i < line.size(); i += 2)
        bytes.at(offset + i / 2) = static_cast<char>(std::stoi(line.substr(i, 2), nullptr, kHex));
    }
    write(file_, bytes);
  }
};

TEST_F(FrozenLog, OpensWithEveryRecordAndPosition) {
  const auto log = open();
  ASSERT_NE(log, nullptr);
  std::vector<OwnedRecord> expected = readings();
  expected.erase(expected.begin() + 5, expected.begin() + 7);  // trimmed
  const std::vector<OwnedRecord> found = read_all(*log, kReadings);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) expect_same(found[i], expected[i]);
  EXPECT_EQ(read_all(*log, kOut).at(0).value, "2.7");
  const auto topic = log->admin().describe_topic(kReadings);
  ASSERT_TRUE(topic.has_value());
  EXPECT_EQ(topic->config.retention, Milliseconds(604'800'000));
  EXPECT_EQ(topic->config.message_bytes_max, 4096U);
  EXPECT_EQ(topic->config.other.at("cleanup.policy"), "delete");
  EXPECT_EQ(topic->partitions.at(1).begin, Offset(2));
  const auto report = check_sqlite_log(file_, env::real_clock());
  ASSERT_TRUE(report.has_value());
  EXPECT_THAT(report->damage, IsEmpty());
  EXPECT_EQ(report->format_version, 1);
}

TEST_F(FrozenLog, GoesOnWhereItStopped) {
  const auto log = open();
  ASSERT_NE(log, nullptr);
  {
    auto producer = log->open_producer({kReadings, "readings.ndjson"});
    ASSERT_TRUE(producer.has_value());
    EXPECT_EQ(*(*producer)->position(), RowNumber(8));
    append(**producer, {record("new", "ninth", 10, 0)}, 0, 1);
    ASSERT_TRUE((*producer)->commit(RowNumber(9)).has_value());
  }
  log::ConsumerOptions options;
  options.group = kScorers;
  options.topics = {kReadings};
  Client client(*log, options);
  ASSERT_TRUE(client.poll_records(4));
  EXPECT_THAT(client.values(), ::testing::ElementsAre("null", "", std::string(300, 'x'), "ninth"));
  ASSERT_EQ(client.commit().result, log::CommitResult::kCommitted);
  ASSERT_TRUE(client->close().has_value());
  EXPECT_EQ(read_all(*log, kReadings).size(), 7U);
  EXPECT_THAT(check_sqlite_log(file_, env::real_clock())->damage, IsEmpty());
}

TEST_F(FrozenLog, TheSameIsWrittenTodayToTheByte) {
  const env::Path today = folder_.path() / "today.db";
  write_log(*open(today));
  for (const std::string sql :
       {"SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name", "PRAGMA user_version",
        "PRAGMA application_id", "PRAGMA page_size", "PRAGMA auto_vacuum", "PRAGMA journal_mode",
        "SELECT id, name, config FROM topic ORDER BY id", "SELECT * FROM partition ORDER BY id",
        "SELECT id, partition_id, base, next, time_max, hex(data) FROM batch ORDER BY id",
        "SELECT * FROM consumer_group", "SELECT * FROM position ORDER BY partition_id",
        "SELECT * FROM producer"}) {
    const std::vector<std::string> then = rows_of(file_, sql);
    EXPECT_FALSE(then.empty()) << sql;
    EXPECT_EQ(rows_of(today, sql), then) << sql;
  }
}

}  // namespace
}  // namespace millrace::log_sqlite
