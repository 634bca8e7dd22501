// Reads batches of one partition, from any offset, verified.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "log/record.h"
#include "log_sqlite/internal/batch_format.h"
#include "log_sqlite/internal/database.h"

namespace millrace::log_sqlite::internal {

struct ReadLimits {
  std::size_t records_max;
  std::size_t bytes_max;  // of stored batches; one record is always handed out
};

// One thread at a time.
class PartitionReader {
 public:
  PartitionReader(log::TopicPartition source, std::int64_t partition_row)
      : source_(std::move(source)), partition_row_(partition_row) {}

  // Records from `from` (stored: begin <= from < end) into an empty batch, inside the caller's read
  // scope. Whole stored batches go straight into the batch's arena; a part of one comes from a copy
  // that is kept for the next call. kCorrupt, naming topic, partition and offset: nothing of the
  // damaged batch is handed out.
  Status read(Database& database, Offset from, const ReadLimits& limits, log::Batch& out);

 private:
  struct Stored {
    std::int64_t row = 0;
    Offset base;
    Offset next;
    std::size_t bytes = 0;
  };
  // The stored batches from the one that holds `from` on, as many as fit into the limits whole; at
  // least one.
  Result<std::vector<Stored>> find(Database& database, Offset from, const ReadLimits& limits);
  Result<BatchHeader> load(Database& database, BlobReader& blobs, const Stored& stored, char* out);
  Status read_whole(Database& database, const std::vector<Stored>& stored, log::Batch& out);
  Status keep(Database& database, const Stored& stored);
  Status read_part(Database& database, Offset from, const ReadLimits& limits, log::Batch& out);
  Error damage(Database& database, Offset offset, std::string_view what) const;

  log::TopicPartition source_;
  std::int64_t partition_row_;
  // The batch that is handed out piece by piece.
  std::unique_ptr<char[]> kept_bytes_;
  std::optional<BatchHeader> kept_;
  std::optional<RecordCursor> cursor_;
};

}  // namespace millrace::log_sqlite::internal
