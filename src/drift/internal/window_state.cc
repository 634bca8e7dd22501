#include "drift/internal/window_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "json/json.h"

namespace millrace::drift::internal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
// A distribution is told from so many values on.
constexpr std::uint64_t kValuesMin = 20;
// A relation needs so much of what the reference has of each of its columns.
constexpr double kObservedMin = 0.5;
// In standard deviations: a value farther away counts as this far, so that sums stay finite.
constexpr double kFarthest = 1e6;
constexpr auto kRelation = static_cast<std::size_t>(Statistic::kRelationShift);

double& of(Values& values, Statistic statistic) {
  return values.at(static_cast<std::size_t>(statistic));
}

}  // namespace

WindowState::WindowState(const Reference& reference) : columns_(reference.columns.size()) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].bins.resize(reference.columns[i].profile.counts.size());
  }
}

void WindowState::add(const Reference& reference, std::span<const double> row) {
  CHECK(row.size() == columns_.size());
  ++records_;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double value = row[i];
    if (!std::isfinite(value)) continue;
    Column& column = columns_[i];
    const ColumnProfile& profile = reference.columns[i].profile;
    ++column.count;
    ++column.bins[profile.bin_of(value)];
    if (!profile.is_number()) continue;
    const double far = kFarthest * profile.std;
    column.sum += std::clamp(value - profile.mean, -far, far);
    column.sketch.add(value);
  }
}

void WindowState::clear() {
  records_ = 0;
  for (Column& column : columns_) {
    column.sketch.clear();
    std::fill(column.bins.begin(), column.bins.end(), 0);
    column.sum = 0;
    column.count = 0;
  }
}

double WindowState::shift(const Reference& reference, std::size_t column) const {
  const ColumnProfile& profile = reference.columns.at(column).profile;
  const Column& its = columns_.at(column);
  if (!profile.is_number() || !(profile.std > 0) || its.count < kValuesMin) return kUnknown;
  return its.sum / static_cast<double>(its.count) / profile.std;
}

void WindowState::compare_distribution(const Reference& reference, std::size_t column,
                                       Values& out) const {
  const ColumnProfile& profile = reference.columns[column].profile;
  const Column& its = columns_[column];
  if (its.count < kValuesMin || profile.count == 0) return;
  of(out, Statistic::kPsi) = population_stability_index(profile.counts, its.bins);
  of(out, Statistic::kJensenShannon) = jensen_shannon(profile.counts, its.bins);
  if (!profile.is_number()) return;
  of(out, Statistic::kKs) = ks_distance(profile.grid, its.sketch);
  of(out, Statistic::kMeanShift) = shift(reference, column);
}

bool WindowState::can_relate(const Reference& reference, std::size_t column) const {
  const double expected =
      (1 - reference.columns[column].profile.missing_share()) * static_cast<double>(records_);
  return columns_[column].count >= kValuesMin &&
         static_cast<double>(columns_[column].count) >= kObservedMin * expected;
}

std::vector<Values> WindowState::compare(const Reference& reference) const {
  Values unknown;
  unknown.fill(kUnknown);
  std::vector<Values> all(columns_.size(), unknown);
  if (records_ == 0) return all;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    // In training rows have a score only where a model had not seen them.
    const bool is_score = reference.has_score && i + 1 == columns_.size();
    if (!is_score) {
      const double missing =
          static_cast<double>(records_ - columns_[i].count) / static_cast<double>(records_);
      of(all[i], Statistic::kMissingShare) = missing - reference.columns[i].profile.missing_share();
    }
    compare_distribution(reference, i, all[i]);
    const Relation& relation = reference.columns[i].relation;
    bool known = !relation.predictors.empty() && can_relate(reference, i);
    double told = 0;
    for (std::size_t p = 0; known && p < relation.predictors.size(); ++p) {
      const std::size_t other = relation.predictors[p];
      known = can_relate(reference, other);
      if (known) told += relation.weights[p] * shift(reference, other);
    }
    if (known) all[i].at(kRelation) = shift(reference, i) - told;
  }
  return all;
}

