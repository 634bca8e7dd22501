// Rows of a file as the messages that `produce` would make of them, so that files and streams take
// one path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/table_reader.h"
#include "data/record_error.h"
#include "env/stop.h"
#include "spec/pipeline.h"

namespace millrace::engine {

// Not thread-safe.
class FileRows {
 public:
  struct Row {
    std::int64_t line = 0;
    std::string_view message;  // JSON; empty with errors. kArenaPadding readable bytes follow
    std::span<const std::string_view> cells;  // beside columns(); of NDJSON and bad rows none
    const data::RecordErrors* errors =
        nullptr;  // what makes the row unreadable; nullptr when nothing does
  };

  // `path`: CSV, NDJSON or Parquet by its ending, "-" is standard input (either). Errors: as
  // codec::TableReader::open(). `stop` ends the wait for a pipe (kInterrupted) and outlives this.
  static Result<FileRows> open(const spec::Pipeline& pipeline, const std::string& path,
                               const env::StopToken& stop);

  // The next row, nullopt at the end; views live until the next call. Errors: kIo.
  Result<std::optional<Row>> next();

  codec::TableFormat format() const { return reader_.format(); }
  // Names of the columns of a CSV or Parquet file (after ignoring and renaming); empty for NDJSON.
  const std::vector<std::string>& columns() const { return reader_.columns(); }
  std::uint64_t bytes_read() const { return reader_.bytes_read(); }
  std::uint64_t bytes_total() const { return reader_.bytes_total(); }

 private:
  FileRows(codec::TableReader reader, std::unique_ptr<codec::RowEncoder> encoder)
      : reader_(std::move(reader)), encoder_(std::move(encoder)) {}

  codec::TableReader reader_;
  std::unique_ptr<codec::RowEncoder> encoder_;  // where there are columns
  codec::TableRow row_;                         // the last one read
  std::string message_;
};

}  // namespace millrace::engine
