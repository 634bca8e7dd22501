#include "eval/regression.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/check.h"

namespace millrace::eval {

RegressionMetrics regression_metrics(std::span<const double> actual,
                                     std::span<const double> predicted) {
  CHECK(!actual.empty() && actual.size() == predicted.size());
  const auto n = static_cast<double>(actual.size());
  double sum = 0;
  double absolute = 0;
  double squares = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = actual[i] - predicted[i];
    sum += actual[i];
    absolute += std::abs(error);
    squares += error * error;
  }
  RegressionMetrics metrics{absolute / n, std::sqrt(squares / n), 0, actual.size()};
  if (actual.size() < 2) {
    metrics.r2 = std::numeric_limits<double>::quiet_NaN();
    return metrics;
  }
  // Asked of the values themselves: their mean rounds, and 0.1 often is not far enough from it.
  const bool constant =
      std::adjacent_find(actual.begin(), actual.end(), std::not_equal_to<>()) == actual.end();
  if (constant) {
    metrics.r2 = squares == 0 ? 1 : 0;
    return metrics;
  }
  double spread = 0;
  for (const double value : actual) spread += (value - sum / n) * (value - sum / n);
  metrics.r2 = 1 - squares / spread;
  return metrics;
}

}  // namespace millrace::eval
