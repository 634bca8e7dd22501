#include "eval/normal.h"

#include <cmath>

#include "base/check.h"

namespace millrace::eval {

double normal_quantile(double p) {
  CHECK(p > 0 && p < 1);
  // Beyond 40 a double has no probability left.
  double low = -40;
  double high = 40;
  constexpr int kHalvings = 100;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace millrace::eval
