// ARIMA(p, d, q) as a linear Gaussian state-space model: exact likelihood by the Kalman filter, fit
// by maximum likelihood, forecasts with their variances, and one observation at a time without a
// refit.
//
// y is differenced d times, and the result x is an ARMA process:
//   x_t = phi_1 x_{t-1} + ... + phi_p x_{t-p} + e_t + theta_1 e_{t-1} + ... + theta_q e_{t-q},
// e_t ~ N(0, variance). With d = 0 a mean may be estimated: x = y - mean. Observations may be
// missing anywhere. Sources: Harvey, "Forecasting, Structural Time Series Models and the Kalman
// Filter" (1989), 3.3 and 4.1 (state-space form); Durbin and Koopman, "Time Series Analysis by
// State Space Methods" (2012), 5.2 (levels that begin nowhere: exact diffuse start).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace millrace::series {

struct ArimaOrder {
  int p = 0;
  int d = 0;
  int q = 0;
  bool operator==(const ArimaOrder&) const = default;
  // Of the state-space form.
  int states() const { return d + (p > q + 1 ? p : q + 1); }
};
inline constexpr int kArimaStatesMax = 12;
inline constexpr int kArimaDifferencesMax = 2;
inline constexpr int kArimaStepsMax = 10'000;  // of a forecast
// A filter that has seen nothing for more steps than this begins anew, in files as on streams.
inline constexpr std::int64_t kArimaStepsMissingMax = 10'000;
inline constexpr std::size_t kArimaObservationsMax = 1'000'000;  // of a fit; a filter has no limit

inline constexpr double kArimaValueMax = 1e100;  // of an observation; its square is still a number

struct ArimaParameters {
  std::vector<double> ar;      // phi_1 ... phi_p
  std::vector<double> ma;      // theta_1 ... theta_q
  double variance = 1;         // of e, in squared units of y
  std::optional<double> mean;  // only with d = 0
};

// kUsage for an order out of range.
Status check_order(const ArimaOrder& order);
// kUsage for an order out of range or parameters that do not fit it; kBadData for parameters that
// are not finite, a variance that is not positive, or an autoregression that is not stationary.
Status check_parameters(const ArimaOrder& order, const ArimaParameters& parameters);

// A value to come.
struct ArimaForecast {
  double mean = 0;
  double variance = 0;  // of the value itself, in squared units of y
};

// The filter behind the last observation of a series. A plain value: a copy is a copy of the state,
// and goes on as the first one does. The same observations give the same bits, one at a time or all
// at once. An observation costs O(states) as soon as the covariance has settled, and O(states^2)
// before and behind a missing one. Where rounding carries it away, which takes several roots close
// to the unit circle, it begins anew: all that it says is finite. Not thread-safe; no failure once
// it is made.
class ArimaFilter {
 public:
  // Errors: check_parameters().
  static Result<ArimaFilter> make(const ArimaOrder& order, const ArimaParameters& parameters);

  // The next observation. One that is NaN, or further from zero than kArimaValueMax, is missing.
  void update(double value);
  // All of a series, in order.
  void update(std::span<const double> series);
  // Of the value `steps` observations ahead, 1 to kArimaStepsMax, else CHECK. Nothing before d
  // observations were seen.
  std::optional<ArimaForecast> forecast(int steps) const;

  // Sum of the log densities of the observations, but of those (d) that only say where the level
  // is.
  double log_likelihood() const;
  // What the sum is made of: observations that count, log of the innovations' variances in units of
  // `variance`, and their squares over those.
  std::size_t counted() const { return counted_ + settled_count_; }
  double log_determinant() const;
  double squares() const;

  const ArimaOrder& order() const { return order_; }
  const ArimaParameters& parameters() const { return parameters_; }

  // The state as saved_size() numbers, all finite, and a filter that goes on from there to the same
  // bits. Which order and parameters they belong to is the caller's to know. Errors of restore():
  // check_parameters(); kCorrupt for numbers that no filter with as many states saved.
  static std::size_t saved_size(const ArimaOrder& order);
  std::vector<double> save() const;
  static Result<ArimaFilter> restore(const ArimaOrder& order, const ArimaParameters& parameters,
                                     std::span<const double> saved);

 private:
  using Vector = std::array<double, kArimaStatesMax>;
  using Matrix = std::array<Vector, kArimaStatesMax>;  // symmetric

  ArimaFilter(const ArimaOrder& order, const ArimaParameters& parameters);
  template <std::size_t, std::size_t>
  struct ShapeOf;
  enum class Noise { kNone, kAdded };
  template <class Visitor>
  auto in_shape(Visitor visitor) const;
  void begin();
  void begin_stationary();
  template <class Shape>
  static auto narrowed(const Vector& vector);
  template <class Shape, class Row>
  void advance(Row& vector) const;
  template <class Shape>
  void advance(Matrix& covariance, Noise noise) const;
  template <class Shape, class Row>
  static double observed(const Row& vector);
  template <class Shape, class Row>
  static double observed_variance(const Row& shared);
  template <class Shape>
  static auto observed_rows(const Matrix& covariance);
  template <class Shape>
  void run(std::span<const double> series);
  template <class Shape>
  std::size_t follow(std::span<const double> series);
  template <class Shape>
  void step(double value);
  template <class Shape>
  void predict();
  template <class Shape>
  void observe(double innovation);
  template <class Shape, class Row>
  void observe_level(double innovation, const Row& diffuse, double diffuse_variance);
  template <class Self, class Visitor>
  static void visit_state(Self& self, Visitor visitor);
  bool is_lost() const;
  bool is_unchanged(std::span<const Vector> before) const;  // the covariance
  void unsettle();

  ArimaOrder order_;
  ArimaParameters parameters_;
  std::size_t levels_ = 0;  // the first states: d of them
  std::size_t states_ = 0;
  Vector phi_{};    // behind the levels: phi_1, ...
  Vector theta_{};  // behind the levels: 1, theta_1, ...

  // Of the next observation, in units of y and of the variance.
  Vector state_{};
  Matrix covariance_{};
  Matrix diffuse_{};  // part of the covariance that is infinite
  int unknown_levels_ = 0;
  Vector gain_{};
  double innovation_variance_ = 0;
  bool settled_ = false;  // covariance and gain change no more

  std::size_t counted_ = 0;
  double log_determinant_ = 0;
  double determinant_ = 1;  // its last factors
  double squares_ = 0;
  // Of the observations since it settled, whose innovations share one variance.
  std::size_t settled_count_ = 0;
  double settled_squares_ = 0;  // in squared units of y
};

struct ArimaFit {
  ArimaOrder order;
  ArimaParameters parameters;
  double log_likelihood = 0;
  int evaluations = 0;  // of the likelihood

  int parameter_count() const;
  double aic() const { return 2 * parameter_count() - 2 * log_likelihood; }
};

enum class ArimaMean { kNone, kEstimate };

// The parameters of the greatest likelihood, stationary and invertible: quasi-Newton steps (L-BFGS)
// over transformed partial autocorrelations, from two starting points, with the variance in closed
// form. NaN is a missing observation. The same input gives the same result. Errors: check_order();
// kUsage for a mean with d > 0; kLimitExceeded for more than kArimaObservationsMax values; kBadData
// where too few observations (at least twice the parameters) or no variation is left, or a value is
// further from zero than kArimaValueMax.
Result<ArimaFit> fit_arima(std::span<const double> series, const ArimaOrder& order,
                           ArimaMean mean = ArimaMean::kNone);

}  // namespace millrace::series
