// Splits into training and test rows. Seeded and stable over machines and versions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::eval {

struct Split {
  std::vector<std::size_t> train;  // ascending row numbers
  std::vector<std::size_t> test;
};

// Each class is shuffled by the seed and cut at test_fraction (rounded to nearest), so class shares
// are kept. Errors: kBadData when a class has fewer than 2 rows; kUsage for a fraction outside (0,
// 1).
Result<Split> stratified_split(std::span<const int> labels, double test_fraction,
                               std::uint64_t seed);

// A row belongs to the test set by the hash of its key alone: the same customer is on the same side
// for ever.
Result<Split> hash_split(std::span<const std::string> keys, double test_fraction,
                         std::uint64_t seed);

// The last test_fraction of the rows.
Result<Split> chronological_split(std::size_t rows, double test_fraction);

inline constexpr std::size_t kFoldsMax = 100;

// Each row is in the test of one fold and in the training of the others. Each class is shuffled by
// the seed and dealt out, so that class shares are kept. Errors: kUsage for folds outside of [2,
// kFoldsMax]; kBadData for a class with fewer rows than folds.
Result<std::vector<Split>> stratified_folds(std::span<const int> labels, std::size_t folds,
                                            std::uint64_t seed);
// The same by the hash of the row's key alone, another one than hash_split()'s: rows of one key are
// in one fold. Errors: kUsage as above; kBadData for a fold without rows.
Result<std::vector<Split>> hash_folds(std::span<const std::string> keys, std::size_t folds,
                                      std::uint64_t seed);

// Training on everything before, test on what comes next, `folds` times: the rows of scikit-learn's
// TimeSeriesSplit(n_splits=folds, gap=gap). Each test part has rows / (folds + 1) rows, the last
// one ends at the last row. The `gap` rows before a test part are left out of its training: a
// target h rows ahead is known only h rows later, so h - 1 of them. Errors: kUsage for folds
// outside of [2, kFoldsMax]; kBadData for too few rows.
Result<std::vector<Split>> rolling_origin(std::size_t rows, std::size_t folds, std::size_t gap = 0);

}  // namespace millrace::eval
