#include "series/arima.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "base/check.h"
#include "series/internal/stationarity.h"

namespace millrace::series {
namespace {

// Relative change of covariances from one observation to the next that counts as none.
constexpr double kSettled = 1e-13;
// Doublings of the stationary covariance's sum: 2^60 terms.
constexpr int kDoublingsMax = 60;

// Of a product of variances whose logarithm is still to be taken; its inverse is the least.
constexpr double kDeterminantMax = 1e100;
constexpr std::array<double, kArimaStatesMax> kZeros{};

// A filter beyond these, in units of y and of the variance, begins anew: it got there by rounding,
// close to several unit roots. Before, all that is made of its numbers are numbers.
constexpr double kStateMax = 1e110;
constexpr double kCovarianceMax = 1e30;

// Not of NaN.
bool is_observed(double value) { return std::abs(value) <= kArimaValueMax; }

std::string text_of(const ArimaOrder& order) {
  return "ARIMA(" + std::to_string(order.p) + ", " + std::to_string(order.d) + ", " +
         std::to_string(order.q) + ")";
}

}  // namespace

Status check_order(const ArimaOrder& order) {
  const bool legal = order.p >= 0 && order.q >= 0 && order.d >= 0 &&
                     order.d <= kArimaDifferencesMax && order.p <= kArimaStatesMax &&
                     order.q < kArimaStatesMax && order.states() <= kArimaStatesMax;
  if (legal) return {};
  return Error(ErrorCode::kUsage, text_of(order) + " is out of range: d is at most " +
                                      std::to_string(kArimaDifferencesMax) +
                                      ", and d + max(p, q + 1) at most " +
                                      std::to_string(kArimaStatesMax));
}

Status check_parameters(const ArimaOrder& order, const ArimaParameters& parameters) {
  MILLRACE_TRY(check_order(order));
  if (parameters.ar.size() != static_cast<std::size_t>(order.p) ||
      parameters.ma.size() != static_cast<std::size_t>(order.q) ||
      (parameters.mean && order.d > 0)) {
    return Error(ErrorCode::kUsage, "the parameters are not those of " + text_of(order));
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(parameters.ar.begin(), parameters.ar.end(), finite) ||
      !std::all_of(parameters.ma.begin(), parameters.ma.end(), finite) ||
      !std::isfinite(parameters.variance) || !std::isfinite(parameters.mean.value_or(0))) {
    return Error(ErrorCode::kBadData, "a parameter of " + text_of(order) + " is not finite");
  }
  if (parameters.variance <= 0) {
    return Error(ErrorCode::kBadData, "the variance of " + text_of(order) + " is not positive");
  }
  if (!internal::is_stationary(parameters.ar)) {
    return Error(ErrorCode::kBadData,
                 "the autoregression of " + text_of(order) + " is not stationary");
  }
  return {};
}

Result<ArimaFilter> ArimaFilter::make(const ArimaOrder& order, const ArimaParameters& parameters) {
  MILLRACE_TRY(check_parameters(order, parameters));
  return ArimaFilter(order, parameters);
}

ArimaFilter::ArimaFilter(const ArimaOrder& order, const ArimaParameters& parameters)
    : order_(order),
      parameters_(parameters),
      levels_(static_cast<std::size_t>(order.d)),
      states_(static_cast<std::size_t>(order.states())) {
  const auto first = static_cast<std::ptrdiff_t>(levels_);
  std::copy(parameters.ar.begin(), parameters.ar.end(), phi_.begin() + first);
  theta_[levels_] = 1;
  std::copy(parameters.ma.begin(), parameters.ma.end(), theta_.begin() + first + 1);
  begin();
}

// Levels that can be anywhere, and the ARMA states of a process that has gone on for ever.
void ArimaFilter::begin() {
  state_ = {};
  covariance_ = {};
  diffuse_ = {};
  for (std::size_t i = 0; i < levels_; ++i) diffuse_[i][i] = 1;
  unknown_levels_ = order_.d;
  begin_stationary();
}

// P = T P T' + R R' of the ARMA states: the sum of T^k R R' T'^k, doubled until it stands still.
void ArimaFilter::begin_stationary() {
  const std::size_t n = states_ - levels_;
  using Square = std::vector<std::vector<double>>;
  Square step(n, std::vector<double>(n));
  Square sum = step;
  for (std::size_t i = 0; i < n; ++i) {
    step[i][0] = phi_[levels_ + i];
    if (i + 1 < n) step[i][i + 1] = 1;
    for (std::size_t j = 0; j < n; ++j) sum[i][j] = theta_[levels_ + i] * theta_[levels_ + j];
  }
  const auto product = [n](const Square& a, const Square& b, bool transposed) {
    Square out(n, std::vector<double>(n));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < n; ++k) out[i][j] += a[i][k] * (transposed ? b[j][k] : b[k][j]);
      }
    }
    return out;
  };
  const auto is_measurable = [](const Square& square) {
    return std::all_of(square.begin(), square.end(), [](const std::vector<double>& row) {
      return std::all_of(row.begin(), row.end(),
                         [](double value) { return std::abs(value) <= kCovarianceMax; });
    });
  };
  for (int doubling = 0; doubling < kDoublingsMax; ++doubling) {
    const Square more = product(product(step, sum, false), step, true);
    // Close to several unit roots it may grow beyond all measure before it stands still.
    if (!is_measurable(more)) break;
    double change = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        sum[i][j] += more[i][j];
        change = std::max(change, std::abs(more[i][j]));
      }
    }
    if (change <= kSettled * std::abs(sum[0][0])) break;
    step = product(step, step, false);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) covariance_[levels_ + i][levels_ + j] = sum[i][j];
  }
}

