#include "eval/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "env/random.h"

namespace millrace::eval {
namespace {

using ::testing::HasSubstr;

// x_t = share x_{t-1} + noise, mean 0.
std::vector<double> autoregression(std::size_t count, double share, std::uint64_t seed) {
  env::Random random(seed);
  std::vector<double> values;
  double last = random.normal() / std::sqrt(1 - share * share);
  for (std::size_t i = 0; i < count; ++i) values.push_back(last = share * last + random.normal());
  return values;
}

BootstrapOptions of(BootstrapKind kind) {
  BootstrapOptions options;
  options.kind = kind;
  return options;
}

double width(const Interval& interval) { return interval.high - interval.low; }

// In how many of 200 series the interval holds the true mean.
int coverage(const BootstrapOptions& options, double share) {
  int inside = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Interval interval = *bootstrap_mean_interval(autoregression(600, share, seed), options);
    inside += interval.low <= 0 && 0 <= interval.high ? 1 : 0;
  }
  return inside;
}

TEST(Bootstrap, IndependentValuesAreCoveredByBothKinds) {
  EXPECT_NEAR(coverage(of(BootstrapKind::kIid), 0), 190, 12);
  EXPECT_NEAR(coverage(of(BootstrapKind::kBlock), 0), 188, 14);
}

TEST(Bootstrap, OnlyBlocksCoverTheMeanOfDependentValues) {
  EXPECT_LT(coverage(of(BootstrapKind::kIid), 0.8), 140);
  EXPECT_GT(coverage(of(BootstrapKind::kBlock), 0.8), 165);
}

TEST(Bootstrap, BlocksAreWiderWhereNeighboursAreAlike) {
  const std::vector<double> values = autoregression(2'000, 0.8, 7);
  const Interval block = *bootstrap_mean_interval(values, of(BootstrapKind::kBlock));
  const Interval single = *bootstrap_mean_interval(values, of(BootstrapKind::kIid));
  EXPECT_GT(width(block), 1.8 * width(single));
}

TEST(Bootstrap, OfIndependentValuesIsThatOfTheNormalDistribution) {
  BootstrapOptions options = of(BootstrapKind::kIid);
  options.resamples = 20'000;
  const std::vector<double> values = autoregression(1'000, 0, 3);
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 1'000;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double half = 1.959964 * std::sqrt(squares) / 1'000;
  const Interval interval = *bootstrap_mean_interval(values, options);
  EXPECT_NEAR(interval.low, mean - half, 0.05 * half);
  EXPECT_NEAR(interval.high, mean + half, 0.05 * half);
}

// Of a line cut in two blocks, a resample is two runs of it: nothing else can be drawn.
TEST(Bootstrap, ABlockIsARunOfNeighbours) {
  BootstrapOptions options;
  options.block = 5;
  options.resamples = 5'000;
  options.alpha = 1e-9;  // the least and the greatest mean
  std::vector<double> line(10);
  std::iota(line.begin(), line.end(), 0.0);
  const Interval interval = *bootstrap_mean_interval(line, options);
  EXPECT_NEAR(interval.low, 2, 1e-6);   // 0 to 4, twice
  EXPECT_NEAR(interval.high, 7, 1e-6);  // 5 to 9, twice
}

TEST(Bootstrap, ASeedGivesOneIntervalForEver) {
  const std::vector<double> values = autoregression(100, 0.5, 1);
  const Interval first = *bootstrap_mean_interval(values, {});
  const Interval second = *bootstrap_mean_interval(values, {});
  EXPECT_EQ(first.low, second.low);
  EXPECT_EQ(first.high, second.high);
  BootstrapOptions other;
  other.seed = 43;
  EXPECT_NE(bootstrap_mean_interval(values, other)->low, first.low);
}

TEST(Bootstrap, RefusesWhatGivesNoInterval) {
  const auto refused = [](const std::vector<double>& values, const BootstrapOptions& options) {
    const auto interval = bootstrap_mean_interval(values, options);
    EXPECT_FALSE(interval.has_value());
    return interval ? std::string() : interval.error().message();
  };
  const std::vector<double> values(100, 1);
  EXPECT_THAT(refused({}, of(BootstrapKind::kIid)), HasSubstr("two blocks"));
  EXPECT_THAT(refused({1}, of(BootstrapKind::kIid)), HasSubstr("two blocks"));
  EXPECT_THAT(refused(std::vector<double>(47), {}), HasSubstr("not 47"));
  EXPECT_THAT(refused({1, std::numeric_limits<double>::quiet_NaN()}, of(BootstrapKind::kIid)),
              HasSubstr("finite"));
  BootstrapOptions options;
  options.resamples = 0;
  EXPECT_THAT(refused(values, options), HasSubstr("resamples"));
  options.resamples = kResamplesMax + 1;
  EXPECT_THAT(refused(values, options), HasSubstr("resamples"));
  options = {};
  options.block = 0;
  EXPECT_THAT(refused(values, options), HasSubstr("at least one value"));
  options.block = std::numeric_limits<std::size_t>::max();
  EXPECT_THAT(refused(values, options), HasSubstr("two blocks"));
  options = {};
  options.alpha = 1;
  EXPECT_THAT(refused(values, options), HasSubstr("alpha"));
}

RC_GTEST_PROP(BootstrapProperty, AnIntervalLiesWithinTheValuesAndGrowsWithTheConfidence, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 80);
  const auto raw = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(-1'000, 1'000));
  const std::vector<double> values(raw.begin(), raw.end());
  BootstrapOptions options;
  options.block = *rc::gen::inRange<std::size_t>(1, n / 2 + 1);
  options.seed = *rc::gen::arbitrary<std::uint64_t>();
  const Interval narrow = *bootstrap_mean_interval(values, options);
  options.alpha = 0.01;
  const Interval wide = *bootstrap_mean_interval(values, options);
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  RC_ASSERT(wide.low <= narrow.low && narrow.low <= narrow.high && narrow.high <= wide.high);
  RC_ASSERT(wide.low >= *least - 1e-9 && wide.high <= *greatest + 1e-9);
}

}  // namespace
}  // namespace millrace::eval
