#include "codec/internal/derived_columns.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "codec/internal/decimal.h"
#include "env/clock.h"

namespace millrace::codec::internal {
namespace {

// When so many times at the start of a file do not fit, the format is wrong, not the rows.
constexpr std::size_t kUnreadableAtStartMax = 10;
constexpr std::size_t kShownMax = 60;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

// The format with day and month the other way round.
std::string with_swapped_days(std::string format) {
  const std::size_t day = format.find("%d");
  const std::size_t month = format.find("%m");
  if (day == std::string::npos || month == std::string::npos) return format;
  std::swap(format[day + 1], format[month + 1]);
  return format;
}

// What a file may be written in that `format` does not fit: day and month swapped, other marks
// within the time of day, the usual order.
std::vector<env::TimeFormat> likely_formats(const std::string& format) {
  constexpr std::string_view kDots = "%H.%M.%S";
  constexpr std::string_view kColons = "%H:%M:%S";
  const bool dots = format.find(kDots) != std::string::npos;
  const std::string other = replaced(format, dots ? kDots : kColons, dots ? kColons : kDots);
  std::vector<env::TimeFormat> formats;
  for (const std::string& candidate :
       {with_swapped_days(format), other, with_swapped_days(other), std::string("%F %T")}) {
    const bool known = candidate == format ||
                       std::any_of(formats.begin(), formats.end(),
                                   [&](const auto& one) { return one.text() == candidate; });
    if (known) continue;
    if (auto parsed = env::TimeFormat::parse(candidate)) formats.push_back(std::move(*parsed));
  }
  return formats;
}

std::string set_format(const std::string& format) {
  return "--set csv.timestamp.format='" + format + "'";
}

// "1 h", "90 min": for messages, the largest unit that fits.
std::string span_text(std::int64_t ms) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {
      {86'400'000, " d"}, {3'600'000, " h"}, {60'000, " min"}, {1000, " s"}};
  for (const auto& [size, name] : kUnits) {
    if (ms != 0 && ms % size == 0) return std::to_string(ms / size) + name;
  }
  return std::to_string(ms) + " ms";
}

}  // namespace

Result<TimeColumn> TimeColumn::make(const CsvTimestamp& rule, const std::vector<std::size_t>& cells,
                                    const std::string& file) {
  auto format = env::TimeFormat::parse(rule.format);
  if (!format)
    return Error(ErrorCode::kBadData, "csv.timestamp.format: " + format.error().message());
  TimeColumn column(rule, std::move(*format));
  column.others_ = likely_formats(rule.format);
  const std::string swapped = with_swapped_days(rule.format);
  if (swapped != rule.format) {
    if (auto parsed = env::TimeFormat::parse(swapped)) column.swapped_ = std::move(*parsed);
  }
  column.cells_ = cells;
  column.file_ = file;
  return column;
}

Status TimeColumn::read(TableRow& row) {
  joined_.clear();
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (i > 0) joined_ += ' ';
    joined_ += trimmed(row.cells[cells_[i]]);
  }
  const auto time = format_.read(joined_);
  if (!time) [[unlikely]]
    return unreadable(row);
  if (rule_.step.count() > 0 && last_) MILLRACE_TRY(check_order(row, *time));
  env::format_rfc3339(*time, text_.data());
  last_ = time;
  if (rule_.step.count() > 0) {
    last_joined_ = joined_;
    last_line_ = row.line;
  }
  return {};
}

Status TimeColumn::unreadable(TableRow& row) {
  const std::string shown = "'" + printable(joined_, kShownMax) + "'";
  const std::string misfit = shown + " does not fit csv.timestamp.format '" + rule_.format + "'";
  // In a file of ordered rows the dates before this one may have been misread as well.
  if (!last_ || rule_.step.count() > 0) {
    std::string readings;
    for (const env::TimeFormat& other : others_) {
      const auto time = other.read(joined_);
      if (!time) continue;
      readings += (readings.empty() ? "; it is " : ", or ") + env::format_rfc3339(*time) + " by " +
                  set_format(other.text());
    }
    if (!readings.empty()) return wrong(row, misfit + readings + ".");
  }
  if (!last_ && ++unreadable_ >= kUnreadableAtStartMax) {
    return wrong(row, misfit + ", and neither does any row before it. State the file's format: " +
                          set_format("...") + ".");
  }
  std::string columns;
  for (const std::string& name : rule_.columns) columns += (columns.empty() ? "" : " ") + name;
  row.errors.push_back({data::RecordCode::kBadTime, columns, misfit});
  return {};
}

// Times must rise by whole steps. Where day and month could be either, the reading that keeps the
// order is named; that one is also suspected where this one leaves a gap and the other none.
Status TimeColumn::check_order(const TableRow& row, Timestamp time) const {
  const std::int64_t step = rule_.step.count();
  const std::int64_t gap = time.value() - last_->value();
  if (gap == step) [[likely]]
    return {};
  const Timestamp other = swapped_reading(joined_, time);
  const bool either_way = other != time;
  const bool other_fits =
      either_way && other.value() - swapped_reading(last_joined_, *last_).value() == step;
  if (gap > 0 && gap % step == 0 && !other_fits) return {};
  const std::string before =
      " the row before it (line " + std::to_string(last_line_) + ", '" + last_joined_ + "')";
  std::string what = "'" + joined_ + "' is " + env::format_rfc3339(time) +
                     " by csv.timestamp.format '" + rule_.format + "', ";
  if (gap == 0) {
    what += "the same time as" + before;
  } else {
    what += span_text(std::abs(gap)) + (gap > 0 ? " after" : " before") + before;
  }
  if (gap % step != 0) what += ", no multiple of csv.timestamp.step " + span_text(step);
  if (either_way) {
    what += "; read as '" + swapped_->text() + "' it is " + env::format_rfc3339(other) +
            (other_fits ? ", which goes on without a gap" : "") +
            ". If the file is written so: " + set_format(swapped_->text()) + ".";
  }
  if (!other_fits) {
    what += std::string(either_way ? " Else put" : ". Put") +
            " the rows in order, or state another csv.timestamp.step (0s: any order).";
  } else if (gap > 0) {
    what += " If the gap is real: --set csv.timestamp.step=0s.";
  }
  return wrong(row, what);
}

// What the other order of day and month makes of a text, `stated` where it makes nothing.
Timestamp TimeColumn::swapped_reading(std::string_view text, Timestamp stated) const {
  if (!swapped_) return stated;
  return swapped_->read(text).value_or(stated);
}

Error TimeColumn::wrong(const TableRow& row, const std::string& what) const {
  return {ErrorCode::kBadData, file_ + " line " + std::to_string(row.line) + ": " + what};
}

Result<DerivedColumns> DerivedColumns::make(const CsvDialect& dialect, const CsvColumns& columns,
                                            const std::string& file) {
  DerivedColumns derived;
  if (dialect.timestamp) {
    MILLRACE_ASSIGN(derived.time_, TimeColumn::make(*dialect.timestamp, columns.time, file));
  }
  for (const auto& [name, text] : dialect.constants) derived.constants_.push_back(text);
  return derived;
}

}  // namespace millrace::codec::internal
