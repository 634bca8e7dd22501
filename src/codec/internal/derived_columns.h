// The cells of a row that no column of the file holds: a time made of others, and constants.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/internal/csv_header.h"
#include "codec/table_reader.h"
#include "env/time_format.h"

namespace millrace::codec::internal {

// The dialect's timestamp, row by row. Not thread-safe.
class TimeColumn {
 public:
  // `file` starts messages. Errors: kBadData for a format that is none.
  static Result<TimeColumn> make(const CsvTimestamp& rule, const std::vector<std::size_t>& cells,
                                 const std::string& file);

  // Makes text() of the cells of the file, in file order; a time that does not fit is an error of
  // the row. Errors: kBadData, of the whole file: the order is broken, or another format reads what
  // this one does not, or no time at the start of the file fits.
  Status read(TableRow& row);
  // RFC 3339 in UTC with milliseconds, of the last good row; lives as long as this.
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  TimeColumn(CsvTimestamp rule, env::TimeFormat format)
      : rule_(std::move(rule)), format_(std::move(format)) {}
  Status unreadable(TableRow& row);
  Status check_order(const TableRow& row, Timestamp time) const;
  Timestamp swapped_reading(std::string_view text, Timestamp stated) const;
  Error wrong(const TableRow& row, const std::string& what) const;

  CsvTimestamp rule_;
  env::TimeFormat format_;
  std::optional<env::TimeFormat> swapped_;  // day and month the other way round
  std::vector<env::TimeFormat> others_;     // formats that the file may be written in instead
  std::vector<std::size_t> cells_;
  std::string file_;
  std::optional<Timestamp> last_;
  std::string last_joined_;
  std::int64_t last_line_ = 0;
  std::size_t unreadable_ = 0;  // rows before the first readable one
  std::string joined_;          // of this row
  std::array<char, 24> text_{};
};

// Not thread-safe. append() after read() of the same row.
class DerivedColumns {
 public:
  // None.
  DerivedColumns() = default;
  // Errors: as TimeColumn::make().
  static Result<DerivedColumns> make(const CsvDialect& dialect, const CsvColumns& columns,
                                     const std::string& file);

  // Errors: as TimeColumn::read().
  Status read(TableRow& row) { return time_ ? time_->read(row) : Status(); }
  // Adds the cells that belong to the last of CsvColumns::names. Views live until the next read().
  void append(std::vector<std::string_view>& cells) const {
    if (time_) cells.push_back(time_->text());
    for (const std::string& text : constants_) cells.push_back(text);
  }

 private:
  std::optional<TimeColumn> time_;
  std::vector<std::string> constants_;
};

}  // namespace millrace::codec::internal
