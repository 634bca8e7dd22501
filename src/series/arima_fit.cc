#include <nlopt.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>

#include "base/check.h"
#include "series/arima.h"
#include "series/internal/stationarity.h"

namespace millrace::series {
namespace {

// Of one search; a likelihood that has not stood still by then is taken as it is.
constexpr int kEvaluationsMax = 2'000;
// Of the second one, which only has to show whether its hill is the higher one.
constexpr int kSecondEvaluationsMax = 16;
// Of log likelihood and unbounded parameters, relative: to find the hill, and its top.
constexpr double kRoughTolerance = 1e-6;
constexpr double kTolerance = 1e-11;
// Of the gradient by differences.
constexpr double kStep = 1e-5;
// Starting values this close to the edge of the region leave the search no slope.
constexpr double kPartialMax = 0.95;

// Partial autocorrelations of the second starting point, not zero: there every direction may look
// the same.
constexpr double kMiddle = 0.1;
// The last of a long series, for the first look.
constexpr std::size_t kRoughObservations = 2'000;
// Rows of a regression.
constexpr std::size_t kRegressionRowsMax = 20'000;
// Long autoregression of the first step of the starting values.
constexpr std::size_t kLongLags = 20;

// Of the numerical gradient: from one side, to find the hill for half the work; from both, to find
// its top.
enum class Slope { kForward, kCentral };

struct Problem {
  std::span<const double> series;
  ArimaOrder order;
  ArimaMean mean = ArimaMean::kNone;
  double centre = 0;  // of the series; the search's mean counts from here, in units of spread
  double spread = 1;
  Slope slope = Slope::kForward;
  int evaluations = 0;

