#include "drift/quantile_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "env/random.h"
#include "json/json.h"

namespace millrace::drift {
namespace {

// Largest error of the share of values at or below any of the values.
double rank_error(const QuantileSketch& sketch, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double worst = 0;
  const std::size_t step = std::max<std::size_t>(1, values.size() / 200);
  for (std::size_t i = 0; i < values.size(); i += step) {
    const auto at_most = static_cast<double>(
        std::upper_bound(values.begin(), values.end(), values[i]) - values.begin());
    const double exact = at_most / static_cast<double>(values.size());
    worst = std::max(worst, std::abs(sketch.share_at_most(values[i]) - exact));
  }
  return worst;
}

QuantileSketch sketch_of(const std::vector<double>& values) {
  QuantileSketch sketch;
  for (const double value : values) sketch.add(value);
  return sketch;
}

TEST(QuantileSketch, SmallStreamsAreExact) {
  const QuantileSketch sketch = sketch_of({5, 1, 4, 2, 3});
  EXPECT_EQ(sketch.count(), 5U);
  EXPECT_EQ(sketch.quantile(0), 1);
  EXPECT_EQ(sketch.quantile(0.5), 3);
  EXPECT_EQ(sketch.quantile(1), 5);
  EXPECT_EQ(sketch.share_at_most(2), 0.4);
  EXPECT_EQ(sketch.share_at_most(0.5), 0);
  EXPECT_EQ(sketch.share_at_most(9), 1);
}

TEST(QuantileSketch, NothingOfNothingIsKnown) {
  const QuantileSketch sketch;
  EXPECT_TRUE(std::isnan(sketch.quantile(0.5)));
  EXPECT_TRUE(std::isnan(sketch.share_at_most(1)));
}

// 200 streams of several shapes: at most 1 % may pass the stated bound, and memory stays constant.
TEST(QuantileSketch, TheStatedErrorHoldsForStreamsOfEveryOrder) {
  env::Random random(7);
  int beyond = 0;
  for (int stream = 0; stream < 200; ++stream) {
    const std::size_t n = 1000 + random.below(20'000);
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i) {
      const auto place = static_cast<double>(i);
      switch (stream % 5) {
        case 0:
          values.push_back(random.normal());
          break;
        case 1:
          values.push_back(place);
          break;
        case 2:
          values.push_back(-place);
          break;
        case 3:
          values.push_back(static_cast<double>(random.below(7)));
          break;
        default:
          values.push_back(std::sin(place / 24) + random.uniform());
          break;
      }
    }
    const QuantileSketch sketch = sketch_of(values);
    EXPECT_EQ(sketch.count(), n);
    EXPECT_LT(sketch.retained(), 3 * QuantileSketch::kSketchSize + 8 * 20);
    beyond += rank_error(sketch, values) >= QuantileSketch::kRankErrorMax ? 1 : 0;
  }
  EXPECT_LE(beyond, 2);
}

TEST(QuantileSketch, AMillionValuesTakeNoMoreMemory) {
  env::Random random(1);
  QuantileSketch sketch;
  std::vector<double> values;
  for (int i = 0; i < 1'000'000; ++i) {
    values.push_back(random.uniform());
    sketch.add(values.back());
  }
  EXPECT_LT(sketch.retained(), 3 * QuantileSketch::kSketchSize + 8 * 20);
  EXPECT_LT(rank_error(sketch, values), QuantileSketch::kRankErrorMax);
}

TEST(QuantileSketch, MergedSketchesKeepTheBoundAndTheCount) {
  env::Random random(3);
  QuantileSketch merged;
  std::vector<double> values;
  for (int part = 0; part < 50; ++part) {
    QuantileSketch sketch;
    for (std::uint64_t i = random.below(3000); i > 0; --i) {
      values.push_back(random.normal() + part * 0.1);
      sketch.add(values.back());
    }
    merged.merge(sketch);
  }
  EXPECT_EQ(merged.count(), values.size());
  EXPECT_LT(merged.retained(), 3 * QuantileSketch::kSketchSize + 8 * 20);
  EXPECT_LT(rank_error(merged, values), QuantileSketch::kRankErrorMax);
  const std::uint64_t before = merged.count();
  merged.merge(merged);
  EXPECT_EQ(merged.count(), 2 * before);
  EXPECT_LT(rank_error(merged, values), QuantileSketch::kRankErrorMax);
}

TEST(QuantileSketch, TheSameValuesGiveTheSameSketchAndJsonKeepsIt) {
  env::Random random(5);
  std::vector<double> values;
  for (int i = 0; i < 5000; ++i) values.push_back(random.normal());
  const QuantileSketch first = sketch_of(values);
  auto second = QuantileSketch::from_json(sketch_of(values).to_json());
  ASSERT_TRUE(second);
  EXPECT_EQ(json::to_line(first.to_json()), json::to_line(second->to_json()));
  // Goes on alike.
  QuantileSketch third = first;
  for (const double value : values) {
    third.add(value);
    second->add(value);
  }
  EXPECT_EQ(json::to_line(third.to_json()), json::to_line(second->to_json()));
}

TEST(QuantileSketch, ClearedItIsAsNew) {
  QuantileSketch sketch;
  for (int i = 0; i < 5000; ++i) sketch.add(i);
  sketch.clear();
  EXPECT_EQ(sketch.count(), 0U);
  sketch.add(1);
  EXPECT_EQ(json::to_line(sketch.to_json()), json::to_line(sketch_of({1}).to_json()));
}

TEST(QuantileSketch, DamagedJsonIsRefused) {
  for (const char* text : {
           R"({})",
           R"({"count":1,"compactions":0,"levels":[]})",
           R"({"count":2,"compactions":0,"levels":[[1]]})",
           R"({"count":1,"compactions":0,"levels":[["x"]]})",
           R"({"count":-1,"compactions":0,"levels":[[1]]})",
           R"({"count":4,"compactions":0,"levels":[[],[2,1]]})",
       }) {
    EXPECT_FALSE(QuantileSketch::from_json(json::parse(text, "t").value())) << text;
  }
}

}  // namespace
}  // namespace millrace::drift
