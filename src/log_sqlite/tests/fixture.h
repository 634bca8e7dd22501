// A log file in a folder of its own, for tests of the embedded log.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "env/clock.h"
#include "env/file.h"
#include "log/testing/conformance.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::log_sqlite {

inline std::string value_of(std::int32_t partition, std::int64_t offset) {
  return "value " + std::to_string(partition) + "/" + std::to_string(offset) +
         std::string(200, static_cast<char>('a' + offset % 26));
}

class SqliteLogTest : public ::testing::Test {
 protected:
  static std::unique_ptr<log::Log> open(const env::Path& file) {
    auto log = open_sqlite_log({.file = file}, env::real_clock());
    if (!log) ADD_FAILURE() << log.error().message();
    return log ? std::move(*log) : nullptr;
  }
  std::unique_ptr<log::Log> open() { return open(file_); }

  static void create(log::Log& log, const TopicName& topic, std::int32_t partitions) {
    log::TopicConfig config;
    config.partitions = partitions;
    ASSERT_TRUE(log.admin().create_topic(topic, config).has_value());
  }

  // `count` records a partition, in commits of `batch` a partition, each with value_of() its offset
  // when `first` is where the partitions end.
  static void fill(log::Log& log, const TopicName& topic, std::int32_t partitions,
                   std::int64_t count, std::int64_t batch, std::string resume_id = "",
                   std::int64_t first = 0) {
    auto producer = log.open_producer({topic, std::move(resume_id)});
    ASSERT_TRUE(producer.has_value());
    const auto handle = (*producer)->open_topic(topic);
    ASSERT_TRUE(handle.has_value());
    for (std::int64_t offset = 0; offset < count; ++offset) {
      for (std::int32_t partition = 0; partition < partitions; ++partition) {
        log::testing::OwnedRecord record =
            log::testing::text(value_of(partition, first + offset), partition);
        record.timestamp = 1000 + first + offset;
        ASSERT_TRUE(log::testing::append(**producer, *handle, record).has_value());
      }
      if ((offset + 1) % batch != 0 && offset + 1 != count) continue;
      ASSERT_TRUE((*producer)->commit(RowNumber(offset + 1)).has_value());
    }
  }

  static std::string bytes_of(const env::Path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const env::Path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
  static env::Path wal_of(env::Path file) { return file += "-wal"; }

  env::TemporaryFolder folder_ = *env::TemporaryFolder::make("log");
  const env::Path file_ = folder_.path() / "log.db";
  const TopicName in_{"in"};
  const TopicName out_{"out"};
  const GroupId group_{"group"};
};

}  // namespace millrace::log_sqlite
