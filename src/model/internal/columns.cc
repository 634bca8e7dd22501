#include "model/internal/columns.h"

#include <cmath>
#include <limits>

namespace millrace::model::internal {

ColumnMap::ColumnMap(const TreeEnsemble& ensemble) : index_(2 * std::size_t{ensemble.features}) {
  std::vector<bool> used(index_.size(), false);
  for (const Tree& tree : ensemble.trees) {
    for (const TreeNode& node : tree.nodes) {
      if (!node.is_leaf()) {
        used[2 * std::size_t{node.feature} + (node.default_left ? 0 : 1)] = true;
      }
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    index_[i] = static_cast<std::uint32_t>(columns_.size());
    columns_.push_back({static_cast<std::uint32_t>(i / 2), i % 2 == 1});
  }
}

void ColumnMap::fill_row(const double* row, float* out) const {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Column& column : columns_) {
    const auto value = static_cast<float>(row[column.feature]);
    const float missing = column.missing_right ? kInfinity : -kInfinity;
    *out++ = std::isnan(value) ? missing : value;
  }
}

}  // namespace millrace::model::internal
