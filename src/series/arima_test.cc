// The filter beside the joint density of all observations, and what is known in closed form.
#include "series/arima.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <numbers>

#include "env/random.h"
#include "series/internal/stationarity.h"

namespace millrace::series {
namespace {

using ::testing::HasSubstr;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

ArimaFilter filter_of(const ArimaOrder& order, const ArimaParameters& parameters,
                      const std::vector<double>& series) {
  ArimaFilter filter = *ArimaFilter::make(order, parameters);
  filter.update(series);
  return filter;
}

// A path of the process; levels start at 100 and, where there are two, rise by 1.
std::vector<double> simulate(const ArimaOrder& order, const ArimaParameters& parameters,
                             std::size_t count, std::uint64_t seed) {
  env::Random random(seed);
  constexpr std::size_t kBefore = 500;
  std::vector<double> noise;
  std::vector<double> x;
  for (std::size_t t = 0; t < kBefore + count; ++t) {
    noise.push_back(random.normal() * std::sqrt(parameters.variance));
    double value = noise[t];
    for (std::size_t i = 0; i < parameters.ar.size() && i < t; ++i)
      value += parameters.ar[i] * x[t - 1 - i];
    for (std::size_t i = 0; i < parameters.ma.size() && i < t; ++i)
      value += parameters.ma[i] * noise[t - 1 - i];
    x.push_back(value);
  }
  x.erase(x.begin(), x.begin() + kBefore);
  double trend = 1;
  double level = 100;
  for (double& value : x) {
    if (order.d == 0) value += parameters.mean.value_or(0);
    if (order.d == 2) value = trend += value;
    if (order.d >= 1) value = level += value;
  }
  return x;
}

// Autocovariances of an ARMA process from its infinite moving average.
std::vector<double> autocovariances(const ArimaParameters& parameters, std::size_t lags) {
  constexpr std::size_t kTerms = 4'000;
  std::vector<double> weights(kTerms, 0);
  for (std::size_t j = 0; j < kTerms; ++j) {
    weights[j] = j == 0 ? 1 : (j <= parameters.ma.size() ? parameters.ma[j - 1] : 0);
    for (std::size_t i = 0; i < parameters.ar.size() && i < j; ++i)
      weights[j] += parameters.ar[i] * weights[j - 1 - i];
  }
  std::vector<double> gamma(lags, 0);
  for (std::size_t k = 0; k < lags; ++k) {
    for (std::size_t j = 0; j + k < kTerms; ++j) gamma[k] += weights[j] * weights[j + k];
    gamma[k] *= parameters.variance;
  }
  return gamma;
}

// The log density of those values of a stationary series that are there, by its whole covariance.
double joint_density(const ArimaParameters& parameters, const std::vector<double>& series) {
  const std::vector<double> gamma = autocovariances(parameters, series.size());
  std::vector<std::size_t> present;
  for (std::size_t t = 0; t < series.size(); ++t) {
    if (!std::isnan(series[t])) present.push_back(t);
  }
  const auto n = static_cast<Eigen::Index>(present.size());
  Eigen::MatrixXd covariance(n, n);
  Eigen::VectorXd values(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const std::size_t at = present[static_cast<std::size_t>(i)];
    values(i) = series[at] - parameters.mean.value_or(0);
    for (Eigen::Index j = 0; j < n; ++j) {
      const std::size_t other = present[static_cast<std::size_t>(j)];
      covariance(i, j) = gamma[at > other ? at - other : other - at];
    }
  }
  const Eigen::LLT<Eigen::MatrixXd> root(covariance);
  const Eigen::VectorXd scaled = root.matrixL().solve(values);
  double log_determinant = 0;
  for (Eigen::Index i = 0; i < n; ++i) log_determinant += 2 * std::log(root.matrixLLT()(i, i));
  return -0.5 * (static_cast<double>(n) * std::log(2 * std::numbers::pi) + log_determinant +
                 scaled.squaredNorm());
}

const std::vector<std::pair<ArimaOrder, ArimaParameters>> kProcesses = {
    {{1, 0, 0}, {{0.7}, {}, 2.0, {}}},
    {{0, 0, 1}, {{}, {-0.6}, 0.5, 3.0}},
    {{2, 0, 2}, {{1.1, -0.4}, {0.5, 0.3}, 1.0, -7.0}},
    {{3, 0, 1}, {{0.5, -0.3, 0.2}, {0.8}, 4.0, {}}},
    {{1, 0, 4}, {{-0.5}, {0.4, 0.1, -0.2, 0.3}, 1.5, {}}},
    // Nothing of the last value in the next: the first steps of their covariance look alike.
    {{2, 0, 0}, {{0, 0.5}, {}, 1.0, {}}},
    {{4, 0, 2}, {{0, 0, 0, 0.6}, {0, 0.4}, 1.0, {}}},
};

TEST(ArimaFilter, LikelihoodIsThatOfAllObservationsTogether) {
  for (const auto& [order, parameters] : kProcesses) {
    const std::vector<double> series = simulate(order, parameters, 200, 1);
    EXPECT_NEAR(filter_of(order, parameters, series).log_likelihood(),
                joint_density(parameters, series), 1e-8)
        << order.p << order.q;
  }
}

TEST(ArimaFilter, MissingObservationsSayNothingAndCostNothing) {
  for (const auto& [order, parameters] : kProcesses) {
    std::vector<double> series = simulate(order, parameters, 200, 2);
    for (const std::size_t t : {0UL, 5UL, 6UL, 7UL, 60UL, 130UL, 131UL, 199UL})
      series[t] = kMissing;
    const ArimaFilter filter = filter_of(order, parameters, series);
    EXPECT_NEAR(filter.log_likelihood(), joint_density(parameters, series), 1e-8);
    EXPECT_EQ(filter.counted(), 192U);
  }
}

TEST(ArimaFilter, LevelsThatBeginNowhereLeaveTheLikelihoodOfTheDifferences) {
  for (const int d : {1, 2}) {
    for (const auto& [order, given] : kProcesses) {
      ArimaParameters parameters = given;
      parameters.mean.reset();
      const ArimaOrder integrated{order.p, d, order.q};
      const std::vector<double> series = simulate(integrated, parameters, 200, 3);
      std::vector<double> differences = series;
      for (int i = 0; i < d; ++i) {
        for (std::size_t t = differences.size(); t-- > 1;) differences[t] -= differences[t - 1];
        differences.erase(differences.begin());
      }
      const ArimaFilter filter = filter_of(integrated, parameters, series);
      EXPECT_NEAR(filter.log_likelihood(),
                  filter_of(order, parameters, differences).log_likelihood(), 1e-6);
      EXPECT_EQ(filter.counted(), differences.size());
    }
  }
}

// y_{t+k} - y_t of a random walk is N(0, k variance), whatever lies between.
TEST(ArimaFilter, AGapInARandomWalkIsOneLongStep) {
  const ArimaFilter filter =
      filter_of({0, 1, 0}, {{}, {}, 2.0, {}}, {kMissing, 10, 11, kMissing, kMissing, 14});
  const auto density = [](double step, double variance) {
    return -0.5 * (std::log(2 * std::numbers::pi * variance) + step * step / variance);
  };
  EXPECT_NEAR(filter.log_likelihood(), density(1, 2) + density(3, 6), 1e-12);
}

TEST(ArimaFilter, OneAtATimeOrAllAtOnceIsTheSame) {
  const ArimaParameters parameters{{0.95, -0.2}, {-0.8, -0.1}, 0.5, {}};
  const ArimaOrder order{2, 1, 2};
  std::vector<double> series = simulate(order, parameters, 3'000, 4);
  series[1'500] = kMissing;
  ArimaFilter one = *ArimaFilter::make(order, parameters);
  for (const double value : series) one.update(value);
  const ArimaFilter all = filter_of(order, parameters, series);
  EXPECT_EQ(one.log_likelihood(), all.log_likelihood());
  EXPECT_EQ(one.forecast(6)->mean, all.forecast(6)->mean);
  EXPECT_EQ(one.forecast(6)->variance, all.forecast(6)->variance);
}

TEST(ArimaFilter, ForecastsOfAnAutoregressionFadeToItsMean) {
  const ArimaFilter filter = filter_of({1, 0, 0}, {{0.8}, {}, 3.0, 5.0}, {4, 9});
  for (const int steps : {1, 2, 7}) {
    const ArimaForecast forecast = *filter.forecast(steps);
    EXPECT_NEAR(forecast.mean, 5 + std::pow(0.8, steps) * 4, 1e-12);
    EXPECT_NEAR(forecast.variance, 3 * (1 - std::pow(0.64, steps)) / (1 - 0.64), 1e-12);
  }
}

// ARIMA(0, 1, 1) is simple exponential smoothing with weight 1 + theta (Muth, 1960).
TEST(ArimaFilter, ForecastsOfAnIntegratedMovingAverageAreExponentialSmoothing) {
  const double theta = -0.6;
  const ArimaParameters parameters{{}, {theta}, 1.0, {}};
  const std::vector<double> series = simulate({0, 1, 1}, parameters, 400, 5);
  double smooth = series[0];
  for (const double value : series) smooth += (1 + theta) * (value - smooth);
  const ArimaFilter filter = filter_of({0, 1, 1}, parameters, series);
  EXPECT_NEAR(filter.forecast(1)->mean, smooth, 1e-9);
  EXPECT_NEAR(filter.forecast(10)->mean, smooth, 1e-9);
  EXPECT_NEAR(filter.forecast(10)->variance, 1 + 9 * (1 + theta) * (1 + theta), 1e-9);
}

TEST(ArimaFilter, SecondDifferencesGoOnInALine) {
  const ArimaFilter filter = filter_of({0, 2, 0}, {{}, {}, 1.0, {}}, {1, 3, 5, 7});
  EXPECT_NEAR(filter.forecast(3)->mean, 13, 1e-9);
  EXPECT_NEAR(filter.forecast(3)->variance, 1 + 4 + 9, 1e-9);
}

TEST(ArimaFilter, CloseToAUnitRootItIsNotSurerThanTheNoise) {
  ArimaParameters parameters;
  parameters.ar = internal::from_partials(std::vector<double>(4, -0.99));
  parameters.ma = internal::from_partials(std::vector<double>{-0.95});
  parameters.variance = 0.1;
  ArimaFilter filter = *ArimaFilter::make({4, 0, 1}, parameters);
  filter.update(std::vector<double>{8, 6, 4, 2, 0});
  for (const int steps : {1, 2, 24}) EXPECT_GE(filter.forecast(steps)->variance, 0.1);
}

TEST(ArimaFilter, ForecastsNothingBeforeItKnowsTheLevel) {
  ArimaFilter filter = *ArimaFilter::make({0, 2, 1}, {{}, {0.3}, 1.0, {}});
  EXPECT_FALSE(filter.forecast(1).has_value());
  filter.update(5);
  EXPECT_FALSE(filter.forecast(1).has_value());
  filter.update(6);
  EXPECT_TRUE(filter.forecast(1).has_value());
}

TEST(ArimaFilter, ACopyGoesItsOwnWay) {
  const ArimaParameters parameters{{0.5}, {0.2}, 1.0, {}};
  const std::vector<double> series = simulate({1, 1, 1}, parameters, 300, 6);
  ArimaFilter first = filter_of({1, 1, 1}, parameters, series);
  ArimaFilter second = first;
  first.update(1'000);
  EXPECT_NE(first.forecast(1)->mean, second.forecast(1)->mean);
  second.update(1'000);
  EXPECT_EQ(first.forecast(1)->mean, second.forecast(1)->mean);
}

TEST(ArimaFilter, RefusesWhatIsNoModel) {
  const auto refused = [](const ArimaOrder& order, const ArimaParameters& parameters) {
    const auto made = ArimaFilter::make(order, parameters);
    EXPECT_FALSE(made.has_value());
    return made ? std::string() : made.error().message();
  };
  EXPECT_THAT(refused({1, 3, 0}, {{0.5}, {}, 1, {}}), HasSubstr("out of range"));
  EXPECT_THAT(refused({-1, 0, 0}, {{}, {}, 1, {}}), HasSubstr("out of range"));
  EXPECT_THAT(refused({0, 1, 12}, {{}, std::vector<double>(12), 1, {}}), HasSubstr("out of range"));
  EXPECT_THAT(refused({2, 0, 0}, {{0.5}, {}, 1, {}}), HasSubstr("not those of ARIMA(2, 0, 0)"));
  EXPECT_THAT(refused({0, 1, 0}, {{}, {}, 1, 4.0}), HasSubstr("not those"));
  EXPECT_THAT(refused({1, 0, 0}, {{1.0}, {}, 1, {}}), HasSubstr("not stationary"));
  EXPECT_THAT(refused({2, 0, 0}, {{0.7, 0.4}, {}, 1, {}}), HasSubstr("not stationary"));
  EXPECT_THAT(refused({1, 0, 0}, {{kMissing}, {}, 1, {}}), HasSubstr("not finite"));
  EXPECT_THAT(refused({1, 0, 0}, {{0.5}, {}, 0, {}}), HasSubstr("not positive"));
}

TEST(ArimaFilter, AValueBeyondAllMeasureIsAMissingOne) {
  const ArimaOrder order{1, 1, 1};
  const ArimaParameters parameters{{0.5}, {0.2}, 1.0, {}};
  std::vector<double> series = simulate(order, parameters, 200, 12);
  series[150] = kMissing;
  const ArimaFilter missing = filter_of(order, parameters, series);
  for (const double value : {1e101, -1e308, std::numeric_limits<double>::infinity()}) {
    series[150] = value;
    const ArimaFilter beyond = filter_of(order, parameters, series);
    EXPECT_EQ(beyond.forecast(1)->mean, missing.forecast(1)->mean);
    EXPECT_EQ(beyond.log_likelihood(), missing.log_likelihood());
  }
}

TEST(ArimaFilter, RefusesAStateThatIsNotItsOwn) {
  const ArimaOrder order{1, 1, 1};
  const ArimaParameters parameters{{0.5}, {0.2}, 1.0, {}};
  const std::vector<double> saved =
      filter_of(order, parameters, simulate(order, parameters, 50, 1)).save();
  EXPECT_TRUE(ArimaFilter::restore(order, parameters, saved).has_value());
  const auto refused = [&](const std::vector<double>& numbers) {
    const auto restored = ArimaFilter::restore(order, parameters, numbers);
    return !restored && restored.error().code() == ErrorCode::kCorrupt;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused(std::vector<double>(saved.begin(), saved.end() - 1)));
  for (const auto& [at, value] : std::vector<std::pair<std::size_t, double>>{
           {0, 2}, {0, -1}, {0, 0.5}, {1, 2}, {2, 1e300}, {3, kMissing}, {9, kMissing}}) {
    std::vector<double> damaged = saved;
    damaged[at] = value;
    EXPECT_TRUE(refused(damaged)) << at << " " << value;
  }
  const auto other = ArimaFilter::restore({1, 2, 1}, parameters, saved);
  EXPECT_FALSE(other.has_value());
}

TEST(FitArima, FindsTheParametersOfALongSeries) {
  const ArimaOrder order{2, 1, 2};
  const ArimaParameters truth{{0.9, -0.3}, {-0.5, 0.2}, 2.0, {}};
  const auto fit = fit_arima(simulate(order, truth, 20'000, 7), order);
  ASSERT_TRUE(fit.has_value()) << fit.error().message();
  for (int i = 0; i < 2; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_NEAR(fit->parameters.ar[at], truth.ar[at], 0.1);
    EXPECT_NEAR(fit->parameters.ma[at], truth.ma[at], 0.1);
  }
  EXPECT_NEAR(fit->parameters.variance, 2, 0.06);
}

TEST(FitArima, NoPointBesideItIsMoreLikely) {
  for (const auto& process : kProcesses) {
    const ArimaOrder& order = process.first;
    const ArimaParameters& truth = process.second;
    const std::vector<double> series = simulate(order, truth, 500, 8);
    const ArimaMean mean = truth.mean ? ArimaMean::kEstimate : ArimaMean::kNone;
    const auto fit = fit_arima(series, order, mean);
    ASSERT_TRUE(fit.has_value()) << fit.error().message();
    EXPECT_GE(fit->log_likelihood, filter_of(order, truth, series).log_likelihood());
    EXPECT_NEAR(fit->log_likelihood, filter_of(order, fit->parameters, series).log_likelihood(),
                1e-8);
    const auto beside = [&](double ArimaParameters::*scalar,
                            std::vector<double> ArimaParameters::*list, std::size_t at, double by) {
      ArimaParameters moved = fit->parameters;
      if (scalar != nullptr) moved.*scalar *= 1 + by;
      if (list != nullptr) (moved.*list)[at] += by;
      const auto filter = ArimaFilter::make(order, moved);
      if (!filter) return;
      EXPECT_LE(filter_of(order, moved, series).log_likelihood(), fit->log_likelihood + 1e-6);
    };
    for (const double by : {-1e-3, 1e-3}) {
      beside(&ArimaParameters::variance, nullptr, 0, by);
      for (std::size_t i = 0; i < truth.ar.size(); ++i)
        beside(nullptr, &ArimaParameters::ar, i, by);
      for (std::size_t i = 0; i < truth.ma.size(); ++i)
        beside(nullptr, &ArimaParameters::ma, i, by);
    }
  }
}

TEST(FitArima, AScaleOrAShiftOfTheSeriesChangesNothingElse) {
  const ArimaOrder order{1, 1, 1};
  const std::vector<double> series = simulate(order, {{0.6}, {-0.3}, 1.0, {}}, 400, 9);
  std::vector<double> moved = series;
  for (double& value : moved) value = 1e6 * value - 3e9;
  const auto fit = fit_arima(series, order);
  const auto other = fit_arima(moved, order);
  ASSERT_TRUE(fit.has_value() && other.has_value());
  EXPECT_NEAR(other->parameters.ar[0], fit->parameters.ar[0], 1e-4);
  EXPECT_NEAR(other->parameters.ma[0], fit->parameters.ma[0], 1e-4);
  EXPECT_NEAR(other->parameters.variance / fit->parameters.variance, 1e12, 1e8);
}

TEST(FitArima, RefusesWhatLeavesNothingToEstimate) {
  const auto refused = [](const std::vector<double>& series, const ArimaOrder& order,
                          ArimaMean mean = ArimaMean::kNone) {
    const auto fit = fit_arima(series, order, mean);
    EXPECT_FALSE(fit.has_value());
    return fit ? std::string() : fit.error().message();
  };
  EXPECT_THAT(refused({}, {1, 0, 0}), HasSubstr("0 observations"));
  EXPECT_THAT(refused({1, 2, 3}, {1, 0, 0}), HasSubstr("needs at least"));
  EXPECT_THAT(refused(std::vector<double>(50, 7.5), {1, 0, 0}), HasSubstr("does not vary"));
  EXPECT_THAT(refused(std::vector<double>(50, kMissing), {0, 1, 1}), HasSubstr("0 observations"));
  std::vector<double> infinite(50, 1);
  infinite[3] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(refused(infinite, {1, 0, 0}), HasSubstr("beyond"));
  EXPECT_THAT(refused(std::vector<double>(50, 1), {1, 1, 0}, ArimaMean::kEstimate),
              HasSubstr("d = 0"));
  std::vector<double> line(50);
  for (std::size_t t = 0; t < line.size(); ++t) line[t] = static_cast<double>(t);
  EXPECT_THAT(refused(line, {0, 2, 0}), HasSubstr("no variance"));
}

}  // namespace
}  // namespace millrace::series
