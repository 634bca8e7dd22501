#include "eval/regression.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace millrace::eval {
namespace {

// scikit-learn's own examples of its three functions.
TEST(RegressionMetrics, ByHand) {
  const std::vector<double> actual = {3, -0.5, 2, 7};
  const std::vector<double> predicted = {2.5, 0.0, 2, 8};
  const RegressionMetrics metrics = regression_metrics(actual, predicted);
  EXPECT_DOUBLE_EQ(metrics.mae, 0.5);
  EXPECT_DOUBLE_EQ(metrics.rmse, std::sqrt(0.375));
  EXPECT_NEAR(metrics.r2, 0.9486081370449679, 1e-15);
  EXPECT_EQ(metrics.rows, 4U);
}

TEST(RegressionMetrics, TheMeanAsPredictionHasAnR2OfZeroAndWorseIsNegative) {
  const std::vector<double> actual = {1, 2, 3};
  EXPECT_EQ(regression_metrics(actual, std::vector<double>(3, 2)).r2, 0);
  EXPECT_DOUBLE_EQ(regression_metrics(actual, std::vector<double>{3, 2, 1}).r2, -3);
}

TEST(RegressionMetrics, ConstantActualValuesAreRightOrNot) {
  // The mean of these rounds to another number than theirs.
  const std::vector<double> actual(10, 0.1);
  EXPECT_EQ(regression_metrics(actual, actual).r2, 1);
  EXPECT_EQ(regression_metrics(actual, std::vector<double>(10, 0.2)).r2, 0);
}

TEST(RegressionMetrics, OneRowHasNoR2) {
  const std::vector<double> actual = {4};
  const RegressionMetrics metrics = regression_metrics(actual, std::vector<double>{1});
  EXPECT_EQ(metrics.mae, 3);
  EXPECT_EQ(metrics.rmse, 3);
  EXPECT_TRUE(std::isnan(metrics.r2));
}

TEST(RegressionMetrics, AnUnknownValueIsNeverHidden) {
  const RegressionMetrics metrics =
      regression_metrics(std::vector<double>{1, 2}, std::vector<double>{1, std::nan("")});
  EXPECT_TRUE(std::isnan(metrics.mae) && std::isnan(metrics.rmse) && std::isnan(metrics.r2));
}

RC_GTEST_PROP(RegressionMetricsProperty, RmseIsAtLeastMaeAndR2AtMostOne, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 60);
  const auto numbers = rc::gen::container<std::vector<int>>(n, rc::gen::inRange(-1'000, 1'000));
  const std::vector<int> first = *numbers;
  const std::vector<int> second = *numbers;
  const std::vector<double> actual(first.begin(), first.end());
  const std::vector<double> predicted(second.begin(), second.end());
  const RegressionMetrics metrics = regression_metrics(actual, predicted);
  RC_ASSERT(metrics.rmse >= metrics.mae - 1e-9);
  RC_ASSERT(metrics.r2 <= 1);
  RC_ASSERT(regression_metrics(actual, actual).r2 == 1);
  RC_ASSERT(regression_metrics(actual, actual).mae == 0);
}

}  // namespace
}  // namespace millrace::eval
