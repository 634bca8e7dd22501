// The file as a file: how it is made, recognised and refused.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <thread>

#include "log_sqlite/tests/fixture.h"

namespace millrace::log_sqlite {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SqliteLogFile : public SqliteLogTest {
 protected:
  Error refusal(SqliteLogOptions::Create create = SqliteLogOptions::Create::kIfMissing) {
    const auto log = open_sqlite_log({.file = file_, .create = create}, env::real_clock());
    EXPECT_FALSE(log.has_value());
    return log ? Error(ErrorCode::kInternal, "it was opened") : log.error();
  }
};

TEST_F(SqliteLogFile, AMissingOneIsMadeOrRefused) {
  EXPECT_EQ(refusal(SqliteLogOptions::Create::kNever).code(), ErrorCode::kNoInput);
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_NE(open(), nullptr);
  EXPECT_TRUE(std::filesystem::exists(file_));
}

TEST_F(SqliteLogFile, MissingFoldersAreMade) {
  EXPECT_NE(open(folder_.path() / "a" / "b" / "log.db"), nullptr);
}

TEST_F(SqliteLogFile, ClosingLeavesOneFileAndTheLocks) {
  {
    const auto log = open();
    create(*log, in_, 1);
    fill(*log, in_, 1, 10, 10);
  }
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("log.db", "log.db.locks"));
}

TEST_F(SqliteLogFile, OtherFilesAreRefusedAndLeftAsTheyAre) {
  for (const std::string& content :
       {std::string("customerID,gender\n1,Female\n"), std::string(), std::string(5000, '\0')}) {
    write(file_, content);
    const Error error = refusal();
    EXPECT_EQ(error.code(), ErrorCode::kConfig);
    EXPECT_THAT(error.message(), HasSubstr("not a millrace log"));
    EXPECT_EQ(bytes_of(file_), content);
  }
}

TEST_F(SqliteLogFile, ForeignDatabasesAreRefused) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE topic (id)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(refusal().code(), ErrorCode::kConfig);
}

TEST_F(SqliteLogFile, OtherFormatVersionsAreRefusedWithTheWayOut) {
  open();
  std::string bytes = bytes_of(file_);
  for (const auto& [version, way_out] :
       {std::pair('\0', "save its messages with the millrace that wrote it (topics dump TOPIC)"),
        std::pair('\2', "A later millrace wrote it: use that one")}) {
    bytes[63] = version;  // user_version, big-endian at 60
    write(file_, bytes);
    const Error error = refusal();
    EXPECT_EQ(error.code(), ErrorCode::kFormatVersion);
    EXPECT_THAT(error.message(), HasSubstr("format version " + std::to_string(version)));
    EXPECT_THAT(error.message(), HasSubstr("reads version 1"));
    EXPECT_THAT(error.message(), HasSubstr(way_out));
    EXPECT_EQ(check_sqlite_log(file_, env::real_clock()).error().code(), ErrorCode::kFormatVersion);
    EXPECT_EQ(bytes_of(file_), bytes);
  }
}

TEST_F(SqliteLogFile, TwoThatCreateItAtOnceShareOneLog) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      const auto log = open();
      ASSERT_NE(log, nullptr);
      create(*log, TopicName("topic-" + std::to_string(i)), 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(open()->admin().topics()->size(), 4U);
}

TEST_F(SqliteLogFile, AFileReplacedUnderItIsNoticedBeforeAnythingIsWritten) {
  const auto log = open();
  create(*log, in_, 1);
  auto producer = log->open_producer({in_, ""});
  const auto handle = (*producer)->open_topic(in_);
  ASSERT_TRUE(log::testing::append(**producer, *handle, log::testing::text("lost")).has_value());
  std::filesystem::rename(file_, folder_.path() / "aside.db");
  const Status gone = (*producer)->commit(RowNumber(0));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code(), ErrorCode::kIo);
  EXPECT_THAT(gone.error().message(), HasSubstr("replaced"));
}

TEST_F(SqliteLogFile, InfoTellsWhatIsInside) {
  const auto log = open();
  create(*log, in_, 2);
  fill(*log, in_, 2, 10, 5, "file");
  const auto info = sqlite_log_info(file_, env::real_clock());
  ASSERT_TRUE(info.has_value()) << info.error().message();
  EXPECT_EQ(info->format_version, 1);
  EXPECT_EQ(info->id.size(), 8U);
  EXPECT_EQ(info->topics, 1U);
  EXPECT_EQ(info->partitions, 2U);
  EXPECT_EQ(info->batches, 4U);
  EXPECT_EQ(info->records, 20U);
  EXPECT_EQ(info->producers, 1U);
  EXPECT_EQ(info->page_bytes, 16384U);
  EXPECT_GT(info->wal_bytes, 0U);
}

TEST_F(SqliteLogFile, TrimmingMakesRoomInItAndDeletingShrinksIt) {
  std::uint64_t before = 0;
  {
    const auto log = open();
    create(*log, in_, 1);
    fill(*log, in_, 1, 20'000, 2'000);
  }
  before = std::filesystem::file_size(file_);
  {
    const auto log = open();
    ASSERT_TRUE(log->admin().trim({in_, PartitionId(0)}, Offset(10'000)).has_value());
    const auto info = sqlite_log_info(file_, env::real_clock());
    EXPECT_GT(info->free_pages * info->page_bytes, before * 4 / 10);
    fill(*log, in_, 1, 9'000, 2'000);
  }
  EXPECT_LE(std::filesystem::file_size(file_), before);
  {
    const auto log = open();
    EXPECT_EQ(log->admin().describe_topic(in_)->partitions[0].begin, Offset(10'000));
    ASSERT_TRUE(log->admin().delete_topic(in_).has_value());
    const auto info = sqlite_log_info(file_, env::real_clock());
    EXPECT_EQ(info->partitions, 0U);
    EXPECT_EQ(info->free_pages, 0U);
  }
  EXPECT_LT(std::filesystem::file_size(file_), before / 4);
}

TEST_F(SqliteLogFile, TheWalStaysSmallUnderASteadyWriter) {
  const auto log = open();
  create(*log, in_, 1);
  std::uint64_t largest = 0;
  for (int i = 0; i < 60; ++i) {
    fill(*log, in_, 1, 20'000, 10'000);
    largest = std::max<std::uint64_t>(largest, std::filesystem::file_size(wal_of(file_)));
  }
  EXPECT_LT(largest, std::uint64_t{180} << 20);  // 260 MiB were written
}

TEST_F(SqliteLogFile, ACleanLogChecksClean) {
  const auto log = open();
  create(*log, in_, 2);
  fill(*log, in_, 2, 300, 100, "file");
  ASSERT_TRUE(log->admin().trim({in_, PartitionId(0)}, Offset(150)).has_value());
  const auto report = check_sqlite_log(file_, env::real_clock());
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_THAT(report->damage, IsEmpty());
  EXPECT_EQ(report->format_version, 1);
  EXPECT_EQ(report->topics, 1U);
  EXPECT_EQ(report->partitions, 2U);
  EXPECT_EQ(report->batches, 5U);
  EXPECT_EQ(report->records, 450U);
  EXPECT_EQ(report->producers, 1U);
  EXPECT_GT(report->bytes, 450U * 200U);
}

}  // namespace
}  // namespace millrace::log_sqlite
