#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "env/random.h"

namespace millrace::eval {
namespace {

Status check_options(const BootstrapOptions& options) {
  if (options.resamples < 1 || options.resamples > kResamplesMax) {
    return Error(ErrorCode::kUsage, "the resamples of a bootstrap must be 1 to " +
                                        std::to_string(kResamplesMax) + ", not " +
                                        std::to_string(options.resamples));
  }
  if (options.kind == BootstrapKind::kBlock && options.block < 1) {
    return Error(ErrorCode::kUsage, "the blocks of a bootstrap must hold at least one value");
  }
  if (!(options.alpha > 0 && options.alpha < 1)) {
    return Error(ErrorCode::kUsage, "alpha of a bootstrap must lie between 0 and 1, not be " +
                                        std::to_string(options.alpha));
  }
  return {};
}

Status check_values(std::span<const double> values, std::size_t block) {
  // Not 2 * block, which may overflow.
  if (values.size() < 2 || values.size() / 2 < block) {
    return Error(ErrorCode::kBadData, "a bootstrap in blocks of " + std::to_string(block) +
                                          " needs at least two blocks of values, not " +
                                          std::to_string(values.size()));
  }
  const bool finite =
      std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  if (!finite) return Error(ErrorCode::kBadData, "a bootstrap needs values that are finite");
  return {};
}

// Of sorted values, between the two nearest in proportion (as NumPy does by default).
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Result<Interval> bootstrap_mean_interval(std::span<const double> values,
                                         const BootstrapOptions& options) {
  MILLRACE_TRY(check_options(options));
  const std::size_t block = options.kind == BootstrapKind::kBlock ? options.block : 1;
  MILLRACE_TRY(check_values(values, block));
  const std::size_t n = values.size();
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(n);
  // before[i]: sum of the first i values, so that a run costs one subtraction. Counted from the
  // mean, or the sums of a long series would outgrow what they differ by.
  std::vector<double> before(n + 1, 0);
  for (std::size_t i = 0; i < n; ++i) before[i + 1] = before[i] + (values[i] - mean);
  env::Random random(options.seed);
  std::vector<double> means(options.resamples);
  for (double& resampled : means) {
    double sum = 0;
    for (std::size_t drawn = 0; drawn < n;) {
      const std::size_t length = std::min(block, n - drawn);
      const auto start = static_cast<std::size_t>(random.below(n - block + 1));
      sum += before[start + length] - before[start];
      drawn += length;
    }
    resampled = mean + sum / static_cast<double>(n);
  }
  std::sort(means.begin(), means.end());
  return Interval{quantile(means, options.alpha / 2), quantile(means, 1 - options.alpha / 2)};
}

}  // namespace millrace::eval