namespace {

// Relation shifts with one column's taken as a real shift and removed from all.
std::vector<double> without(const Reference& reference, const std::vector<double>& shifts,
                            std::size_t cause) {
  std::vector<double> left = shifts;
  left[cause] = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const Relation& relation = reference.columns[i].relation;
    if (i == cause || std::isnan(left[i])) continue;
    for (std::size_t p = 0; p < relation.predictors.size(); ++p) {
      if (relation.predictors[p] == cause) left[i] += relation.weights[p] * shifts[cause];
    }
  }
  return left;
}

}  // namespace

void attribute_relations(const Reference& reference, const WindowState& window,
                         std::vector<Values>& values) {
  std::vector<double> shifts;
  std::vector<Band> bands;
  for (std::size_t i = 0; i < values.size(); ++i) {
    shifts.push_back(values[i].at(kRelation));
    bands.push_back(
        reference.threshold(i, Statistic::kRelationShift, window.records(), window.count(i)));
  }
  std::vector<bool> explained(values.size(), false);
  for (std::size_t round = 0; round < values.size(); ++round) {
    // The cause is the column without whose shift the least is left.
    double least = std::numeric_limits<double>::infinity();
    std::size_t cause = values.size();
    std::vector<double> rest;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (explained[i] || exceedance(shifts[i], bands[i]) <= 1) continue;
      std::vector<double> left = without(reference, shifts, i);
      double worst = 0;
      for (std::size_t j = 0; j < left.size(); ++j) {
        if (!explained[j]) worst = std::max(worst, exceedance(left[j], bands[j]));
      }
      if (worst >= least) continue;
      least = worst;
      cause = i;
      rest = std::move(left);
    }
    if (cause == values.size()) break;
    explained[cause] = true;
    values[cause].at(kRelation) = shifts[cause];
    shifts = std::move(rest);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!explained[i]) values[i].at(kRelation) = shifts[i];
  }
}

json::Value WindowState::to_json() const {
  json::Value all = json::Value::array();
  for (const Column& column : columns_) {
    all.push_back({{"count", column.count},
                   {"sum", column.sum},
                   {"bins", column.bins},
                   {"sketch", column.sketch.to_json()}});
  }
  return {{"records", records_}, {"columns", std::move(all)}};
}

Result<WindowState> WindowState::from_json(const Reference& reference, const json::Value& value) {
  WindowState out(reference);
  MILLRACE_ASSIGN(out.records_, json::get<std::uint64_t>(value, "records"));
  MILLRACE_ASSIGN(const auto columns, json::get<json::Value>(value, "columns"));
  if (!columns.is_array() || columns.size() != out.columns_.size()) {
    return Error(ErrorCode::kBadData, "a window of other columns than the reference");
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Column& column = out.columns_[i];
    const std::size_t bins = column.bins.size();
    MILLRACE_ASSIGN(column.count, json::get<std::uint64_t>(columns[i], "count"));
    MILLRACE_ASSIGN(column.sum, json::get<double>(columns[i], "sum"));
    MILLRACE_ASSIGN(column.bins, json::get<std::vector<double>>(columns[i], "bins"));
    MILLRACE_ASSIGN(const auto sketch, json::get<json::Value>(columns[i], "sketch"));
    MILLRACE_ASSIGN(column.sketch, QuantileSketch::from_json(sketch));
    double counted = 0;
    for (const double count : column.bins) counted += count;
    const bool sketched = reference.columns[i].profile.is_number();
    if (column.bins.size() != bins || column.count > out.records_ ||
        column.sketch.count() != (sketched ? column.count : 0) ||
        counted != static_cast<double>(column.count)) {
      return Error(ErrorCode::kBadData, "a window that contradicts itself");
    }
  }
  return out;
}

}  // namespace millrace::drift::internal
