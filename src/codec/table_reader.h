// Rows of a CSV, NDJSON or Parquet file (or standard input), one at a time, with line numbers; to
// cells for training and scoring of files, and to JSON messages for produce. A bad row is reported
// with its line and skipped by the caller; reading goes on behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "data/cell.h"
#include "data/record_error.h"
#include "data/schema.h"
#include "env/file.h"
#include "env/stop.h"

namespace millrace::codec {

// A field that is a time written in one or more columns of the file. Rows get it as RFC 3339 text
// in UTC with milliseconds, and the columns are none of their own any more.
struct CsvTimestamp {
  std::string field;
  std::vector<std::string> columns;  // names in the file; their cells are joined by a blank
  std::string format;                // as env::TimeFormat reads it; taken as UTC
  // Not zero: times must rise row by row in whole multiples of it. What breaks this order ends the
  // reading (kBadData), since the dates of the whole file are in doubt then.
  Milliseconds step{0};
};

// How a CSV is written. Stated, never guessed. Defaults are RFC 4180 with a header row; LF, CRLF
// both end lines.
struct CsvDialect {
  char separator = ',';
  char quote = '"';
  bool decimal_comma = false;
  bool header = true;                       // without: columns are the schema's fields in order
  std::vector<std::string> ignore_columns;  // by name; "" is an unnamed (index) column
  bool drop_empty_trailing_columns = false;
  bool drop_empty_rows = true;                              // rows whose every cell is empty
  std::vector<std::pair<std::string, std::string>> rename;  // column in the file -> field
  std::optional<CsvTimestamp> timestamp;
  // Field -> text that every row has as its cell, in files without such a column.
  std::vector<std::pair<std::string, std::string>> constants;
  std::size_t field_bytes_max = std::size_t{1} << 20;
  std::size_t row_bytes_max = std::size_t{8} << 20;
};

// kRaw: each line as it is, whatever it holds. LF ends a line, a CR belongs to it, an empty line is
// a row, nothing is checked but row_bytes_max. kParquet: cells as a CSV would have them: numbers as
// the shortest text that reads back the same, times as RFC 3339 in UTC with milliseconds, true and
// false, nulls and NaN as empty cells; of the dialect, names and limits count, and decimal_comma.
enum class TableFormat { kCsv, kNdjson, kRaw, kParquet };

// By the name's ending (.csv; .ndjson, .jsonl, .json; .parquet); "-" and unknown endings: CSV.
TableFormat format_of_path(std::string_view path);

// Whether rows of the format are cells in columns with names.
inline bool has_columns(TableFormat format) {
  return format == TableFormat::kCsv || format == TableFormat::kParquet;
}

// One row of a file. Views live until the next read.
struct TableRow {
  RowNumber row;          // from 0, header not counted, bad rows counted
  std::int64_t line = 0;  // where the row starts, from 1; of Parquet, the row
  std::string_view raw;   // the row's bytes without its line end (quoted line breaks inside stay);
                          // of Parquet, its cells with commas between
  std::vector<std::string_view>
      cells;  // CSV, Parquet: unquoted, in the order of TableReader::columns(); others and bad
              // rows: empty (those of the dialect's timestamp and constants are last)
  data::RecordErrors errors;  // structure: column count, quoting, size, invalid UTF-8, not JSON.
                              // Not empty: bad row
};

// Not thread-safe. Reads in blocks; memory is bounded by the limits, not by the file.
class TableReader {
 public:
  // `path` "-" is standard input, whose first byte tells CSV from NDJSON ('{'): format() then says
  // which. Opens and reads the header. Errors: kNoInput, kPermission, kIo;
  // kBadData for a header with duplicate columns, an empty file, or a wrong dialect (one column
  // where the schema has many: says which separator the line seems to have), or a CSV without a
  // column that the schema requires (the label is never required here) or the dialect names. With
  // `stop`, waiting for a pipe or a terminal ends with kInterrupted; `stop` must outlive the
  // reader. Parquet: kNotBuilt where this build cannot read it, kBadData for a damaged file, kUsage
  // for "-".
  static Result<TableReader> open(const std::string& path, TableFormat format,
                                  const CsvDialect& dialect, const data::Schema& schema,
                                  const env::StopToken* stop = nullptr);
  TableReader(TableReader&&) noexcept;
  TableReader& operator=(TableReader&&) noexcept;
  ~TableReader();

  TableFormat format() const;
  // Names of the columns after ignoring and renaming, and those that the dialect adds; empty for
  // NDJSON.
  const std::vector<std::string>& columns() const;
  // The next row, or nullopt at the end. Errors: kIo and kInterrupted; kBadData where times show
  // that the dialect is wrong for the whole file, and for a Parquet file that turns out to be
  // damaged. Bad rows are rows with errors.
  Result<std::optional<TableRow>> next();
  // The same into a row that is used again, without allocation: false at the end.
  Result<bool> read(TableRow& row);
  // Skips to `row`, so that next() returns it (resume). Never backwards.
  Status skip_to(RowNumber row);
  std::uint64_t bytes_read() const;
  // Size of the file, 0 when unknown (standard input).
  std::uint64_t bytes_total() const;

 private:
  struct State;
  explicit TableReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Rows of a table as JSON messages, by the rules of `produce`: a cell that parses as its declared
// type becomes that type; accept_text fields stay text as written; a cell that does not parse goes
// out as a string; other blanks are null; columns the schema does not name go out as strings.
// NDJSON rows pass unchanged.
class RowEncoder {
 public:
  RowEncoder(const data::Schema& schema, const std::vector<std::string>& columns,
             const CsvDialect& dialect);
  RowEncoder(RowEncoder&&) noexcept;
  RowEncoder& operator=(RowEncoder&&) noexcept;
  ~RowEncoder();
  // `row` must be a good one. Clears `out` and writes the object. `extra_field`/`extra_value`: one
  // more text field at the end (the stamped event time), when the name is not empty and no column
  // has it.
  void encode(const TableRow& row, std::string_view extra_field, std::string_view extra_value,
              std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::codec
