#include "drift/cells.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace millrace::drift {
namespace {

// In standard deviations: a value farther away counts as this far, so that sums stay finite.
constexpr double kFarthest = 1e6;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// How many of 2^kSteps - 1 rising points lie below the value, found without a branch that depends
// on it: a wrong guess would cost more than the search. Values that follow do not wait for it.
template <unsigned kSteps>
std::size_t points_below(const double* points, double value) {
  if constexpr (kSteps == 0) {
    return 0;
  } else {
    constexpr std::size_t kHalf = std::size_t{1} << (kSteps - 1);
    const std::size_t skipped = static_cast<std::size_t>(points[kHalf - 1] < value) << (kSteps - 1);
    return skipped + points_below<kSteps - 1>(points + skipped, value);
  }
}

}  // namespace

ColumnCells::ColumnCells(const ColumnProfile& profile)
    : mean_(profile.mean), farthest_(kFarthest * profile.std) {
  if (!profile.is_number()) {
    size_ = profile.column.levels.size() + 2;
    return;
  }
  points_ = profile.edges;
  for (const CdfPoint& point : profile.grid) points_.push_back(point.value);
  std::sort(points_.begin(), points_.end());
  points_.erase(std::unique(points_.begin(), points_.end()), points_.end());
  CHECK(points_.size() <= kPointsMax);
  size_ = 2 * points_.size() + 2;
  const auto place = [this](double value) {
    return static_cast<std::size_t>(std::lower_bound(points_.begin(), points_.end(), value) -
                                    points_.begin());
  };
  // The edge itself belongs to the bin below it.
  for (const double edge : profile.edges) bin_ends_.push_back(2 * place(edge) + 2);
  for (const CdfPoint& point : profile.grid)
    grid_.push_back({place(point.value), point.below, point.at_most});
  while ((std::size_t{1} << steps_) <= points_.size()) ++steps_;
  points_.resize(std::size_t{1} << steps_, kInfinity);
}

template <unsigned kSteps>
void ColumnCells::count_numbers(const Block& values, std::uint64_t* cells, double& sum) const {
  const double* const points = points_.data();
  const std::size_t missing = size_ - 1;
  const double mean = mean_;
  const double farthest = farthest_;
  double total = sum;
  for (std::size_t row = 0; row < values.rows; ++row) {
    const double value = values.first[row * values.stride];
    const std::size_t below = points_below<kSteps>(points, value);
    const bool there = std::abs(value) < kInfinity;  // false of NaN
    const std::size_t cell = 2 * below + (points[below] == value ? 1 : 0);
    ++cells[there ? cell : missing];
    const double difference = std::max(-farthest, std::min(value - mean, farthest));
    total += there ? difference : 0;
  }
  sum = total;
}

void ColumnCells::count_levels(const Block& values, std::span<std::uint64_t> cells) const {
  const auto levels = static_cast<double>(size_ - 2);
  for (std::size_t row = 0; row < values.rows; ++row) {
    const double value = values.first[row * values.stride];
    if (!std::isfinite(value)) {
      ++cells.back();
    } else {
      ++cells[value >= 0 && value < levels ? static_cast<std::size_t>(value) : size_ - 2];
    }
  }
}

void ColumnCells::count(const Block& values, std::span<std::uint64_t> cells, double& sum) const {
  CHECK(cells.size() == size_);
  // clang-format off
  switch (steps_) {
    case 0: return points_.empty() ? count_levels(values, cells)
                                   : count_numbers<0>(values, cells.data(), sum);
    case 1: return count_numbers<1>(values, cells.data(), sum);
    case 2: return count_numbers<2>(values, cells.data(), sum);
    case 3: return count_numbers<3>(values, cells.data(), sum);
    case 4: return count_numbers<4>(values, cells.data(), sum);
    case 5: return count_numbers<5>(values, cells.data(), sum);
    case 6: return count_numbers<6>(values, cells.data(), sum);
    default: return count_numbers<7>(values, cells.data(), sum);
  }
  // clang-format on
}

std::vector<double> ColumnCells::bins(std::span<const std::uint64_t> cells) const {
  CHECK(cells.size() == size_);
  std::vector<double> bins;
  if (points_.empty()) {
    for (const std::uint64_t count : cells.first(size_ - 1))
      bins.push_back(static_cast<double>(count));
    return bins;
  }
  std::size_t at = 0;
  const auto up_to = [&](std::size_t end) {
    std::uint64_t count = 0;
    for (; at < end; ++at) count += cells[at];
    bins.push_back(static_cast<double>(count));
  };
  for (const std::size_t end : bin_ends_) up_to(end);
  up_to(size_ - 1);
  return bins;
}

double ColumnCells::ks_distance(std::span<const std::uint64_t> cells) const {
  CHECK(cells.size() == size_);
  std::uint64_t all = 0;
  for (const std::uint64_t count : cells.first(size_ - 1)) all += count;
  if (all == 0) return 0;
  const auto count = static_cast<double>(all);
  double distance = 0;
  std::uint64_t below = 0;
  std::size_t at = 0;
  for (const GridPoint& point : grid_) {
    for (; at <= 2 * point.point; ++at) below += cells[at];
    distance = std::max(distance, std::abs(static_cast<double>(below) / count - point.below));
    const std::uint64_t at_most = below + cells[at];
    distance = std::max(distance, std::abs(static_cast<double>(at_most) / count - point.at_most));
  }
  return distance;
}

}  // namespace millrace::drift
