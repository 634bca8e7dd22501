// Metrics of regression, equal to scikit-learn's within 1e-9 where both are defined.
#pragma once

#include <cstddef>
#include <span>

namespace millrace::eval {

struct RegressionMetrics {
  double mae = 0;   // mean absolute error, in the target's unit
  double rmse = 0;  // root of the mean squared error, in the target's unit
  double r2 = 0;    // 1 - squared errors / squared distances to the mean of the actual values
  std::size_t rows = 0;
};

// Both spans have the same length n > 0, else CHECK; a value that is not finite makes all three
// metrics NaN or infinite, so rows without an actual value are left out before. r2 is that of
// scikit-learn's r2_score: with actual values that are all the same it is 1 when every prediction
// is right and 0 otherwise; of one row it is NaN; it has no lower limit.
RegressionMetrics regression_metrics(std::span<const double> actual,
                                     std::span<const double> predicted);

}  // namespace millrace::eval
