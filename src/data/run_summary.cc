#include "data/run_summary.h"

#include <algorithm>
#include <cmath>

namespace millrace::data {
namespace {
constexpr double kFirst = 1e-3;
constexpr double kFactor = 1.04;
}  // namespace

void Histogram::add(double value) {
  // The logarithm is the cost of a call, and neighbours of one batch share their value.
  if (value != last_value_) {
    const double step =
        value <= kFirst ? 0 : std::ceil(std::log(value / kFirst) / std::log(kFactor));
    last_step_ = std::min(static_cast<std::size_t>(std::max(step, 0.0)), kSteps - 1);
    last_value_ = value;
  }
  ++counts_.at(last_step_);
  ++count_;
  sum_ += value;
  max_ = std::max(max_, value);
}

double Histogram::quantile(double q) const {
  const auto rank =
      static_cast<std::uint64_t>(std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kSteps; ++i) {
    seen += counts_.at(i);
    if (seen >= rank && seen > 0)
      return std::min(max_, kFirst * std::pow(kFactor, static_cast<double>(i)));
  }
  return 0;
}

}  // namespace millrace::data
