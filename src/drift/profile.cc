#include "drift/profile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "json/json.h"

namespace millrace::drift {
namespace {

// The step-th of `steps` quantiles, a value of the data (the inverse of its distribution function).
double quantile_at(const std::vector<double>& sorted, std::size_t step, std::size_t steps) {
  const std::size_t rank = (step * sorted.size() + steps - 1) / steps;  // ceil(q n)
  return sorted[rank == 0 ? 0 : rank - 1];
}

std::vector<CdfPoint> grid_of(const std::vector<double>& sorted) {
  std::vector<CdfPoint> grid;
  const auto n = static_cast<double>(sorted.size());
  for (std::size_t step = 0; step <= kGridSteps; ++step) {
    const double value = quantile_at(sorted, step, kGridSteps);
    if (!grid.empty() && grid.back().value == value) continue;
    const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
    grid.push_back({value, static_cast<double>(low - sorted.begin()) / n,
                    static_cast<double>(high - sorted.begin()) / n});
  }
  return grid;
}

// Inner quantiles without repeats. The highest value is no edge, for nothing of the data lies above
// it; but the only value there is lies between two edges, so that others are seen.
std::vector<double> edges_of(const std::vector<double>& sorted) {
  if (sorted.front() == sorted.back()) {
    return {std::nextafter(sorted.front(), -std::numeric_limits<double>::infinity()),
            sorted.front()};
  }
  std::vector<double> edges;
  for (std::size_t step = 1; step < kBins; ++step) {
    const double edge = quantile_at(sorted, step, kBins);
    if (edge < sorted.back() && (edges.empty() || edges.back() < edge)) edges.push_back(edge);
  }
  // Nearly all are the highest value: what lies below is a bin.
  if (edges.empty()) {
    edges.push_back(*(std::lower_bound(sorted.begin(), sorted.end(), sorted.back()) - 1));
  }
  return edges;
}

void profile_numbers(ColumnProfile& profile, std::vector<double> values) {
  std::sort(values.begin(), values.end());  // sums do not depend on the order of rows
  const auto n = static_cast<double>(values.size());
  for (const double value : values) profile.mean += value / n;
  double variance = 0;
  for (const double value : values) variance += (value - profile.mean) * (value - profile.mean) / n;
  profile.std = values.front() == values.back() ? 0 : std::sqrt(variance);
  profile.min = values.front();
  profile.max = values.back();
  profile.grid = grid_of(values);
  profile.edges = edges_of(values);
}

json::Value grid_to_json(const std::vector<CdfPoint>& grid) {
  json::Value out = json::Value::array();
  for (const CdfPoint& point : grid) {
    out.push_back(json::Value::array({point.value, point.below, point.at_most}));
  }
  return out;
}

Result<std::vector<CdfPoint>> grid_from_json(const json::Value& value) {
  MILLRACE_ASSIGN(const auto rows, json::get<std::vector<std::vector<double>>>(value, "grid"));
  std::vector<CdfPoint> grid;
  for (const std::vector<double>& row : rows) {
    if (row.size() != 3 || (!grid.empty() && row[0] <= grid.back().value)) {
      return Error(ErrorCode::kBadData, "'grid' is no distribution function");
    }
    grid.push_back({row[0], row[1], row[2]});
  }
  return grid;
}

Status check_profile(const ColumnProfile& profile) {
  const bool numbers = profile.is_number();
  const std::size_t bins = numbers ? profile.edges.size() + 1 : profile.column.levels.size() + 1;
  const bool rising =
      std::adjacent_find(profile.edges.begin(), profile.edges.end(),
                         [](double a, double b) { return !(a < b); }) == profile.edges.end();
  double counted = 0;
  bool negative = false;
  for (const double count : profile.counts) {
    counted += count;
    negative = negative || count < 0;
  }
  const bool too_many = profile.grid.size() + profile.edges.size() > kPointsMax;
  if (profile.counts.size() != bins || !rising || negative || too_many ||
      counted != static_cast<double>(profile.count) || !(profile.std >= 0) ||
      profile.column.levels.size() > kLevelsMax ||
      !(profile.effective_share > 0 && profile.effective_share <= 1)) {
    return Error(ErrorCode::kBadData,
                 "the profile of column '" + profile.column.name + "' contradicts itself");
  }
  return {};
}

}  // namespace

double ColumnProfile::missing_share() const {
  const std::uint64_t all = count + missing;
  return all == 0 ? 0 : static_cast<double>(missing) / static_cast<double>(all);
}

std::size_t ColumnProfile::bin_of(double value) const {
  CHECK(!std::isnan(value));
  if (is_number()) {
    return static_cast<std::size_t>(std::lower_bound(edges.begin(), edges.end(), value) -
                                    edges.begin());
  }
  const auto levels = static_cast<double>(column.levels.size());
  if (!(value >= 0 && value < levels)) return column.levels.size();
  return static_cast<std::size_t>(value);
}

ColumnProfile profile_of(const ColumnSpec& column, std::span<const double> values) {
  CHECK(column.levels.size() <= kLevelsMax);
  ColumnProfile profile;
  profile.column = column;
  std::vector<double> there;
  std::vector<double> gaps(values.begin(), values.end());
  for (double& value : gaps) {
    if (std::isfinite(value)) {
      there.push_back(value);
    } else {
      value = std::numeric_limits<double>::quiet_NaN();
    }
  }
  profile.count = there.size();
  profile.missing = values.size() - there.size();
  if (profile.is_number() && !there.empty()) {
    profile.effective_share = effective_share(gaps);
    profile_numbers(profile, there);
  }
  profile.counts.resize(profile.is_number() ? profile.edges.size() + 1 : column.levels.size() + 1);
  for (const double value : there) ++profile.counts[profile.bin_of(value)];
  return profile;
}

json::Value ColumnProfile::to_json() const {
  json::Value out = {{"name", column.name}, {"count", count}, {"missing", missing}};
  if (!column.group.empty()) out["group"] = column.group;
  if (is_number()) {
    out["mean"] = mean;
    out["std"] = std;
    out["min"] = min;
    out["max"] = max;
    out["grid"] = grid_to_json(grid);
    out["edges"] = edges;
    out["effective_share"] = effective_share;
  } else {
    out["levels"] = column.levels;
  }
  out["counts"] = counts;
  return out;
}

Result<ColumnProfile> ColumnProfile::from_json(const json::Value& value) {
  ColumnProfile out;
  MILLRACE_ASSIGN(out.column.name, json::get<std::string>(value, "name"));
  MILLRACE_ASSIGN(out.count, json::get<std::uint64_t>(value, "count"));
  MILLRACE_ASSIGN(out.missing, json::get<std::uint64_t>(value, "missing"));
  if (value.contains("group")) {
    MILLRACE_ASSIGN(out.column.group, json::get<std::string>(value, "group"));
  }
  if (value.contains("levels")) {
    MILLRACE_ASSIGN(out.column.levels, json::get<std::vector<std::string>>(value, "levels"));
  } else {
    MILLRACE_ASSIGN(out.mean, json::get<double>(value, "mean"));
    MILLRACE_ASSIGN(out.std, json::get<double>(value, "std"));
    MILLRACE_ASSIGN(out.min, json::get<double>(value, "min"));
    MILLRACE_ASSIGN(out.max, json::get<double>(value, "max"));
    MILLRACE_ASSIGN(out.grid, grid_from_json(value));
    MILLRACE_ASSIGN(out.edges, json::get<std::vector<double>>(value, "edges"));
    MILLRACE_ASSIGN(out.effective_share, json::get<double>(value, "effective_share"));
  }
  MILLRACE_ASSIGN(out.counts, json::get<std::vector<double>>(value, "counts"));
  MILLRACE_TRY(check_profile(out));
  return out;
}

}  // namespace millrace::drift
