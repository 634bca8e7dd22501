#include "eval/splits.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace millrace::eval {
namespace {

std::vector<int> labels_of(std::size_t negatives, std::size_t positives) {
  std::vector<int> labels(negatives, 0);
  labels.resize(negatives + positives, 1);
  return labels;
}

TEST(StratifiedSplit, KeepsTheShareOfEachClass) {
  const auto labels = labels_of(5174, 1869);
  const auto split = stratified_split(labels, 0.2, 42);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->test.size(), 1035U + 374U);
  const auto positives = std::count_if(split->test.begin(), split->test.end(),
                                       [&](std::size_t row) { return labels[row] == 1; });
  EXPECT_EQ(positives, 374);
}

// The rows of seed 42 are part of the promise that the same seed gives the same model.
TEST(StratifiedSplit, RowsOfASeedNeverChange) {
  const auto split = stratified_split(labels_of(12, 8), 0.25, 42);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->test, (std::vector<std::size_t>{0, 3, 11, 13, 19}));
  const auto other = stratified_split(labels_of(12, 8), 0.25, 43);
  ASSERT_TRUE(other);
  EXPECT_NE(split->test, other->test);
}

TEST(StratifiedSplit, EachSideHasEachClass) {
  const auto split = stratified_split(labels_of(2, 2), 0.01, 1);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->test.size(), 2U);
  EXPECT_EQ(split->train.size(), 2U);
}

TEST(StratifiedSplit, RefusesALonelyRowAndABadFraction) {
  EXPECT_EQ(stratified_split(labels_of(5, 1), 0.2, 1).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(stratified_split({}, 0.2, 1).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(stratified_split(labels_of(5, 5), 0, 1).error().code(), ErrorCode::kUsage);
  EXPECT_EQ(stratified_split(labels_of(5, 5), 1, 1).error().code(), ErrorCode::kUsage);
}

TEST(HashSplit, AKeyStaysOnItsSideWhenOthersCome) {
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back("customer-" + std::to_string(i));
  const auto all = hash_split(keys, 0.2, 7);
  ASSERT_TRUE(all);
  EXPECT_NEAR(static_cast<double>(all->test.size()), 200, 40);
  const auto some = hash_split(std::span(keys).first(500), 0.2, 7);
  ASSERT_TRUE(some);
  std::vector<std::size_t> before;
  std::copy_if(all->test.begin(), all->test.end(), std::back_inserter(before),
               [](std::size_t row) { return row < 500; });
  EXPECT_EQ(some->test, before);
}

TEST(HashSplit, RefusesOneKeyOnly) {
  EXPECT_EQ(hash_split(std::vector<std::string>(9, "same"), 0.5, 1).error().code(),
            ErrorCode::kBadData);
}

TEST(ChronologicalSplit, TestRowsAreTheLast) {
  const auto split = chronological_split(10, 0.25);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->test, (std::vector<std::size_t>{7, 8, 9}));
  EXPECT_EQ(split->train.size(), 7U);
  EXPECT_EQ(chronological_split(1, 0.5).error().code(), ErrorCode::kBadData);
}

RC_GTEST_PROP(SplitProperty, EveryRowIsOnExactlyOneSide, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 200);
  const auto m = *rc::gen::inRange<std::size_t>(2, 200);
  const double fraction = *rc::gen::inRange(1, 100) / 100.0;
  const auto split =
      stratified_split(labels_of(n, m), fraction, *rc::gen::arbitrary<std::uint64_t>());
  RC_ASSERT(static_cast<bool>(split));
  std::set<std::size_t> rows(split->train.begin(), split->train.end());
  rows.insert(split->test.begin(), split->test.end());
  RC_ASSERT(rows.size() == n + m);
  RC_ASSERT(split->train.size() + split->test.size() == n + m);
  RC_ASSERT(std::is_sorted(split->train.begin(), split->train.end()));
}

}  // namespace
}  // namespace millrace::eval
