// Records on their way into the log: encoded into batches as they are appended, written as rows by
// the commit.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "log_sqlite/internal/batch_format.h"
#include "log_sqlite/internal/catalog.h"
#include "log_sqlite/internal/database.h"

namespace millrace::log_sqlite::internal {

// One thread at a time.
class BatchWriter {
 public:
  // What one commit may hold in memory; the way out is to commit more often (kLimitExceeded).
  static constexpr std::size_t kCommitBytesMax = std::size_t{1} << 30;
  // Memory of batches kept from one commit to the next.
  static constexpr std::size_t kSpareBytesMax = std::size_t{16} << 20;

  explicit BatchWriter(Database& database) : database_(&database) {}

  Result<log::TopicHandle> open_topic(const TopicName& name);
  Status append(log::TopicHandle handle, const log::NewRecord& record);
  bool empty() const { return records_ == 0; }

  // Checksums, so that they are not computed under the write lock.
  void seal();
  // Inserts everything, inside the write transaction of a connection to the same file.
  // kUnknownTopic when a topic was deleted meanwhile. What was appended stays until clear().
  Status write(Database& database);
  void clear();

 private:
  using Encoders = std::vector<std::unique_ptr<BatchEncoder>>;
  struct Topic {
    TopicRow row;
    std::vector<std::int64_t> partition_rows;
    std::vector<Encoders> batches;  // by partition
    std::uint32_t turn = 0;
  };
  std::unique_ptr<BatchEncoder> fresh_encoder();
  static Status write_partition(Database& database, const Topic& topic, std::int64_t partition_row,
                                const Encoders& batches);

  Database* database_;
  std::vector<Topic> topics_;
  Encoders spare_;
  std::size_t spare_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::size_t records_ = 0;
};

}  // namespace millrace::log_sqlite::internal
