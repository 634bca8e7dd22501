#include "eval/metrics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace millrace::eval {
namespace {

// scikit-learn's own example: roc_auc 0.75, average precision 0.8333...
const std::vector<int> kLabels = {0, 0, 1, 1};
const std::vector<double> kProbabilities = {0.1, 0.4, 0.35, 0.8};

TEST(Metrics, AucAndPrecisionByHand) {
  EXPECT_DOUBLE_EQ(roc_auc(kLabels, kProbabilities), 0.75);
  EXPECT_DOUBLE_EQ(average_precision(kLabels, kProbabilities), 0.5 * 1 + 0.5 * 2 / 3);
}

TEST(Metrics, TiesCountHalf) {
  const std::vector<int> labels = {1, 0, 1, 0};
  const std::vector<double> same(4, 0.3);
  EXPECT_DOUBLE_EQ(roc_auc(labels, same), 0.5);
  EXPECT_DOUBLE_EQ(average_precision(labels, same), 0.5);
}

TEST(Metrics, OneClassHasNoAuc) {
  const std::vector<double> p = {0.2, 0.7};
  EXPECT_TRUE(std::isnan(roc_auc(std::vector<int>{1, 1}, p)));
  EXPECT_TRUE(std::isnan(roc_auc(std::vector<int>{0, 0}, p)));
  EXPECT_TRUE(std::isnan(average_precision(std::vector<int>{0, 0}, p)));
  EXPECT_DOUBLE_EQ(average_precision(std::vector<int>{1, 1}, p), 1);
}

TEST(Metrics, LossesByHand) {
  const std::vector<int> labels = {1, 0};
  const std::vector<double> p = {0.75, 0.5};
  EXPECT_DOUBLE_EQ(log_loss(labels, p), -(std::log(0.75) + std::log(0.5)) / 2);
  EXPECT_DOUBLE_EQ(brier_score(labels, p), (0.0625 + 0.25) / 2);
}

TEST(Metrics, CertainAndWrongIsFinite) {
  const double loss = log_loss(std::vector<int>{1}, std::vector<double>{0});
  EXPECT_NEAR(loss, 36.04365338911715, 1e-12);
}

TEST(Metrics, ConfusionTakesTheThresholdAsPositive) {
  const std::vector<int> labels = {0, 0, 1, 1, 1};
  const std::vector<double> p = {0.2, 0.5, 0.5, 0.4, 0.9};
  const Confusion c = confusion(labels, p, 0.5);
  EXPECT_EQ(c.true_negative, 1U);
  EXPECT_EQ(c.false_positive, 1U);
  EXPECT_EQ(c.false_negative, 1U);
  EXPECT_EQ(c.true_positive, 2U);
  EXPECT_DOUBLE_EQ(accuracy(c), 0.6);
  EXPECT_DOUBLE_EQ(precision(c), 2.0 / 3);
  EXPECT_DOUBLE_EQ(recall(c), 2.0 / 3);
  EXPECT_DOUBLE_EQ(f1(c), 2.0 / 3);
  EXPECT_DOUBLE_EQ(specificity(c), 0.5);
  EXPECT_DOUBLE_EQ(negative_predictive_value(c), 0.5);
}

TEST(Metrics, NothingPredictedIsZeroNotNaN) {
  const Confusion c = confusion(std::vector<int>{1, 1}, std::vector<double>{0.1, 0.2}, 0.5);
  EXPECT_EQ(precision(c), 0);
  EXPECT_EQ(f1(c), 0);
  EXPECT_EQ(specificity(c), 0);
}

TEST(Metrics, CalibrationBinsByTheirEdges) {
  const std::vector<int> labels = {0, 1, 1, 0, 1};
  const std::vector<double> p = {0.0, 0.1, 0.3, 0.35, 1.0};
  const auto bins = calibration(labels, p, 10);
  ASSERT_EQ(bins.size(), 10U);
  EXPECT_EQ(bins[0].count, 1U);
  EXPECT_EQ(bins[1].count, 1U);
  EXPECT_EQ(bins[3].count, 2U);
  EXPECT_DOUBLE_EQ(bins[3].mean_probability, 0.325);
  EXPECT_DOUBLE_EQ(bins[3].positive_rate, 0.5);
  EXPECT_EQ(bins[9].count, 1U);
  EXPECT_EQ(bins[5].count, 0U);
  EXPECT_NEAR(expected_calibration_error(bins), (0 + 0.9 + 2 * 0.175 + 0) / 5, 1e-15);
}

// The definitions, written the slow way.
RC_GTEST_PROP(MetricsProperty, AucIsTheShareOfOrderedPairs, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 60);
  const auto labels = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, 2));
  const auto tenths = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, 11));
  std::vector<double> p;
  for (const int t : tenths) p.push_back(t / 10.0);
  double pairs = 0;
  double ordered = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      ++pairs;
      ordered += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
    }
  }
  const double auc = roc_auc(labels, p);
  const bool right = pairs == 0 ? std::isnan(auc) : std::abs(auc - ordered / pairs) < 1e-12;
  RC_ASSERT(right);
}

RC_GTEST_PROP(MetricsProperty, EveryRowIsInOneBin, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 60);
  const auto labels = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, 2));
  const auto parts = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, 301));
  std::vector<double> p;
  for (const int part : parts) p.push_back(part / 300.0);
  const auto bins = calibration(labels, p, *rc::gen::inRange<std::size_t>(1, 40));
  std::uint64_t count = 0;
  for (const CalibrationBin& bin : bins) {
    count += bin.count;
    RC_ASSERT(bin.count == 0 || (bin.mean_probability >= bin.lower - 1e-12 &&
                                 bin.mean_probability <= bin.upper + 1e-12));
  }
  RC_ASSERT(count == n);
}

}  // namespace
}  // namespace millrace::eval
