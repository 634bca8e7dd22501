#include "model/internal/scalar_forest.h"

#include <algorithm>
#include <limits>

namespace millrace::model::internal {
namespace {

constexpr std::uint32_t kPerfectDepthMax = 8;
// A padded tree may have so many times the leaves of the real one (small ones always fit).
constexpr std::size_t kPaddingMax = 8;
constexpr std::uint32_t kAlwaysPerfectDepth = 4;

}  // namespace

std::uint32_t depth_of(const Tree& tree) {
  std::vector<std::uint32_t> depth(tree.nodes.size(), 0);
  std::uint32_t deepest = 0;
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {  // children come after their parent
    const TreeNode& node = tree.nodes[i];
    deepest = std::max(deepest, depth[i]);
    if (node.is_leaf()) continue;
    depth[static_cast<std::size_t>(node.left)] = depth[i] + 1;
    depth[static_cast<std::size_t>(node.right)] = depth[i] + 1;
  }
  return deepest;
}

ScalarForest::ScalarForest(const TreeEnsemble& ensemble, const ColumnMap& columns) {
  trees_.reserve(ensemble.trees.size());
  for (const Tree& tree : ensemble.trees) {
    Entry& entry = trees_.emplace_back();
    entry.depth = depth_of(tree);
    const std::size_t leaves = tree.nodes.size() / 2 + 1;
    entry.perfect = entry.depth <= kAlwaysPerfectDepth ||
                    (entry.depth <= kPerfectDepthMax &&
                     (std::size_t{1} << entry.depth) <= kPaddingMax * leaves);
    if (entry.perfect) {
      pack_perfect(tree, columns, entry);
    } else {
      pack_linked(tree, columns, entry);
    }
  }
}

void ScalarForest::pack_perfect(const Tree& tree, const ColumnMap& columns, Entry& entry) {
  // No x is >= NaN, so padding always goes left; leaves are repeated below it all the same.
  constexpr Node kPadding{0, std::numeric_limits<float>::quiet_NaN()};
  const std::size_t inner = (std::size_t{1} << entry.depth) - 1;
  entry.first = nodes_.size();
  entry.first_leaf = leaves_.size();
  nodes_.resize(nodes_.size() + inner, kPadding);
  leaves_.resize(leaves_.size() + inner + 1);
  std::vector<std::size_t> source(2 * inner + 1, 0);  // node of `tree` at each padded position
  for (std::size_t i = 0; i < source.size(); ++i) {
    const TreeNode& node = tree.nodes[source[i]];
    if (i >= inner) {
      leaves_[entry.first_leaf + i - inner] = node.value;
      continue;
    }
    if (!node.is_leaf()) nodes_[entry.first + i] = {columns.of(node), node.value};
    source[2 * i + 1] = node.is_leaf() ? source[i] : static_cast<std::size_t>(node.left);
    source[2 * i + 2] = node.is_leaf() ? source[i] : static_cast<std::size_t>(node.right);
  }
}

void ScalarForest::pack_linked(const Tree& tree, const ColumnMap& columns, Entry& entry) {
  entry.first = linked_.size();
  std::vector<std::size_t> order = {0};  // breadth first, so that siblings are neighbours
  order.reserve(tree.nodes.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const TreeNode& node = tree.nodes[order[i]];
    if (node.is_leaf()) {
      linked_.push_back({0, node.value, 0});
      continue;
    }
    linked_.push_back({columns.of(node), node.value, static_cast<std::uint32_t>(order.size())});
    order.push_back(static_cast<std::size_t>(node.left));
    order.push_back(static_cast<std::size_t>(node.right));
  }
}

template <std::uint32_t kDepth>
void ScalarForest::add_perfect(const Entry& entry, const float* rows, std::size_t width,
                               std::size_t count, float* sums) const {
  const Node* const nodes = nodes_.data() + entry.first;
  const float* const leaves = leaves_.data() + entry.first_leaf;
  for (std::size_t r = 0; r < count; ++r) {
    const float* const row = rows + r * width;
    std::size_t at = 0;
#pragma GCC unroll 8
    for (std::uint32_t level = 0; level < kDepth; ++level) {
      const Node node = nodes[at];
      at = 2 * at + 1 + static_cast<std::size_t>(row[node.column] >= node.threshold);
    }
    sums[r] += leaves[at + 1 - (std::size_t{1} << kDepth)];
  }
}

void ScalarForest::add_linked(const Entry& entry, const float* rows, std::size_t width,
                              std::size_t count, float* sums) const {
  const LinkedNode* const nodes = linked_.data() + entry.first;
  for (std::size_t r = 0; r < count; ++r) {
    const float* const row = rows + r * width;
    const LinkedNode* node = nodes;
    while (node->left != 0) {
      node = nodes + node->left + static_cast<std::size_t>(row[node->column] >= node->value);
    }
    sums[r] += node->value;
  }
}

void ScalarForest::add(std::size_t tree, const float* rows, std::size_t width, std::size_t count,
                       float* sums) const {
  const Entry& entry = trees_[tree];
  if (!entry.perfect) return add_linked(entry, rows, width, count, sums);
  switch (entry.depth) {
    case 0:
      return add_perfect<0>(entry, rows, width, count, sums);
    case 1:
      return add_perfect<1>(entry, rows, width, count, sums);
    case 2:
      return add_perfect<2>(entry, rows, width, count, sums);
    case 3:
      return add_perfect<3>(entry, rows, width, count, sums);
    case 4:
      return add_perfect<4>(entry, rows, width, count, sums);
    case 5:
      return add_perfect<5>(entry, rows, width, count, sums);
    case 6:
      return add_perfect<6>(entry, rows, width, count, sums);
    case 7:
      return add_perfect<7>(entry, rows, width, count, sums);
    default:
      return add_perfect<8>(entry, rows, width, count, sums);
  }
}

}  // namespace millrace::model::internal
