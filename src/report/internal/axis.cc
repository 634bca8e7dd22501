#include "report/internal/axis.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/human.h"

namespace millrace::report {
namespace {

// The smallest of 1, 2, 5 times a power of ten that is not below `raw` (> 0).
double nice_step(double raw) {
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  constexpr double kSlack = 1e-9;  // 0.3 / 3 is a little more than 0.1
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power * (1 + kSlack)) return factor * power;
  }
  return 10 * power;
}

Axis with_step(double low, double high, double step) {
  const auto first = static_cast<long>(std::floor(low / step + 1e-9));
  const auto last = static_cast<long>(std::ceil(high / step - 1e-9));
  constexpr int kDecimalsMax = 6;
  const int decimals =
      std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, kDecimalsMax);
  Axis axis;
  axis.low = static_cast<double>(first) * step;
  axis.high = static_cast<double>(last) * step;
  for (long i = first; i <= last; ++i) {
    const double at = static_cast<double>(i) * step;
    axis.ticks.push_back({at, human_number(at, decimals)});
  }
  return axis;
}

double finite(double value) { return std::isfinite(value) ? value : 0; }

}  // namespace

Axis nice_axis(double low, double high, int ticks_max) {
  CHECK(ticks_max >= 2);
  low = finite(low);
  high = finite(high);
  // A range too small against its place has no distinct ticks.
  if (high - low <= std::fabs(low) * 1e-9) high = low + std::fmax(1, std::fabs(low));
  return with_step(low, high, nice_step((high - low) / ticks_max));
}

Axis count_axis(double high, int ticks_max) {
  CHECK(ticks_max >= 2);
  high = std::max(1.0, finite(high));
  return with_step(0, high, std::max(1.0, nice_step(high / ticks_max)));
}

Axis share_axis() {
  return {0, 1, {{0, "0"}, {0.2, "0.2"}, {0.4, "0.4"}, {0.6, "0.6"}, {0.8, "0.8"}, {1, "1"}}};
}

}  // namespace millrace::report
