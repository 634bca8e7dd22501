#include "eval/splits.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>

namespace millrace::eval {
namespace {

std::vector<int> labels_of(std::size_t negatives, std::size_t positives) {
  std::vector<int> labels(negatives, 0);
  labels.resize(negatives + positives, 1);
  return labels;
}

TEST(StratifiedFolds, EachRowIsTestedOnceAndSharesAreKept) {
  std::vector<int> labels(103, 0);
  for (std::size_t i = 0; i < 31; ++i) labels[i * 3] = 1;
  const auto folds = stratified_folds(labels, 4, 7);
  ASSERT_TRUE(folds) << folds.error().message();
  std::vector<int> tested(labels.size(), 0);
  for (const Split& fold : *folds) {
    EXPECT_EQ(fold.train.size() + fold.test.size(), labels.size());
    EXPECT_TRUE(std::is_sorted(fold.train.begin(), fold.train.end()));
    int positives = 0;
    for (const std::size_t row : fold.test) {
      ++tested[row];
      positives += labels[row];
    }
    EXPECT_NEAR(positives, 31 / 4.0, 1);
    EXPECT_NEAR(static_cast<double>(fold.test.size()), 103 / 4.0, 1);
  }
  EXPECT_EQ(std::count(tested.begin(), tested.end(), 1), 103);
  EXPECT_NE((*stratified_folds(labels, 4, 8))[0].test, (*folds)[0].test);
  EXPECT_EQ((*stratified_folds(labels, 4, 7))[0].test, (*folds)[0].test);
  EXPECT_EQ(stratified_folds(labels, 32, 7).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(stratified_folds(labels, 1, 7).error().code(), ErrorCode::kUsage);
}

TEST(HashFolds, AKeyIsInOneFold) {
  std::vector<std::string> keys;
  for (int i = 0; i < 400; ++i) keys.push_back("k" + std::to_string(i % 80));
  const auto folds = hash_folds(keys, 3, 42);
  ASSERT_TRUE(folds) << folds.error().message();
  for (const Split& fold : *folds) {
    std::set<std::string> tested;
    for (const std::size_t row : fold.test) tested.insert(keys[row]);
    for (const std::size_t row : fold.train) EXPECT_FALSE(tested.contains(keys[row]));
    EXPECT_GT(fold.test.size(), 60U);
  }
  EXPECT_EQ(hash_folds(std::vector<std::string>(9, "one"), 3, 42).error().code(),
            ErrorCode::kBadData);
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

// The hours of the air-quality data, 20 % of them for the test: 1871.4, to the nearest.
TEST(ChronologicalSplit, OfTheAirQualityHoursTrainsOn7486) {
  const auto split = chronological_split(9'357, 0.2);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->train.size(), 7'486U);
  EXPECT_EQ(split->train.back(), 7'485U);
  EXPECT_EQ(split->test.size(), 1'871U);
}

// The example of scikit-learn's page of TimeSeriesSplit, and its example with a gap.
TEST(RollingOrigin, TestsOnWhatComesNext) {
  using Rows = std::vector<std::size_t>;
  const auto splits = rolling_origin(6, 5);
  ASSERT_TRUE(splits);
  ASSERT_EQ(splits->size(), 5U);
  EXPECT_EQ((*splits)[0].train, (Rows{0}));
  EXPECT_EQ((*splits)[0].test, (Rows{1}));
  EXPECT_EQ((*splits)[4].train, (Rows{0, 1, 2, 3, 4}));
  EXPECT_EQ((*splits)[4].test, (Rows{5}));
  const auto uneven = rolling_origin(11, 3, 1);
  ASSERT_TRUE(uneven);
  EXPECT_EQ((*uneven)[0].train, (Rows{0, 1, 2, 3}));
  EXPECT_EQ((*uneven)[0].test, (Rows{5, 6}));
  EXPECT_EQ((*uneven)[2].test, (Rows{9, 10}));
}

TEST(RollingOrigin, RefusesTooFewFoldsOrRows) {
  EXPECT_EQ(rolling_origin(100, 1).error().code(), ErrorCode::kUsage);
  EXPECT_EQ(rolling_origin(100'000, kFoldsMax + 1).error().code(), ErrorCode::kUsage);
  EXPECT_EQ(rolling_origin(5, 5).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(rolling_origin(0, 2).error().code(), ErrorCode::kBadData);
  EXPECT_TRUE(rolling_origin(9, 2, 2));
  EXPECT_EQ(rolling_origin(9, 2, 3).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(rolling_origin(9, 2, SIZE_MAX).error().code(), ErrorCode::kBadData);
}

// TimeSeriesSplit._iter_test: starts are range(n - k size, n, size) with size = n // (k + 1).
RC_GTEST_PROP(RollingOriginProperty, IsTimeSeriesSplit, ()) {
  const auto folds = *rc::gen::inRange<std::size_t>(2, 12);
  const auto rows = *rc::gen::inRange<std::size_t>(folds + 1, 400);
  const std::size_t size = rows / (folds + 1);
  const auto gap = *rc::gen::inRange<std::size_t>(0, rows - folds * size);
  const auto splits = rolling_origin(rows, folds, gap);
  RC_ASSERT(static_cast<bool>(splits));
  std::size_t fold = 0;
  for (std::size_t start = rows - folds * size; start < rows; start += size, ++fold) {
    std::vector<std::size_t> train;
    std::vector<std::size_t> test;
    for (std::size_t row = 0; row + gap < start; ++row) train.push_back(row);
    for (std::size_t row = start; row < start + size; ++row) test.push_back(row);
    RC_ASSERT((*splits)[fold].train == train);
    RC_ASSERT((*splits)[fold].test == test);
  }
  RC_ASSERT(fold == folds);
  RC_ASSERT(splits->back().test.back() == rows - 1);
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