// What the steps are compiled for: levels, and room for the states.
template <std::size_t kLevelsOf, std::size_t kWidthOf>
struct ArimaFilter::ShapeOf {
  static constexpr std::size_t kLevels = kLevelsOf;
  static constexpr std::size_t kWidth = kWidthOf;
};

// The part of it that is not always zero: short enough for registers.
template <class Shape>
auto ArimaFilter::narrowed(const Vector& vector) {
  std::array<double, Shape::kWidth> out;
  std::copy_n(vector.begin(), Shape::kWidth, out.begin());
  return out;
}

template <class Visitor>
auto ArimaFilter::in_shape(Visitor visitor) const {
  const auto of_width = [&]<std::size_t kWidth>(std::integral_constant<std::size_t, kWidth>) {
    if (levels_ == 0) return visitor(ShapeOf<0, kWidth>());
    if (levels_ == 1) return visitor(ShapeOf<1, kWidth>());
    return visitor(ShapeOf<2, kWidth>());
  };
  if (states_ <= 4) return of_width(std::integral_constant<std::size_t, 4>());
  if (states_ <= 8) return of_width(std::integral_constant<std::size_t, 8>());
  return of_width(std::integral_constant<std::size_t, kArimaStatesMax>());
}

// One step of the transition, T v: each level takes up those behind it and the ARMA value, and the
// ARMA states are a companion form. Here and below: what lies between the states of the model and
// Shape::kWidth is zero and stays so, and loops of fixed length become a few wide instructions.
template <class Shape, class Row>
void ArimaFilter::advance(Row& vector) const {
  const double now = vector[Shape::kLevels];
  std::array<double, kArimaDifferencesMax> levels{};
  double behind = now;
  for (std::size_t i = Shape::kLevels; i-- > 0;) levels[i] = behind += vector[i];
  for (std::size_t i = 0; i + 1 < Shape::kWidth; ++i) vector[i] = phi_[i] * now + vector[i + 1];
  vector[Shape::kWidth - 1] = phi_[Shape::kWidth - 1] * now;
  std::copy_n(levels.begin(), Shape::kLevels, vector.begin());
}

// T M T' + R R', the last being the noise: M T' row by row, then the same with whole rows.
template <class Shape>
void ArimaFilter::advance(Matrix& covariance, Noise noise) const {
  for (std::size_t row = 0; row < Shape::kWidth; ++row) advance<Shape>(covariance[row]);
  const auto now = narrowed<Shape>(covariance[Shape::kLevels]);
  auto behind = now;
  for (std::size_t i = Shape::kLevels; i-- > 0;) {
    for (std::size_t j = 0; j < Shape::kWidth; ++j)
      covariance[i][j] = behind[j] += covariance[i][j];
  }
  for (std::size_t i = Shape::kLevels; i < Shape::kWidth; ++i) {
    const Vector& next = i + 1 < Shape::kWidth ? covariance[i + 1] : kZeros;
    const double theta = noise == Noise::kAdded ? theta_[i] : 0;
    for (std::size_t j = 0; j < Shape::kWidth; ++j)
      covariance[i][j] = phi_[i] * now[j] + next[j] + theta * theta_[j];
  }
}

