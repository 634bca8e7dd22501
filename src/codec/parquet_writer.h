// Parquet files, written through the plugin (codec/plugin) that is loaded on first use.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/column_values.h"
#include "env/file.h"

namespace millrace::codec {

enum class Compression { kSnappy, kZstd, kGzip, kNone };

// Whether this build can read and write Parquet. Errors: kNotBuilt, saying how to get it; kInternal
// where the plugin is there and does not load, or is of another build.
Status parquet_available();

// Writes beside the name and appears under it whole (env/atomic_file.h); dropped on destruction
// without commit(). Not thread-safe. Memory: one row group and what it becomes.
class ParquetWriter {
 public:
  // Errors: as parquet_available(), and of env/file.h (kDiskFull, kPermission, ...).
  static Result<ParquetWriter> create(const env::Path& path, const std::vector<ColumnHead>& columns,
                                      Compression compression);
  ParquetWriter(ParquetWriter&&) noexcept;
  ParquetWriter& operator=(ParquetWriter&&) noexcept;
  ~ParquetWriter();

  // One row group: a ColumnValues for each of the columns, in their order, all with as many rows.
  // Errors: kDiskFull, kIo; nothing may follow then.
  Status write(std::span<const ColumnValues> columns);
  // Writes the footer. Only commit() may follow.
  Status finish();
  // Synced, renamed to its name, and the folder synced. After finish().
  Status commit();
  // Written so far.
  std::uint64_t bytes() const;

 private:
  struct State;
  explicit ParquetWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::codec
