#include "eval/splits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/hash.h"
#include "env/random.h"

namespace millrace::eval {
namespace {

Status check_fraction(double test_fraction) {
  if (test_fraction > 0 && test_fraction < 1) return {};
  return Error(ErrorCode::kUsage, "the test fraction must lie between 0 and 1, not be " +
                                      std::to_string(test_fraction));
}

// Rows of the test part: nearest to the fraction, but at least one on each side. n >= 2.
std::size_t test_rows(std::size_t n, double test_fraction) {
  const auto wanted =
      static_cast<std::size_t>(std::llround(static_cast<double>(n) * test_fraction));
  return std::clamp(wanted, std::size_t{1}, n - 1);
}

}  // namespace

Result<Split> stratified_split(std::span<const int> labels, double test_fraction,
                               std::uint64_t seed) {
  MILLRACE_TRY(check_fraction(test_fraction));
  std::map<int, std::vector<std::size_t>> classes;  // ordered: the same on every machine
  for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(i);
  if (classes.empty()) return Error(ErrorCode::kBadData, "there are no rows to split");
  env::Random random(seed);
  Split split;
  for (auto& [label, rows] : classes) {
    if (rows.size() < 2) {
      return Error(ErrorCode::kBadData,
                   "a class has only one row: a stratified split needs two of each");
    }
    for (std::size_t i = rows.size() - 1; i > 0; --i) std::swap(rows[i], rows[random.below(i + 1)]);
    const auto cut = static_cast<std::ptrdiff_t>(test_rows(rows.size(), test_fraction));
    split.test.insert(split.test.end(), rows.begin(), rows.begin() + cut);
    split.train.insert(split.train.end(), rows.begin() + cut, rows.end());
  }
  std::sort(split.test.begin(), split.test.end());
  std::sort(split.train.begin(), split.train.end());
  return split;
}

Result<Split> hash_split(std::span<const std::string> keys, double test_fraction,
                         std::uint64_t seed) {
  MILLRACE_TRY(check_fraction(test_fraction));
  Split split;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    // The upper 53 bits as a number in [0, 1), exactly.
    const double place = static_cast<double>(stable_hash64(keys[i], seed) >> 11) * 0x1.0p-53;
    (place < test_fraction ? split.test : split.train).push_back(i);
  }
  if (split.train.empty() || split.test.empty()) {
    return Error(ErrorCode::kBadData,
                 "the hash split leaves no row on one side: too few different keys");
  }
  return split;
}

Result<Split> chronological_split(std::size_t rows, double test_fraction) {
  MILLRACE_TRY(check_fraction(test_fraction));
  if (rows < 2) return Error(ErrorCode::kBadData, "a split needs at least two rows");
  const std::size_t cut = rows - test_rows(rows, test_fraction);
  Split split;
  for (std::size_t i = 0; i < rows; ++i) (i < cut ? split.train : split.test).push_back(i);
  return split;
}

namespace {

Status check_folds(std::size_t folds) {
  if (folds >= 2 && folds <= kFoldsMax) return {};
  return Error(ErrorCode::kUsage, "the folds must be 2 to " + std::to_string(kFoldsMax) + ", not " +
                                      std::to_string(folds));
}

std::vector<Split> splits_of(std::span<const std::size_t> fold_of, std::size_t folds) {
  std::vector<Split> splits(folds);
  for (std::size_t row = 0; row < fold_of.size(); ++row) {
    for (std::size_t fold = 0; fold < folds; ++fold)
      (fold_of[row] == fold ? splits[fold].test : splits[fold].train).push_back(row);
  }
  return splits;
}

}  // namespace

Result<std::vector<Split>> stratified_folds(std::span<const int> labels, std::size_t folds,
                                            std::uint64_t seed) {
  MILLRACE_TRY(check_folds(folds));
  std::map<int, std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(i);
  if (classes.empty()) return Error(ErrorCode::kBadData, "there are no rows to divide");
  env::Random random(seed);
  std::vector<std::size_t> fold_of(labels.size());
  std::size_t turn = 0;
  for (auto& [label, rows] : classes) {
    if (rows.size() < folds) {
      return Error(ErrorCode::kBadData, "a class has " + std::to_string(rows.size()) +
                                            " rows, too few for " + std::to_string(folds) +
                                            " folds");
    }
    for (std::size_t i = rows.size() - 1; i > 0; --i) std::swap(rows[i], rows[random.below(i + 1)]);
    for (const std::size_t row : rows) fold_of[row] = turn++ % folds;
  }
  return splits_of(fold_of, folds);
}

Result<std::vector<Split>> hash_folds(std::span<const std::string> keys, std::size_t folds,
                                      std::uint64_t seed) {
  MILLRACE_TRY(check_folds(folds));
  // hash_split() took rows by the same hash with the same seed.
  const std::uint64_t other = stable_hash64("folds", seed);
  std::vector<std::size_t> fold_of;
  for (const std::string& key : keys) fold_of.push_back(stable_hash64(key, other) % folds);
  std::vector<Split> splits = splits_of(fold_of, folds);
  for (const Split& split : splits) {
    if (split.test.empty() || split.train.empty())
      return Error(ErrorCode::kBadData, "a fold has no rows: too few different keys for " +
                                            std::to_string(folds) + " folds");
  }
  return splits;
}

Result<std::vector<Split>> rolling_origin(std::size_t rows, std::size_t folds, std::size_t gap) {
  if (folds < 2 || folds > kFoldsMax) {
    return Error(ErrorCode::kUsage, "the folds of a rolling origin must be 2 to " +
                                        std::to_string(kFoldsMax) + ", not " +
                                        std::to_string(folds));
  }
  const std::size_t size = rows / (folds + 1);
  // At least one row before the first gap.
  if (size < 1 || gap >= rows - folds * size) {
    return Error(ErrorCode::kBadData, std::to_string(rows) + " rows are too few for " +
                                          std::to_string(folds) + " folds with a gap of " +
                                          std::to_string(gap));
  }
  std::vector<Split> splits(folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    const std::size_t start = rows - (folds - fold) * size;
    Split& split = splits[fold];
    split.train.resize(start - gap);
    std::iota(split.train.begin(), split.train.end(), std::size_t{0});
    split.test.resize(size);
    std::iota(split.test.begin(), split.test.end(), start);
  }
  return splits;
}

}  // namespace millrace::eval
