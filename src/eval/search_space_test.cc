#include "eval/search_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace millrace::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const SearchSpace kSmall = {{"depth", Choices{{3, 6}}}, {"rate", Choices{{0.2, 0.1, 0.05}}}};

std::string message_of(const Result<std::vector<Assignment>>& result) {
  EXPECT_FALSE(result.has_value());
  if (result) return {};
  EXPECT_EQ(result.error().code(), ErrorCode::kUsage);
  return result.error().message();
}

TEST(Grid, TurnsTheLastDimensionFastest) {
  EXPECT_THAT(
      *grid(kSmall),
      ElementsAre(Assignment{{"depth", 3}, {"rate", 0.2}}, Assignment{{"depth", 3}, {"rate", 0.1}},
                  Assignment{{"depth", 3}, {"rate", 0.05}}, Assignment{{"depth", 6}, {"rate", 0.2}},
                  Assignment{{"depth", 6}, {"rate", 0.1}},
                  Assignment{{"depth", 6}, {"rate", 0.05}}));
}

TEST(Grid, OfNothingIsOneEmptyAssignment) { EXPECT_THAT(*grid({}), ElementsAre(Assignment{})); }

TEST(Grid, OfTheReferencesTuningHas108Combinations) {
  const SearchSpace space = {{"max_depth", Choices{{3, 6, 9}}},
                             {"learning_rate", Choices{{0.2, 0.1, 0.05, 0.01}}},
                             {"subsample", Choices{{0.6, 0.8, 1.0}}},
                             {"colsample", Choices{{0.6, 0.8, 1.0}}}};
  const std::vector<Assignment> all = *grid(space);
  EXPECT_EQ(std::set<Assignment>(all.begin(), all.end()).size(), 108U);
}

TEST(Grid, RefusesRangesAndTooMuch) {
  EXPECT_THAT(message_of(grid({{"rate", Range{}}})), HasSubstr("'rate': a grid needs values"));
  std::vector<double> hundred(100);
  for (std::size_t i = 0; i < hundred.size(); ++i) hundred[i] = static_cast<double>(i);
  SearchSpace space;
  for (const char* name : {"a", "b"}) space.push_back({name, Choices{hundred}});
  EXPECT_EQ(grid(space)->size(), kCombinationsMax);
  space.push_back({"c", Choices{{1, 2}}});
  EXPECT_THAT(message_of(grid(space)), HasSubstr("20000 combinations, at most 10000"));
  for (char name = 'd'; name < 'm'; ++name) space.push_back({{name}, Choices{hundred}});
  EXPECT_THAT(message_of(grid(space)), HasSubstr("too many combinations"));
}

TEST(SearchSpace, RefusesWhatCannotBeTried) {
  const double infinite = std::numeric_limits<double>::infinity();
  const auto refused = [](const Dimension& dimension) {
    return message_of(random_search({dimension}, 5, 1));
  };
  EXPECT_THAT(refused({"", Choices{{1}}}), HasSubstr("name is empty"));
  EXPECT_THAT(refused({"a", Choices{}}), HasSubstr("'a': there are no values"));
  EXPECT_THAT(refused({"a", Choices{{1, 2, 1}}}), HasSubstr("given twice"));
  EXPECT_THAT(refused({"a", Choices{{infinite}}}), HasSubstr("not finite"));
  EXPECT_THAT(refused({"a", Range{0, infinite}}), HasSubstr("not finite"));
  EXPECT_THAT(refused({"a", Range{-1e308, 1e308}}), HasSubstr("not finite"));
  EXPECT_THAT(refused({"a", Range{2, 1}}), HasSubstr("above the upper"));
  EXPECT_THAT(refused({"a", Range{0, 1, RangeScale::kLogarithmic}}), HasSubstr("positive"));
  EXPECT_THAT(refused({"a", Range{1.2, 1.8, RangeScale::kLinear, RangeNumbers::kWhole}}),
              HasSubstr("no whole number"));
  EXPECT_THAT(refused({"a", Range{0, 1e300, RangeScale::kLinear, RangeNumbers::kWhole}}),
              HasSubstr("too large"));
  EXPECT_THAT(message_of(random_search({kSmall[0], kSmall[0]}, 5, 1)), HasSubstr("given twice"));
  EXPECT_THAT(message_of(random_search(kSmall, 0, 1)), HasSubstr("1 to 10000"));
  EXPECT_THAT(message_of(random_search(kSmall, kCombinationsMax + 1, 1)), HasSubstr("1 to 10000"));
}

