// The filter's state as numbers: what a copy needs beside the order and the parameters.
#include <algorithm>
#include <cmath>

#include "series/arima.h"

namespace millrace::series {
namespace {

// Beyond this a double is no longer every whole number.
constexpr double kWholeMax = 0x1.0p53;

bool is_count(double value) {
  return value >= 0 && value <= kWholeMax && value == std::floor(value);
}

}  // namespace

// One place that says what the state is: `visitor` gets each number that save() writes.
template <class Self, class Visitor>
void ArimaFilter::visit_state(Self& self, Visitor visitor) {
  for (std::size_t i = 0; i < self.states_; ++i) {
    visitor(self.state_[i]);
    visitor(self.gain_[i]);
    for (std::size_t j = 0; j < self.states_; ++j) {
      visitor(self.covariance_[i][j]);
      visitor(self.diffuse_[i][j]);
    }
  }
  visitor(self.innovation_variance_);
  visitor(self.log_determinant_);
  visitor(self.determinant_);
  visitor(self.squares_);
  visitor(self.settled_squares_);
}

std::size_t ArimaFilter::saved_size(const ArimaOrder& order) {
  const auto n = static_cast<std::size_t>(order.states());
  constexpr std::size_t kSums = 5;
  constexpr std::size_t kCounts = 4;
  return kCounts + 2 * n + 2 * n * n + kSums;
}

std::vector<double> ArimaFilter::save() const {
  std::vector<double> saved = {static_cast<double>(unknown_levels_), settled_ ? 1.0 : 0.0,
                               static_cast<double>(counted_), static_cast<double>(settled_count_)};
  visit_state(*this, [&saved](const double& value) { saved.push_back(value); });
  return saved;
}

Result<ArimaFilter> ArimaFilter::restore(const ArimaOrder& order, const ArimaParameters& parameters,
                                         std::span<const double> saved) {
  MILLRACE_ASSIGN(ArimaFilter filter, make(order, parameters));
  const bool legal =
      saved.size() == saved_size(order) &&
      std::all_of(saved.begin(), saved.begin() + 4, is_count) && saved[0] <= order.d &&
      saved[1] <= 1 &&
      std::all_of(saved.begin(), saved.end(), [](double value) { return std::isfinite(value); });
  if (!legal) {
    return Error(ErrorCode::kCorrupt,
                 "the saved state of a forecast is not one of its model: it is damaged, or the "
                 "model was replaced by one of another order");
  }
  filter.unknown_levels_ = static_cast<int>(saved[0]);
  filter.settled_ = saved[1] == 1;
  filter.counted_ = static_cast<std::size_t>(saved[2]);
  filter.settled_count_ = static_cast<std::size_t>(saved[3]);
  std::size_t at = 4;
  visit_state(filter, [&](double& value) { value = saved[at++]; });
  return filter;
}

}  // namespace millrace::series
