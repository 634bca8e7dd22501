#include "drift/cells.h"

#include <emmintrin.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace millrace::drift {
namespace {

// In standard deviations: a value farther away counts as this far, so that sums stay finite.
constexpr double kFarthest = 1e6;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Points are searched a block at a time, by comparing with all of it: no branch depends on the
// value (a wrong guess would cost more than the search), and the processor compares several at
// once.
constexpr std::size_t kBlock = 16;

// In two lanes, how many of kPairs times two rising points are below the value, as a negative
// number: a comparison that holds sets all bits of its lane, which is -1.
template <std::size_t kPairs>
__m128i below(const double* points, __m128d value) {
  if constexpr (kPairs == 1) {
    return _mm_castpd_si128(_mm_cmplt_pd(_mm_loadu_pd(points), value));
  } else {
    constexpr std::size_t kHalf = kPairs / 2;
    return _mm_add_epi64(below<kHalf>(points, value),
                         below<kPairs - kHalf>(points + 2 * kHalf, value));
  }
}

std::size_t sum_of(__m128i lanes) {
  const __m128i both = _mm_add_epi64(lanes, _mm_unpackhi_epi64(lanes, lanes));
  return static_cast<std::size_t>(-_mm_cvtsi128_si64(both));
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
  points_.resize(kBlocks * kBlock, kInfinity);
  for (std::size_t i = 0; i < kBlocks; ++i) last_of_block_.at(i) = points_[i * kBlock + kBlock - 1];
}

void ColumnCells::count_numbers(const Block& values, std::uint64_t* cells, double& sum) const {
  const double* const points = points_.data();
  const std::array<double, kBlocks> last_of_block = last_of_block_;
  const std::size_t missing = size_ - 1;
  const double mean = mean_;
  const double farthest = farthest_;
  double total = sum;
  for (std::size_t row = 0; row < values.rows; ++row) {
    const double value = values.first[row * values.stride];
    const __m128d both = _mm_set1_pd(value);
    const std::size_t block = kBlock * sum_of(below<kBlocks / 2>(last_of_block.data(), both));
    const std::size_t found = block + sum_of(below<kBlock / 2>(points + block, both));
    const bool there = std::abs(value) < kInfinity;  // false of NaN
    const std::size_t cell = there ? 2 * found + (points[found] == value ? 1 : 0) : missing;
    const double difference = there ? std::max(-farthest, std::min(value - mean, farthest)) : 0;
    ++cells[cell];
    total += difference;
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
  if (points_.empty()) {
    count_levels(values, cells);
  } else {
    count_numbers(values, cells.data(), sum);
  }
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