// What an observation sees of the states: all levels and the ARMA value.
template <class Shape, class Row>
double ArimaFilter::observed(const Row& vector) {
  double sum = vector[0];
  for (std::size_t i = 1; i <= Shape::kLevels; ++i) sum += vector[i];
  return sum;
}

// Variance of the next observation, given its covariances with the states: at least that of the
// noise, which no state tells. Close to a unit root rounding may fall below.
template <class Shape, class Row>
double ArimaFilter::observed_variance(const Row& shared) {
  return std::max(1.0, observed<Shape>(shared));
}

template <class Shape>
auto ArimaFilter::observed_rows(const Matrix& covariance) {
  std::array<double, Shape::kWidth> out;
  for (std::size_t i = 0; i < Shape::kWidth; ++i) out[i] = observed<Shape>(covariance[i]);
  return out;
}

void ArimaFilter::update(double value) { update(std::span(&value, 1)); }

void ArimaFilter::update(std::span<const double> series) {
  in_shape([&]<class Shape>(Shape) { run<Shape>(series); });
}

template <class Shape>
void ArimaFilter::run(std::span<const double> series) {
  while (!series.empty()) {
    const std::size_t followed = settled_ ? follow<Shape>(series) : 0;
    series = series.subspan(followed);
    if (series.empty()) return;
    step<Shape>(series.front());
    series = series.subspan(1);
  }
}

// Observations up to the next that is missing or beyond all expectation, once the covariance stands
// still: only the state moves. Gives how many.
template <class Shape>
std::size_t ArimaFilter::follow(std::span<const double> series) {
  auto state = narrowed<Shape>(state_);
  const auto gain = narrowed<Shape>(gain_);
  const double mean = parameters_.mean.value_or(0);
  double squares = settled_squares_;
  std::size_t count = 0;
  for (; count < series.size() && is_observed(series[count]); ++count) {
    const double innovation = series[count] - mean - observed<Shape>(state);
    if (std::abs(innovation) > kStateMax) break;
    squares += innovation * innovation;
    for (std::size_t i = 0; i < Shape::kWidth; ++i) state[i] += gain[i] * innovation;
    advance<Shape>(state);
  }
  std::copy(state.begin(), state.end(), state_.begin());
  settled_count_ += count;
  settled_squares_ = squares;
  return count;
}

// One observation while the covariance moves.
template <class Shape>
void ArimaFilter::step(double value) {
  unsettle();
  if (!is_observed(value)) {
    predict<Shape>();
    return;
  }
  const double innovation = value - parameters_.mean.value_or(0) - observed<Shape>(state_);
  if (unknown_levels_ > 0) {
    const auto diffuse = observed_rows<Shape>(diffuse_);
    const double diffuse_variance = observed<Shape>(diffuse);
    if (diffuse_variance > 0) {
      observe_level<Shape>(innovation, diffuse, diffuse_variance);
      predict<Shape>();
      return;
    }
  }
  const double variance_before = innovation_variance_;
  std::array<Vector, Shape::kWidth> before;
  std::copy_n(covariance_.begin(), Shape::kWidth, before.begin());
  observe<Shape>(innovation);
  predict<Shape>();
  // A covariance that led to itself does so for ever. All of it: an autoregression of (0, 0.5)
  // leaves what an observation sees of it as it was, and only then moves on.
  settled_ = unknown_levels_ == 0 &&
             std::abs(innovation_variance_ - variance_before) <= kSettled * innovation_variance_ &&
             is_unchanged(before);
}

template <class Shape>
void ArimaFilter::predict() {
  advance<Shape>(state_);
  advance<Shape>(covariance_, Noise::kAdded);
  if (unknown_levels_ > 0) advance<Shape>(diffuse_, Noise::kNone);
  if (is_lost()) begin();
}

