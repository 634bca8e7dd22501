// Where produced records come from: one interface for files, lines, samples and the simulator.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "data/record_error.h"

namespace millrace::ingest {

// One record, ready to be appended, or a bad row. Views live until the next call of the source.
struct SourceRow {
  RowNumber row;          // bad rows counted
  std::int64_t line = 0;  // for messages
  std::string_view value;
  std::optional<std::string_view> key;
  std::optional<Timestamp> event_time;  // the record's own; without it the time of sending counts
  std::string problem;                  // not empty: a bad row, and why
};

// Not thread-safe. `stamp` below is the time of sending as text, for records without an event time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // The next record, or false at the end.
  virtual Result<bool> next(std::string_view stamp, SourceRow& row) = 0;
  // Skips to `row`, where the source has an order to return to.
  virtual Status skip_to(RowNumber row) = 0;
  virtual std::uint64_t bytes_read() const { return 0; }
  virtual std::uint64_t bytes_total() const { return 0; }
};

// The errors of a row as one line.
std::string problem_of(const data::RecordErrors& errors);

}  // namespace millrace::ingest