  std::size_t size() const {
    return static_cast<std::size_t>(order.p + order.q) + (mean == ArimaMean::kEstimate ? 1 : 0);
  }
};

ArimaParameters parameters_at(const Problem& problem, const double* point) {
  const auto p = static_cast<std::size_t>(problem.order.p);
  const auto q = static_cast<std::size_t>(problem.order.q);
  std::vector<double> partials(p + q);
  std::transform(point, point + p + q, partials.begin(), internal::partial_of);
  ArimaParameters parameters;
  parameters.ar = internal::from_partials(std::span(partials).first(p));
  // Invertible: 1 + theta_1 z + ... has the roots of an autoregression with the signs turned.
  parameters.ma = internal::from_partials(std::span(partials).last(q));
  for (double& theta : parameters.ma) theta = -theta;
  if (problem.mean == ArimaMean::kEstimate)
    parameters.mean = problem.centre + problem.spread * point[p + q];
  return parameters;
}

// At its best variance, which every other parameter has in closed form.
struct Likelihood {
  double value = -std::numeric_limits<double>::infinity();
  double variance = 0;
};

Likelihood likelihood_at(Problem& problem, const ArimaParameters& parameters) {
  ++problem.evaluations;
  auto filter = ArimaFilter::make(problem.order, parameters);
  if (!filter) return {};  // rounding has left the region
  filter->update(problem.series);
  const auto n = static_cast<double>(filter->counted());
  Likelihood likelihood;
  likelihood.variance = filter->squares() / n;
  likelihood.value = -0.5 * (n * (std::log(2 * std::numbers::pi * likelihood.variance) + 1) +
                             filter->log_determinant());
  return likelihood;
}

double value_at(Problem& problem, const double* point) {
  const double value = likelihood_at(problem, parameters_at(problem, point)).value;
  constexpr double kNever = -1e300;
  return std::isfinite(value) ? value : kNever;
}

double objective(unsigned size, const double* point, double* gradient, void* data) {
  auto& problem = *static_cast<Problem*>(data);
  const double value = value_at(problem, point);
  if (gradient == nullptr) return value;
  std::vector<double> moved(point, point + size);
  for (unsigned i = 0; i < size; ++i) {
    const double step = kStep * std::max(1.0, std::abs(point[i]));
    moved[i] = point[i] + step;
    const double above = value_at(problem, moved.data());
    if (problem.slope == Slope::kForward) {
      gradient[i] = (above - value) / step;
    } else {
      moved[i] = point[i] - step;
      gradient[i] = (above - value_at(problem, moved.data())) / (2 * step);
    }
    moved[i] = point[i];
  }
  return value;
}

struct OptimizerDeleter {
  void operator()(nlopt_opt optimizer) const { nlopt_destroy(optimizer); }
};

// The best point from `start` on.
std::vector<double> search(Problem& problem, std::vector<double> start, double tolerance,
                           int evaluations_max = kEvaluationsMax) {
  const std::unique_ptr<nlopt_opt_s, OptimizerDeleter> optimizer(
      nlopt_create(NLOPT_LD_LBFGS, static_cast<unsigned>(start.size())));
  CHECK(optimizer != nullptr);
  nlopt_set_max_objective(optimizer.get(), objective, &problem);
  nlopt_set_maxeval(optimizer.get(), evaluations_max);
  nlopt_set_ftol_rel(optimizer.get(), tolerance);
  nlopt_set_xtol_rel(optimizer.get(), tolerance);
  double best = 0;
  // A failure (no progress within rounding) leaves the best point found.
  (void)nlopt_optimize(optimizer.get(), start.data(), &best);
  return start;
}

std::vector<double> differenced(std::span<const double> series, int times) {
  std::vector<double> values(series.begin(), series.end());
  for (int i = 0; i < times; ++i) {
    for (std::size_t t = values.size(); t-- > 1;) values[t] -= values[t - 1];
    values.erase(values.begin());
  }
  return values;
}

// Starting values by two regressions (Hannan and Rissanen, "Recursive Estimation of Mixed
// Autoregressive-Moving Average Order", 1982): a long autoregression gives the noise, the values
// are regressed on their past and on that of the noise.
std::vector<double> regressed(const Problem& problem) {
  const auto p = static_cast<std::size_t>(problem.order.p);
  const auto q = static_cast<std::size_t>(problem.order.q);
  const std::span<const double> recent =
      problem.series.last(std::min(problem.series.size(), kRegressionRowsMax));
  std::vector<double> x = differenced(recent, problem.order.d);
  double sum = 0;
  std::size_t present = 0;
  for (const double value : x) {
    if (std::isnan(value)) continue;
    sum += value;
    ++present;
  }
  for (double& value : x)
    value = std::isnan(value)
                ? 0
                : value - sum / static_cast<double>(std::max<std::size_t>(present, 1));
  const std::size_t lags = std::min(kLongLags, x.size() / 4);
  const auto regress = [&x](std::size_t from, std::size_t columns, const auto& column) {
    const auto rows = static_cast<Eigen::Index>(x.size() - from);
    Eigen::MatrixXd inputs(rows, static_cast<Eigen::Index>(columns));
    Eigen::VectorXd target(rows);
    for (Eigen::Index row = 0; row < rows; ++row) {
      const std::size_t t = from + static_cast<std::size_t>(row);
      target(row) = x[t];
      for (std::size_t c = 0; c < columns; ++c)
        inputs(row, static_cast<Eigen::Index>(c)) = column(t, c);
    }
    const Eigen::VectorXd solved = inputs.colPivHouseholderQr().solve(target);
    return std::vector<double>(solved.begin(), solved.end());
  };
  std::vector<double> noise(x.size(), 0);
  if (q > 0) {
    const auto past =
        regress(lags, lags, [&x](std::size_t t, std::size_t c) { return x[t - 1 - c]; });
    for (std::size_t t = lags; t < x.size(); ++t) {
      noise[t] = x[t];
      for (std::size_t c = 0; c < lags; ++c) noise[t] -= past[c] * x[t - 1 - c];
    }
  }
  const std::size_t from = (q > 0 ? lags : 0) + std::max(p, q);
  return regress(from, p + q, [&](std::size_t t, std::size_t c) {
    return c < p ? x[t - 1 - c] : noise[t - 1 - (c - p)];
  });
}

// Coefficients as a point of the search, drawn into the region where need be.
void put_partials(std::span<const double> coefficients, double* point) {
  std::vector<double> partials = internal::to_partials(coefficients);
  const bool inside = std::all_of(partials.begin(), partials.end(),
                                  [](double partial) { return std::abs(partial) < kPartialMax; });
  for (std::size_t i = 0; i < partials.size(); ++i) {
    const double partial = inside ? partials[i] : std::clamp(partials[i], -0.5, 0.5);
    point[i] = internal::unbounded_of(std::isfinite(partial) ? partial : 0);
  }
}

std::vector<double> start_of(const Problem& problem) {
  const auto p = static_cast<std::size_t>(problem.order.p);
  const auto q = static_cast<std::size_t>(problem.order.q);
  std::vector<double> start(problem.size(), 0);
  if (p + q == 0) return start;
  std::vector<double> coefficients = regressed(problem);
  for (std::size_t i = p; i < p + q; ++i) coefficients[i] = -coefficients[i];
  put_partials(std::span(coefficients).first(p), start.data());
  put_partials(std::span(coefficients).last(q), start.data() + p);
  return start;
}

Status check_series(Problem& problem) {
  double sum = 0;
  double least = std::numeric_limits<double>::infinity();
  double greatest = -least;
  std::size_t present = 0;
  for (const double value : problem.series) {
    if (std::isnan(value)) continue;
    if (std::abs(value) > kArimaValueMax) {
      return Error(ErrorCode::kBadData, "the series holds a value beyond 1e100");
    }
    ++present;
    sum += value;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  const std::size_t needed = 2 * (problem.size() + 1) + static_cast<std::size_t>(problem.order.d);
  if (present < needed) {
    return Error(ErrorCode::kBadData, "the series has " + std::to_string(present) +
                                          " observations; this order needs at least " +
                                          std::to_string(needed));
  }
  if (least == greatest) return Error(ErrorCode::kBadData, "the series does not vary");
  problem.centre = sum / static_cast<double>(present);
  double squares = 0;
  for (const double value : problem.series) {
    if (!std::isnan(value)) squares += (value - problem.centre) * (value - problem.centre);
  }
  problem.spread = std::sqrt(squares / static_cast<double>(present));
  return {};
}

// Near the middle of the region. The signs of the two parts differ, or they would cancel and leave
// a ridge on which the search stands still.
std::vector<double> middle_of(const Problem& problem) {
  std::vector<double> middle(problem.size(), 0);
  const auto p = middle.begin() + problem.order.p;
  std::fill(middle.begin(), p, internal::unbounded_of(kMiddle));
  std::fill(p, p + problem.order.q, internal::unbounded_of(-kMiddle));
  return middle;
}

// From the regression and from the middle of the region, since a likelihood may have several tops;
// first with a part of a long series, which is enough to find the hills.
std::vector<double> best_of(Problem& problem) {
  std::vector<double> best = start_of(problem);
  if (best.empty()) return best;
  std::vector<double> other = middle_of(problem);
  const std::span<const double> whole = problem.series;
  problem.series = whole.last(std::min(whole.size(), kRoughObservations));
  best = search(problem, std::move(best), kRoughTolerance);
  other = search(problem, std::move(other), kRoughTolerance, kSecondEvaluationsMax);
  problem.series = whole;
  if (value_at(problem, other.data()) > value_at(problem, best.data())) best = std::move(other);
  if (whole.size() > kRoughObservations) best = search(problem, std::move(best), kRoughTolerance);
  problem.slope = Slope::kCentral;
  return search(problem, std::move(best), kTolerance);
}

}  // namespace

int ArimaFit::parameter_count() const { return order.p + order.q + 1 + (parameters.mean ? 1 : 0); }

Result<ArimaFit> fit_arima(std::span<const double> series, const ArimaOrder& order,
                           ArimaMean mean) {
  MILLRACE_TRY(check_order(order));
  if (series.size() > kArimaObservationsMax) {
    return Error(ErrorCode::kLimitExceeded,
                 "the series has " + std::to_string(series.size()) + " values, at most " +
                     std::to_string(kArimaObservationsMax) + " are fitted: give the last of them");
  }
  if (mean == ArimaMean::kEstimate && order.d > 0) {
    return Error(ErrorCode::kUsage, "a mean can only be estimated with d = 0");
  }
  Problem problem{series, order, mean};
  MILLRACE_TRY(check_series(problem));
  const std::vector<double> best = best_of(problem);
  ArimaFit fit;
  fit.order = order;
  fit.parameters = parameters_at(problem, best.data());
  const Likelihood likelihood = likelihood_at(problem, fit.parameters);
  if (!std::isfinite(likelihood.value) || likelihood.variance <= 0) {
    return Error(ErrorCode::kBadData, "the series leaves no variance to estimate");
  }
  fit.parameters.variance = likelihood.variance;
  fit.log_likelihood = likelihood.value;
  fit.evaluations = problem.evaluations;
  return fit;
}

}  // namespace millrace::series
