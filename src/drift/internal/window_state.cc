#include "drift/internal/window_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace millrace::drift::internal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
// A distribution is told from so many values on.
constexpr std::uint64_t kValuesMin = 20;
// A relation needs so much of what the reference has of each of its columns.
constexpr double kObservedMin = 0.5;
constexpr auto kRelation = static_cast<std::size_t>(Statistic::kRelationShift);

double& of(Values& values, Statistic statistic) {
  return values.at(static_cast<std::size_t>(statistic));
}

}  // namespace

CellTable::CellTable(const Reference& reference) : begins_{0} {
  for (const ReferenceColumn& column : reference.columns) {
    columns_.emplace_back(column.profile);
    begins_.push_back(begins_.back() + columns_.back().size());
  }
}

namespace {

// Of the rows that wait, in doubles: whole cache lines, and an odd number of them, so that a
// column's values do not all fall into the same few sets of the cache.
std::size_t stride(std::size_t columns) {
  constexpr std::size_t kLine = 64 / sizeof(double);
  const std::size_t lines = (columns + kLine - 1) / kLine;
  return (lines | 1) * kLine;
}

}  // namespace

WindowState::WindowState(std::shared_ptr<const CellTable> table)
    : table_(std::move(table)), cells_(table_->cells()), sums_(table_->columns()) {}

void WindowState::begin_row() {
  if (waiting_.capacity() == 0) waiting_.reserve(kRowsWaiting * stride(sums_.size()));
  ++records_;
}

void WindowState::end_row() {
  const std::size_t row = stride(sums_.size());
  waiting_.resize((waiting_.size() + row - 1) / row * row);
  if (waiting_.size() == kRowsWaiting * row) settle();
}

void WindowState::add(std::span<const double> row) {
  CHECK(row.size() == sums_.size());
  begin_row();
  waiting_.insert(waiting_.end(), row.begin(), row.end());
  end_row();
}

void WindowState::add(std::span<const double> row, double last) {
  CHECK(row.size() + 1 == sums_.size());
  begin_row();
  waiting_.insert(waiting_.end(), row.begin(), row.end());
  waiting_.push_back(last);
  end_row();
}

void WindowState::settle() {
  if (waiting_.empty()) return;
  const std::size_t row = stride(sums_.size());
  const std::size_t rows = waiting_.size() / row;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    table_->column(i).count({waiting_.data() + i, row, rows},
                            table_->of(i, std::span<std::uint64_t>(cells_)), sums_[i]);
  }
  waiting_.clear();
}

void WindowState::clear() {
  records_ = 0;
  std::fill(cells_.begin(), cells_.end(), 0);
  std::fill(sums_.begin(), sums_.end(), 0);
  waiting_.clear();
}

std::span<const std::uint64_t> WindowState::cells_of(std::size_t column) const {
  CHECK(waiting_.empty());
  return table_->of(column, std::span<const std::uint64_t>(cells_));
}

std::uint64_t WindowState::count(std::size_t column) const {
  return records_ - cells_of(column).back();
}

double WindowState::shift(const Reference& reference, std::size_t column) const {
  const ColumnProfile& profile = reference.columns.at(column).profile;
  const std::uint64_t values = count(column);
  if (!profile.is_number() || !(profile.std > 0) || values < kValuesMin) return kUnknown;
  return sums_.at(column) / static_cast<double>(values) / profile.std;
}

void WindowState::compare_distribution(const Reference& reference, std::size_t column,
                                       Values& out) const {
  const ColumnProfile& profile = reference.columns[column].profile;
  if (count(column) < kValuesMin || profile.count == 0) return;
  const std::span<const std::uint64_t> cells = cells_of(column);
  const std::vector<double> bins = table_->column(column).bins(cells);
  of(out, Statistic::kPsi) = population_stability_index(profile.counts, bins);
  of(out, Statistic::kJensenShannon) = jensen_shannon(profile.counts, bins);
  if (!profile.is_number()) return;
  of(out, Statistic::kKs) = table_->column(column).ks_distance(cells);
  of(out, Statistic::kMeanShift) = shift(reference, column);
}

bool WindowState::can_relate(const Reference& reference, std::size_t column) const {
  const double expected =
      (1 - reference.columns[column].profile.missing_share()) * static_cast<double>(records_);
  const std::uint64_t values = count(column);
  return values >= kValuesMin && static_cast<double>(values) >= kObservedMin * expected;
}

std::vector<Values> WindowState::compare(const Reference& reference) const {
  Values unknown;
  unknown.fill(kUnknown);
  std::vector<Values> all(sums_.size(), unknown);
  if (records_ == 0) return all;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    // In training rows have a score only where a model had not seen them.
    const bool is_score = reference.has_score && i + 1 == sums_.size();
    if (!is_score) {
      const double missing =
          static_cast<double>(records_ - count(i)) / static_cast<double>(records_);
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

void WindowState::save(ByteWriter& out) const {
  CHECK(waiting_.empty());
  out.number(records_);
  for (const double sum : sums_) out.real(sum);
  out.numbers(cells_);
}

Result<WindowState> WindowState::read(std::shared_ptr<const CellTable> table, ByteReader& in) {
  WindowState out(std::move(table));
  MILLRACE_ASSIGN(out.records_, in.number());
  for (double& sum : out.sums_) {
    MILLRACE_ASSIGN(sum, in.real());
  }
  MILLRACE_TRY(in.numbers(out.cells_));
  for (std::size_t i = 0; i < out.sums_.size(); ++i) {
    std::uint64_t counted = 0;
    for (const std::uint64_t count : out.cells_of(i)) counted += count;
    if (counted != out.records_) {
      return Error(ErrorCode::kBadData, "a window of a drift state that contradicts itself");
    }
  }
  return out;
}

}  // namespace millrace::drift::internal
