#include "eval/conformal.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/check.h"

namespace millrace::eval {
namespace {

// A product such as 100 * 0.55 rounds to a little more than the whole number that is meant.
constexpr double kRounding = 1e-12;

std::size_t rounded_up(double value) {
  return static_cast<std::size_t>(std::max(1.0, std::ceil(value * (1 - kRounding))));
}

}  // namespace

std::size_t conformal_rows_min(double coverage) {
  CHECK(coverage > 0 && coverage < 1);
  return rounded_up(coverage / (1 - coverage));
}

Result<double> conformal_quantile(std::span<const double> absolute_residuals, double coverage) {
  if (!(coverage > 0 && coverage < 1)) {
    return Error(
        ErrorCode::kUsage,
        "the coverage of an interval must lie between 0 and 1, not be " + std::to_string(coverage));
  }
  const std::size_t n = absolute_residuals.size();
  const std::size_t rank = rounded_up(static_cast<double>(n + 1) * coverage);
  if (rank > n) {
    return Error(ErrorCode::kBadData,
                 "an interval with a coverage of " + std::to_string(coverage) + " needs at least " +
                     std::to_string(conformal_rows_min(coverage)) + " residuals, not " +
                     std::to_string(n) + ": give more rows, or ask for less coverage");
  }
  const bool legal =
      std::all_of(absolute_residuals.begin(), absolute_residuals.end(),
                  [](double residual) { return std::isfinite(residual) && residual >= 0; });
  if (!legal) {
    return Error(ErrorCode::kBadData, "an absolute residual is negative or not finite");
  }
  std::vector<double> sorted(absolute_residuals.begin(), absolute_residuals.end());
  const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(sorted.begin(), place, sorted.end());
  return *place;
}

}  // namespace millrace::eval
