// An ensemble as programs for the vector kernels: see lanes.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/internal/columns.h"
#include "model/internal/lanes.h"
#include "model/tree_ensemble.h"

namespace millrace::model::internal {

// The distinct thresholds of every column's feature, ascending.
class Ranking {
 public:
  Ranking(const TreeEnsemble& ensemble, const ColumnMap& columns);
  // Largest number of thresholds of one feature.
  std::size_t largest() const { return largest_; }
  RankTable table(std::size_t column) const;
  // Number of thresholds below `threshold`, which is one of them.
  std::uint32_t rank(std::size_t column, float threshold) const;

 private:
  std::vector<std::vector<float>> padded_;  // by feature
  std::vector<std::size_t> counts_;         // by feature
  std::vector<std::uint32_t> feature_of_;   // by column
  std::size_t largest_ = 0;
};

// The narrowest rank lane for so many thresholds a feature; nullopt when none is wide enough.
std::optional<Lane> rank_lane(std::size_t thresholds);

// Immutable after construction.
class PackedForest {
 public:
  // `column_bytes`: distance of columns in a block.
  PackedForest(const TreeEnsemble& ensemble, const ColumnMap& columns, const Ranking& ranking,
               Lane lane, std::size_t column_bytes);

  const std::vector<Treelet>& treelets() const { return treelets_; }
  // One a tree; those with count 0 do not fit (too many leaves or levels).
  const std::vector<TreeProgram>& trees() const { return trees_; }
  const std::vector<float>& leaves() const { return leaves_; }
  // Entries of the stack that the programs need.
  std::size_t stack_entries() const { return stack_entries_; }

 private:
  class Compiler;

  std::vector<Treelet> treelets_;
  std::vector<TreeProgram> trees_;
  std::vector<float> leaves_;
  std::size_t stack_entries_ = 1;
};

}  // namespace millrace::model::internal
