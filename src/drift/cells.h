// Where values lie among a column's points: the quantiles that its profile keeps and the edges of
// its bins. Counts by cell are all that the statistics of distributions ask of a window, so they
// are exact, take constant memory, and add up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "drift/profile.h"

namespace millrace::drift {

// Of numbers: a cell for each point, one below it (and above the one before), and one above all.
// Of a category: one a level and one for what is unknown. The last cell is always for what is
// missing. Immutable, to be shared by threads.
class ColumnCells {
 public:
  explicit ColumnCells(const ColumnProfile& profile);

  // Cells of a column, the one for what is missing included.
  std::size_t size() const { return size_; }

  // Values at first, first + stride, ... (in doubles), and what they are added to.
  struct Block {
    const double* first = nullptr;
    std::size_t stride = 1;
    std::size_t rows = 0;
  };
  // Adds each value's cell to `cells` (size() of them) and, of numbers, its difference to the
  // reference's mean to `sum`, in order. What is not finite is missing. About 6 ns a value
  // (bench/micro/drift_bench.cc).
  void count(const Block& values, std::span<std::uint64_t> cells, double& sum) const;

  // The same counts by the profile's bins.
  std::vector<double> bins(std::span<const std::uint64_t> cells) const;
  // Kolmogorov and Smirnov: the largest distance of the two distribution functions at the
  // reference's quantiles. Never above scipy.stats.ks_2samp's; below it by no more than the largest
  // step of the reference's between two of them (1/64 where values do not repeat). 0 without
  // values, and of categories.
  double ks_distance(std::span<const std::uint64_t> cells) const;

 private:
  void count_numbers(const Block& values, std::uint64_t* cells, double& sum) const;
  void count_levels(const Block& values, std::span<std::uint64_t> cells) const;

  // A point of the reference's distribution function.
  struct GridPoint {
    std::size_t point = 0;
    double below = 0;
    double at_most = 0;
  };

  // All that the search compares with at once.
  static constexpr std::size_t kBlocks = 8;

  std::vector<double> points_;  // rising, filled up with infinities; empty of a category
  std::array<double, kBlocks> last_of_block_{};
  std::size_t size_ = 0;
  std::vector<std::size_t> bin_ends_;  // of the inner bins: the cell behind the last
  std::vector<GridPoint> grid_;
  double mean_ = 0;
  double farthest_ = 0;  // a difference to the mean counts as this at most
};

}  // namespace millrace::drift
