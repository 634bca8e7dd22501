// The columns that an ensemble reads, with missing values already decided.
#pragma once

#include <cstdint>
#include <vector>

#include "model/tree_ensemble.h"

namespace millrace::model::internal {

// A feature together with the side that its missing values take. A feature whose nodes disagree
// about the side is two columns. Comparisons are then plain `x >= threshold`, because NaN is
// replaced by an infinity on the right side of every (finite) threshold.
struct Column {
  std::uint32_t feature = 0;
  bool missing_right = false;
};

class ColumnMap {
 public:
  explicit ColumnMap(const TreeEnsemble& ensemble);

  std::size_t size() const { return columns_.size(); }
  const std::vector<Column>& columns() const { return columns_; }
  // Column of an inner node of the ensemble.
  std::uint32_t of(const TreeNode& node) const {
    return index_[2 * std::size_t{node.feature} + (node.default_left ? 0 : 1)];
  }
  // Writes the columns of one row of features as floats.
  void fill_row(const double* row, float* out) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::uint32_t> index_;  // by feature and side
};

}  // namespace millrace::model::internal
