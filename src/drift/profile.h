// What one column of the training data looks like: kept in the model's manifest, and compared with
// windows of the stream.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "drift/statistics.h"
#include "json/fwd.h"

namespace millrace::drift {

// Steps of the quantile grid, and bins of psi and Jensen-Shannon; fewer where values repeat.
inline constexpr std::size_t kGridSteps = 64;
inline constexpr std::size_t kBins = 10;
// Quantiles and edges of one column together, at most; a manifest with more is refused.
inline constexpr std::size_t kPointsMax = 127;
// More levels than this are no category to watch (CHECK).
inline constexpr std::size_t kLevelsMax = 4096;

struct ColumnSpec {
  std::string name;
  // Columns of one group (made from the same field) never explain each other; "" = a group of its
  // own.
  std::string group;
  // Of a category, whose values are the level's position from 0. Empty: a number.
  std::vector<std::string> levels;
};

struct ColumnProfile {
  ColumnSpec column;
  std::uint64_t count = 0;  // values that are there
  std::uint64_t missing = 0;
  // Of numbers; std is of the population. 0 without a value.
  double mean = 0;
  double std = 0;
  double min = 0;
  double max = 0;
  std::vector<CdfPoint> grid;  // at the distinct ones among the 65 quantiles; numbers only
  std::vector<double> edges;   // of the bins, rising: bin i holds (edge i-1, edge i]; numbers only
  std::vector<double> counts;  // by bin: edges + 1 of numbers, levels + 1 (unknown) of categories
  double effective_share = 1;  // drift/statistics.h, in the order of the training data

  bool is_number() const { return column.levels.empty(); }
  double missing_share() const;
  // The bin of a value; NaN is none (CHECK).
  std::size_t bin_of(double value) const;

  json::Value to_json() const;
  // Errors: kBadData naming what is wrong.
  static Result<ColumnProfile> from_json(const json::Value& value);
};

// Of training data in its order. Values that are NaN or infinite are missing.
ColumnProfile profile_of(const ColumnSpec& column, std::span<const double> values);

}  // namespace millrace::drift
