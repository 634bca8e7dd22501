#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spec/pipeline.h"

namespace millrace::spec {
namespace {

using testing::HasSubstr;

constexpr const char* kHead = R"(version: 1
name: small
input: {event_time: t, key: s}
schema:
  s: {type: string}
  a: {type: number}
  t: {type: timestamp}
features:
  - {lag: [a], steps: [0, 1]}
)";

Result<LoadedPipeline> parse(const std::string& rest) {
  return parse_pipeline(kHead + rest, "p.yaml");
}

std::string refusal(const std::string& rest) {
  const auto loaded = parse(rest);
  return loaded ? "" : loaded.error().message();
}

TEST(TuneSection, IsReadAsWritten) {
  const auto loaded = parse(
      "target: {column: a}\n"
      "tune: {depth: [4, 6], learning_rate: {min: 0.01, max: 0.3, scale: log}, trees: {min: 50, "
      "max: 90}}\n");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const eval::SearchSpace& space = loaded->pipeline.tune;
  ASSERT_EQ(space.size(), 3U);
  EXPECT_EQ(space[0].name, "trees");
  EXPECT_EQ(std::get<eval::Range>(space[0].values).numbers, eval::RangeNumbers::kWhole);
  EXPECT_EQ(std::get<eval::Choices>(space[1].values).values, (std::vector<double>{4, 6}));
  const auto& rate = std::get<eval::Range>(space[2].values);
  EXPECT_EQ(rate.low, 0.01);
  EXPECT_EQ(rate.high, 0.3);
  EXPECT_EQ(rate.scale, eval::RangeScale::kLogarithmic);
  EXPECT_EQ(rate.numbers, eval::RangeNumbers::kReal);
}

TEST(TuneSection, IsOptional) {
  const auto loaded = parse("target: {column: a}\n");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_TRUE(loaded->pipeline.tune.empty());
}

TEST(TuneSection, SaysWhatIsWrongWithIt) {
  const std::string head = "target: {column: a}\ntune: ";
  EXPECT_THAT(refusal(head + "{dept: [3]}\n"), HasSubstr("did you mean 'depth'"));
  EXPECT_THAT(refusal(head + "{seed: [3]}\n"), HasSubstr("p.yaml:11:8: unknown key 'seed'"));
  EXPECT_THAT(refusal(head + "{depth: [99]}\n"), HasSubstr("99 is no value that 'model.depth'"));
  EXPECT_THAT(refusal(head + "{depth: [2.5]}\n"), HasSubstr("2.5 is no value"));
  EXPECT_THAT(refusal(head + "{subsample: [0]}\n"), HasSubstr("0 is no value"));
  EXPECT_THAT(refusal(head + "{depth: []}\n"), HasSubstr("there are no values to try"));
  EXPECT_THAT(refusal(head + "{depth: [3, 3]}\n"), HasSubstr("given twice"));
  EXPECT_THAT(refusal(head + "{depth: [x]}\n"), HasSubstr("expected"));
  EXPECT_THAT(refusal(head + "{l2: {min: 1}}\n"), HasSubstr("needs 'min' and 'max'"));
  EXPECT_THAT(refusal(head + "{l2: {min: 3, max: 1}}\n"), HasSubstr("lower bound is above"));
  EXPECT_THAT(refusal(head + "{l2: {min: 0, max: 1, scale: log}}\n"),
              HasSubstr("positive lower bound"));
  EXPECT_THAT(refusal(head + "{l2: {min: 0, max: 1, scale: lag}}\n"),
              HasSubstr("did you mean 'log'"));
}

TEST(TargetSection, HoldsTheOrderAndTheSeasonOfOtherModels) {
  const auto loaded = parse("target: {column: a, arima: [1, 0, 1], season: 12}\n");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->pipeline.forecast->arima, (series::ArimaOrder{1, 0, 1}));
  EXPECT_EQ(loaded->pipeline.forecast->season, 12U);
  const auto plain = parse("target: {column: a}\n");
  EXPECT_EQ(plain->pipeline.forecast->arima, (series::ArimaOrder{2, 1, 2}));
  EXPECT_EQ(plain->pipeline.forecast->season, 24U);
}

TEST(TargetSection, AnOrderThatIsNoneIsRefused) {
  for (const char* order : {"[1, 0]", "[1, 0, 1, 0]", "[1, -1, 1]", "[1.5, 0, 1]", "3", "[]"}) {
    EXPECT_THAT(refusal("target: {column: a, arima: " + std::string(order) + "}\n"),
                HasSubstr("three whole numbers"))
        << order;
  }
  EXPECT_THAT(refusal("target: {column: a, arima: [1, 3, 1]}\n"), HasSubstr("out of range"));
  EXPECT_THAT(refusal("target: {column: a, arima: [x, 0, 1]}\n"), HasSubstr("expected"));
}

TEST(ModelSection, AnArimaNeedsATarget) {
  const auto loaded = parse("target: {column: a}\nmodel: {algorithm: arima}\n");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->pipeline.model.algorithm, model::Algorithm::kArima);
  EXPECT_THAT(refusal("model: {algorithm: arima}\n"), HasSubstr("needs a 'target'"));
  EXPECT_THAT(refusal("target: {column: a}\nmodel: {algorithm: arimaa}\n"),
              HasSubstr("'algorithm': expected gradient_boosting or arima, found 'arimaa', did you "
                        "mean 'arima'?"));
  EXPECT_THAT(refusal("target: {column: a}\nmodel: {algorithm: gradient_bosting}\n"),
              HasSubstr("expected gradient_boosting or arima, found 'gradient_bosting', did you "
                        "mean 'gradient_boosting'?"));
  EXPECT_THAT(refusal("model: {algorithm: gradient_bosting}\n"),
              HasSubstr("expected gradient_boosting, found 'gradient_bosting', did you mean "
                        "'gradient_boosting'?"));
  EXPECT_THAT(refusal("target: {column: a}\nmodel: {algorithm: persistence}\n"),
              HasSubstr("is not built yet; gradient_boosting and arima are"));
}

}  // namespace
}  // namespace millrace::spec
