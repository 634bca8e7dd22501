#include "eval/conformal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "env/random.h"

namespace millrace::eval {
namespace {

using ::testing::HasSubstr;

std::vector<double> one_to(int n) {
  std::vector<double> values;
  for (int i = n; i >= 1; --i) values.push_back(i);
  return values;
}

TEST(ConformalQuantile, IsTheRankOfTheFormula) {
  EXPECT_EQ(*conformal_quantile(one_to(9), 0.9), 9);    // ceil(10 * 0.9)
  EXPECT_EQ(*conformal_quantile(one_to(10), 0.9), 10);  // ceil(9.9)
  EXPECT_EQ(*conformal_quantile(one_to(99), 0.9), 90);
  EXPECT_EQ(*conformal_quantile(one_to(100), 0.9), 91);
  EXPECT_EQ(*conformal_quantile(one_to(1), 0.5), 1);
}

TEST(ConformalQuantile, WholeRanksAreNotRoundedUp) {
  // 100 * 0.55 is 55.00000000000001 in binary.
  EXPECT_EQ(*conformal_quantile(one_to(99), 0.55), 55);
  EXPECT_EQ(*conformal_quantile(one_to(99), 0.07), 7);
  EXPECT_EQ(*conformal_quantile(one_to(99), 0.29), 29);
}

TEST(ConformalQuantile, SaysHowManyResidualsAreNeeded) {
  EXPECT_EQ(conformal_rows_min(0.9), 9U);
  EXPECT_EQ(conformal_rows_min(0.95), 19U);
  EXPECT_EQ(conformal_rows_min(0.99), 99U);
  EXPECT_EQ(conformal_rows_min(0.1), 1U);
  const auto few = conformal_quantile(one_to(8), 0.9);
  ASSERT_FALSE(few.has_value());
  EXPECT_EQ(few.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(few.error().message(), HasSubstr("at least 9 residuals, not 8"));
  EXPECT_EQ(conformal_quantile({}, 0.1).error().code(), ErrorCode::kBadData);
}

TEST(ConformalQuantile, RefusesWhatIsNoResidualAndNoCoverage) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(conformal_quantile(one_to(99), 0).error().code(), ErrorCode::kUsage);
  EXPECT_EQ(conformal_quantile(one_to(99), 1).error().code(), ErrorCode::kUsage);
  EXPECT_EQ(conformal_quantile(one_to(99), unknown).error().code(), ErrorCode::kUsage);
  EXPECT_EQ(conformal_quantile(std::vector<double>{1, -1, 2}, 0.5).error().code(),
            ErrorCode::kBadData);
  EXPECT_EQ(conformal_quantile(std::vector<double>{1, unknown, 2}, 0.5).error().code(),
            ErrorCode::kBadData);
}

// What the formula is for: of fresh rows the promised share lies inside, on the average over many
// calibrations.
TEST(ConformalQuantile, FreshRowsLieInside) {
  env::Random random(5);
  for (const std::size_t n : {9, 30, 200}) {
    int inside = 0;
    constexpr int kRounds = 20'000;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<double> residuals(n);
      for (double& residual : residuals) residual = std::abs(random.normal());
      inside += std::abs(random.normal()) <= *conformal_quantile(residuals, 0.9) ? 1 : 0;
    }
    const double share = static_cast<double>(inside) / kRounds;
    EXPECT_GE(share, 0.9 - 0.008);
    EXPECT_LE(share, 0.9 + 1.0 / static_cast<double>(n + 1) + 0.008);
  }
}

RC_GTEST_PROP(ConformalProperty, TheLeastResidualThatCoversEnoughOfThem, ()) {
  const auto percent = *rc::gen::inRange(1, 100);
  const double coverage = percent / 100.0;
  const auto n = *rc::gen::inRange<std::size_t>(conformal_rows_min(coverage), 300);
  const auto raw = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, 500));
  const std::vector<double> residuals(raw.begin(), raw.end());
  const double distance = *conformal_quantile(residuals, coverage);
  const auto covered = std::count_if(residuals.begin(), residuals.end(),
                                     [&](double residual) { return residual <= distance; });
  const auto closer = std::count_if(residuals.begin(), residuals.end(),
                                    [&](double residual) { return residual < distance; });
  // In whole numbers: covered >= (n + 1) coverage > closer.
  const auto wanted = static_cast<std::ptrdiff_t>(n + 1) * percent;
  RC_ASSERT(covered * 100 >= wanted);
  RC_ASSERT(closer * 100 < wanted);
}

}  // namespace
}  // namespace millrace::eval
