// Rows of a Parquet file as the cells of a table, as if it were a CSV: TableReader's part for
// Parquet.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/table_reader.h"

namespace millrace::codec::internal {

// Not thread-safe. Memory is bounded by a page of each column and some thousand rows.
class ParquetRows {
 public:
  // Of the dialect, ignore_columns, rename, decimal_comma (how numbers are written) and the limits
  // count. Errors: as parquet_available() and TableReader::open(); kBadData for a file that is none
  // or damaged, and for a column of columns that is not ignored.
  static Result<ParquetRows> open(const std::string& path, const CsvDialect& dialect,
                                  const data::Schema& schema);
  ParquetRows(ParquetRows&&) noexcept;
  ParquetRows& operator=(ParquetRows&&) noexcept;
  ~ParquetRows();

  const std::vector<std::string>& columns() const;
  // False at the end. `line` counts rows from 1. Views live until the next call. Errors: kIo,
  // kBadData where the file turns out to be damaged.
  Result<bool> read(TableRow& row);
  std::uint64_t bytes_read() const;
  std::uint64_t bytes_total() const;

 private:
  struct State;
  explicit ParquetRows(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::codec::internal