bool ArimaFilter::is_lost() const {
  double state = 0;
  double covariance = 0;
  for (std::size_t i = 0; i < states_; ++i) {
    state = std::max(state, std::abs(state_[i]));
    for (std::size_t j = 0; j < states_; ++j)
      covariance = std::max(covariance, std::abs(covariance_[i][j]));
  }
  return state > kStateMax || covariance > kCovarianceMax;
}

template <class Shape>
void ArimaFilter::observe(double innovation) {
  const auto shared = observed_rows<Shape>(covariance_);
  const double variance = observed_variance<Shape>(shared);
  const double precision = 1 / variance;
  for (std::size_t i = 0; i < Shape::kWidth; ++i) {
    gain_[i] = shared[i] * precision;
    state_[i] += gain_[i] * innovation;
  }
  for (std::size_t i = 0; i < Shape::kWidth; ++i) {
    for (std::size_t j = 0; j < Shape::kWidth; ++j)
      covariance_[i][j] -= shared[i] * shared[j] * precision;
  }
  innovation_variance_ = variance;
  ++counted_;
  squares_ += innovation * innovation * precision;
  // A logarithm for many of them, as long as their product can be told.
  determinant_ *= variance;
  if (determinant_ > kDeterminantMax || determinant_ < 1 / kDeterminantMax) {
    log_determinant_ += std::log(determinant_);
    determinant_ = 1;
  }
}

bool ArimaFilter::is_unchanged(std::span<const Vector> before) const {
  double change = 0;
  for (std::size_t i = 0; i < states_; ++i) {
    for (std::size_t j = 0; j < states_; ++j)
      change = std::max(change, std::abs(covariance_[i][j] - before[i][j]));
  }
  return change <= kSettled * innovation_variance_;
}

// An observation that says where a level is: infinitely more than was known.
template <class Shape, class Row>
void ArimaFilter::observe_level(double innovation, const Row& diffuse, double diffuse_variance) {
  const auto shared = observed_rows<Shape>(covariance_);
  const double variance = observed<Shape>(shared);
  Vector gain{};
  for (std::size_t i = 0; i < states_; ++i) {
    gain[i] = diffuse[i] / diffuse_variance;
    state_[i] += gain[i] * innovation;
  }
  for (std::size_t i = 0; i < states_; ++i) {
    for (std::size_t j = 0; j < states_; ++j) {
      covariance_[i][j] += gain[i] * gain[j] * variance - shared[i] * gain[j] - gain[i] * shared[j];
      diffuse_[i][j] -= gain[i] * diffuse[j];
    }
  }
  --unknown_levels_;
}

double ArimaFilter::log_determinant() const {
  return log_determinant_ + std::log(determinant_) +
         (settled_count_ == 0
              ? 0
              : static_cast<double>(settled_count_) * std::log(innovation_variance_));
}

double ArimaFilter::squares() const {
  return settled_count_ == 0 ? squares_ : squares_ + settled_squares_ / innovation_variance_;
}

// From here on the covariance moves again.
void ArimaFilter::unsettle() {
  if (!settled_) return;
  log_determinant_ = log_determinant();
  determinant_ = 1;
  squares_ = squares();
  counted_ = counted();
  settled_count_ = 0;
  settled_squares_ = 0;
  settled_ = false;
}

double ArimaFilter::log_likelihood() const {
  const auto n = static_cast<double>(counted());
  return -0.5 * (n * std::log(2 * std::numbers::pi * parameters_.variance) + log_determinant() +
                 squares() / parameters_.variance);
}

std::optional<ArimaForecast> ArimaFilter::forecast(int steps) const {
  CHECK(steps >= 1 && steps <= kArimaStepsMax);
  if (unknown_levels_ > 0) return std::nullopt;
  return in_shape([&]<class Shape>(Shape) {
    Vector state = state_;
    Matrix covariance = covariance_;
    for (int ahead = 1; ahead < steps; ++ahead) {
      advance<Shape>(state);
      advance<Shape>(covariance, Noise::kAdded);
    }
    const double variance = observed_variance<Shape>(observed_rows<Shape>(covariance));
    return ArimaForecast{observed<Shape>(state) + parameters_.mean.value_or(0),
                         variance * parameters_.variance};
  });
}

}  // namespace millrace::series
