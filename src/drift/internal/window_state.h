// What is kept of the records of one window, and what it says beside the reference.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "drift/quantile_sketch.h"
#include "drift/reference.h"

namespace millrace::drift::internal {

struct OffsetSpan {
  Offset first;
  Offset last;
};

// Constant memory: a sketch, bins and sums a column. Not thread-safe. Every call is given the
// reference it was made for.
class WindowState {
 public:
  WindowState() = default;
  explicit WindowState(const Reference& reference);

  // One value a column; what is not finite is missing.
  void add(const Reference& reference, std::span<const double> row);
  void clear();

  std::uint64_t records() const { return records_; }
  // Values there are of a column.
  std::uint64_t count(std::size_t column) const { return columns_.at(column).count; }
  // Mean of a number column, in standard deviations from the reference's.
  double shift(const Reference& reference, std::size_t column) const;
  const QuantileSketch& sketch(std::size_t column) const { return columns_.at(column).sketch; }

  // All statistics of all columns.
  std::vector<Values> compare(const Reference& reference) const;

  json::Value to_json() const;
  static Result<WindowState> from_json(const Reference& reference, const json::Value& value);

 private:
  struct Column {
    QuantileSketch sketch;
    std::vector<double> bins;  // counts
    double sum = 0;            // of differences to the reference's mean
    std::uint64_t count = 0;
  };
  void compare_distribution(const Reference& reference, std::size_t column, Values& out) const;
  bool can_relate(const Reference& reference, std::size_t column) const;

  std::vector<Column> columns_;
  std::uint64_t records_ = 0;
};

// A shift of one column moves what the others' relations say too. Finds the columns whose shift
// explains the others': keeps their value and puts what is left of the others' in its place.
void attribute_relations(const Reference& reference, const WindowState& window,
                         std::vector<Values>& values);

}  // namespace millrace::drift::internal
