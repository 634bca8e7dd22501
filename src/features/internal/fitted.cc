#include "features/internal/fitted.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace millrace::features::internal {
namespace {

// Neumaier's sum: the rounding error of each step is kept beside the sum.
class Sum {
 public:
  void add(double value) {
    const double next = sum_ + value;
    lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - next) + value : (value - next) + sum_;
    sum_ = next;
  }
  double get() const { return sum_ + lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

double mean_of(std::span<const double> values) {
  Sum sum;
  for (const double value : values) sum.add(value);
  return sum.get() / static_cast<double>(values.size());
}

// The standard deviation to divide by, by StandardScaler's rule: a field whose variance is within
// the rounding error of a constant's is not scaled.
double scale_of(std::span<const double> values, double mean) {
  const auto n = static_cast<double>(values.size());
  Sum squares;
  Sum rest;
  for (const double value : values) {
    squares.add((value - mean) * (value - mean));
    rest.add(value - mean);
  }
  const double variance = (squares.get() - rest.get() * rest.get() / n) / n;
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const double noise = n * mean * kEpsilon;
  if (variance <= n * kEpsilon * variance + noise * noise) return 1;
  return std::sqrt(variance);
}

double fill_of(const Impute& impute, std::span<const double> sorted) {
  switch (impute.with) {
    case ImputeWith::kConstant:
      return impute.constant;
    case ImputeWith::kMean:
      return mean_of(sorted);
    case ImputeWith::kMedian:
      break;
  }
  const std::size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

}  // namespace

Result<Fitted> fit_number(const PlanEntry& entry, const std::string& field,
                          std::vector<double> values, std::size_t missing) {
  Fitted fitted;
  const bool constant = entry.impute && entry.impute->with == ImputeWith::kConstant;
  const bool needs_values = (entry.impute && !constant) || (entry.standardize && !entry.impute);
  if (needs_values && values.empty()) {
    return Error(ErrorCode::kBadData, "field '" + field +
                                          "' has no value in the training rows, so nothing can be "
                                          "fitted to it; leave it out, or impute a constant");
  }
  // Sorted, sums come out the same whatever order the rows came in.
  std::sort(values.begin(), values.end());
  if (entry.impute) {
    fitted.fill = fill_of(*entry.impute, values);
    values.insert(values.end(), missing, *fitted.fill);
  }
  if (entry.standardize) {
    if (values.empty()) return Error(ErrorCode::kBadData, "there are no training rows");
    fitted.mean = mean_of(values);
    fitted.scale = scale_of(values, *fitted.mean);
  }
  for (const auto& value : {fitted.fill, fitted.mean, fitted.scale}) {
    if (value && !std::isfinite(*value)) {
      return Error(ErrorCode::kBadData, "the values of field '" + field +
                                            "' are too large: their mean or deviation overflows");
    }
  }
  return fitted;
}

}  // namespace millrace::features::internal
