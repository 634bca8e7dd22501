// An ensemble as programs for the vector kernels: see lanes.h.
#pragma once

#include <cstdint>
#include <vector>

#include "model/internal/columns.h"
#include "model/internal/lanes.h"
#include "model/tree_ensemble.h"

namespace millrace::model::internal {

// The distinct thresholds of every feature, ascending, in pages of kRanksMax. Immutable.
class Ranking {
 public:
  explicit Ranking(const TreeEnsemble& ensemble);
  struct Place {
    std::uint32_t page = 0;  // of the feature
    std::uint32_t rank = 0;  // number of smaller thresholds in the page
  };
  // Of `threshold`, which is one of the feature's.
  Place place(std::uint32_t feature, float threshold) const;
  RankTable table(std::uint32_t feature, std::uint32_t page) const;

 private:
  struct Page {
    std::size_t first = 0;  // in thresholds_
    std::size_t count = 0;
  };
  std::vector<float> thresholds_;        // of all pages, each padded
  std::vector<Page> pages_;              // of all features
  std::vector<std::size_t> first_page_;  // by feature, and the end
};

// A column as lanes: the whole column, or its ranks in one page of thresholds.
struct LaneColumn {
  std::uint32_t column = 0;
  std::uint32_t page = 0;
};

// Immutable after construction.
class PackedForest {
 public:
  // `column_bytes`: distance of lane columns in a block.
  PackedForest(const TreeEnsemble& ensemble, const ColumnMap& columns, const Ranking& ranking,
               Lane lane, std::size_t column_bytes);

  // Of kRank8; with floats the lane columns are the columns.
  const std::vector<LaneColumn>& lane_columns() const { return lane_columns_; }
  const std::vector<Treelet>& treelets() const { return treelets_; }
  // One a tree; those with count 0 do not fit (too many leaves or levels).
  const std::vector<TreeProgram>& trees() const { return trees_; }
  const std::vector<float>& leaves() const { return leaves_; }
  // Entries of the stack that the programs need.
  std::size_t stack_entries() const { return stack_entries_; }

 private:
  class Compiler;

  std::vector<LaneColumn> lane_columns_;
  std::vector<Treelet> treelets_;
  std::vector<TreeProgram> trees_;
  std::vector<float> leaves_;
  std::size_t stack_entries_ = 1;
};

}  // namespace millrace::model::internal
