// How sure a mean is: intervals by resampling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace millrace::eval {

enum class BootstrapKind {
  kIid,    // single values: right only where one says nothing about the next
  kBlock,  // runs of neighbours: errors of a time series depend on one another
};

inline constexpr std::size_t kResamplesMax = 100'000;

struct BootstrapOptions {
  BootstrapKind kind = BootstrapKind::kBlock;
  std::size_t resamples = 200;
  std::size_t block = 24;  // values in a run; kBlock only
  double alpha = 0.05;     // the interval leaves out half of it on each side
  std::uint64_t seed = 42;
};

struct Interval {
  double low = 0;
  double high = 0;
};

// The interval of the mean of `values` (in their order and unit) by the percentile method: the
// alpha/2 and 1 - alpha/2 quantiles, interpolated linearly, of the means of resamples as long as
// the values. kBlock draws contiguous runs with replacement, each start alike, and cuts the last
// one to length: the moving block bootstrap (Kuensch, "The Jackknife and the Bootstrap for General
// Stationary Observations", 1989). The same values and options give the same interval. Errors:
// kUsage for options out of range; kBadData for fewer than two values (kBlock: two blocks of
// them), whose interval would claim too much, or a value that is not finite.
Result<Interval> bootstrap_mean_interval(std::span<const double> values,
                                         const BootstrapOptions& options);

}  // namespace millrace::eval