TEST(RandomSearch, DrawsNoCombinationTwiceAndAtMostAll) {
  const std::vector<Assignment> five = *random_search(kSmall, 5, 3);
  EXPECT_EQ(std::set<Assignment>(five.begin(), five.end()).size(), 5U);
  std::vector<Assignment> all = *random_search(kSmall, 100, 3);
  EXPECT_TRUE(std::equal(five.begin(), five.end(), all.begin()));
  std::vector<Assignment> ordered = *grid(kSmall);
  EXPECT_NE(all, ordered);
  std::sort(all.begin(), all.end());
  std::sort(ordered.begin(), ordered.end());
  EXPECT_EQ(all, ordered);
}

TEST(RandomSearch, ASeedGivesOneListForEver) {
  const SearchSpace space = {{"rate", Range{0.01, 0.3, RangeScale::kLogarithmic}},
                             {"depth", Choices{{3, 6, 9}}}};
  EXPECT_EQ(*random_search(space, 20, 42), *random_search(space, 20, 42));
  EXPECT_NE(*random_search(space, 20, 42), *random_search(space, 20, 43));
}

// Of a space so large that its combinations have no number.
TEST(RandomSearch, NeedsNoListOfAllCombinations) {
  std::vector<double> many(1'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<double>(i);
  SearchSpace space;
  for (char name = 'a'; name <= 'z'; ++name) space.push_back({{name}, Choices{many}});
  EXPECT_EQ(random_search(space, 10, 1)->size(), 10U);
  space.resize(6);  // 10^18
  EXPECT_EQ(random_search(space, 10, 1)->size(), 10U);
}

TEST(RandomSearch, AScaleSharesOutTheDraws) {
  const SearchSpace space = {
      {"linear", Range{0, 100}},
      {"logarithmic", Range{0.001, 0.1, RangeScale::kLogarithmic}},
      {"whole", Range{1, 4, RangeScale::kLinear, RangeNumbers::kWhole}},
  };
  int low_half = 0;
  int low_decade = 0;
  std::map<double, int> whole;
  const std::vector<Assignment> all = *random_search(space, 10'000, 1);
  for (const Assignment& drawn : all) {
    low_half += drawn.at("linear") < 50 ? 1 : 0;
    low_decade += drawn.at("logarithmic") < 0.01 ? 1 : 0;
    ++whole[drawn.at("whole")];
  }
  EXPECT_NEAR(low_half, 5'000, 200);
  EXPECT_NEAR(low_decade, 5'000, 200);
  ASSERT_EQ(whole.size(), 4U);
  for (const auto& [value, count] : whole) EXPECT_NEAR(count, 2'500, 200) << value;
}

RC_GTEST_PROP(RandomSearchProperty, ValuesLieInTheirRange, ()) {
  const double low = *rc::gen::inRange(1, 1'000) / 8.0;
  const double high = low + *rc::gen::inRange(8, 1'000) / 8.0;
  const auto scale = *rc::gen::element(RangeScale::kLinear, RangeScale::kLogarithmic);
  const auto numbers = *rc::gen::element(RangeNumbers::kReal, RangeNumbers::kWhole);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const SearchSpace space = {{"a", Range{low, high, scale, numbers}}};
  const std::vector<Assignment> all = *random_search(space, 50, seed);
  for (const Assignment& drawn : all) {
    RC_ASSERT(drawn.at("a") >= low && drawn.at("a") <= high);
    RC_ASSERT(numbers == RangeNumbers::kReal || drawn.at("a") == std::floor(drawn.at("a")));
  }
}

}  // namespace
}  // namespace millrace::eval
