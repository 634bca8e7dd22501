#include "model/internal/packed_forest.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace millrace::model::internal {
namespace {

constexpr std::size_t kLevelsMax = 24;   // of a packed tree; bounds the recursion
constexpr std::size_t kLeavesMax = 256;  // numbers that fit an 8-bit lane
constexpr std::uint32_t kTreeletLevels = 3;
constexpr std::size_t kRank8Max = 255;
constexpr std::size_t kRank16Max = 65'535;

}  // namespace

Ranking::Ranking(const TreeEnsemble& ensemble, const ColumnMap& columns)
    : padded_(ensemble.features), counts_(ensemble.features, 0) {
  for (const Tree& tree : ensemble.trees) {
    for (const TreeNode& node : tree.nodes) {
      if (!node.is_leaf()) padded_[node.feature].push_back(node.value);
    }
  }
  for (std::size_t f = 0; f < padded_.size(); ++f) {
    std::vector<float>& thresholds = padded_[f];
    if (thresholds.empty()) continue;
    std::sort(thresholds.begin(), thresholds.end());
    thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
    counts_[f] = thresholds.size();
    largest_ = std::max(largest_, thresholds.size());
    thresholds.resize(std::max(kRankTableMin, std::bit_ceil(thresholds.size() + 1)),
                      std::numeric_limits<float>::quiet_NaN());
  }
  for (const Column& column : columns.columns()) feature_of_.push_back(column.feature);
}

RankTable Ranking::table(std::size_t column) const {
  const std::uint32_t feature = feature_of_[column];
  return {padded_[feature].data(), padded_[feature].size(), counts_[feature]};
}

std::uint32_t Ranking::rank(std::size_t column, float threshold) const {
  const RankTable ranks = table(column);
  return static_cast<std::uint32_t>(
      std::lower_bound(ranks.thresholds, ranks.thresholds + ranks.count, threshold) -
      ranks.thresholds);
}

std::optional<Lane> rank_lane(std::size_t thresholds) {
  if (thresholds <= kRank8Max) return Lane::kRank8;
  if (thresholds <= kRank16Max) return Lane::kRank16;
  return std::nullopt;
}

// Packs one tree after the other; keeps its memory between them.
class PackedForest::Compiler {
 public:
  Compiler(PackedForest& forest, const ColumnMap& columns, const Ranking& ranking, Lane lane,
           std::size_t column_bytes)
      : forest_(forest),
        columns_(columns),
        ranking_(ranking),
        lane_(lane),
        column_bytes_(column_bytes) {}

  TreeProgram compile(const Tree& tree) {
    TreeProgram program;
    program.first = static_cast<std::uint32_t>(forest_.treelets_.size());
    program.leaves = static_cast<std::uint32_t>(forest_.leaves_.size());
    tree_ = &tree;
    outputs_.clear();
    depth_ = 0;
    measure();
    if (tree.nodes.size() > 2 * kLeavesMax || height_[0] > kLevelsMax) return program;
    emit(0);
    if (outputs_.size() > kLeavesMax) {
      forest_.treelets_.resize(program.first);
      return program;
    }
    program.count = static_cast<std::uint32_t>(forest_.treelets_.size()) - program.first;
    program.table = table_for(outputs_.size());
    forest_.leaves_.insert(forest_.leaves_.end(), outputs_.begin(), outputs_.end());
    forest_.stack_entries_ = std::max(forest_.stack_entries_, deepest_);
    return program;
  }

 private:
  // Levels of comparisons below every node; children come after their parent.
  void measure() {
    height_.assign(tree_->nodes.size(), 0);
    for (std::size_t i = tree_->nodes.size(); i-- > 0;) {
      const TreeNode& node = tree_->nodes[i];
      if (node.is_leaf()) continue;
      height_[i] = 1 + std::max(height_[static_cast<std::size_t>(node.left)],
                                height_[static_cast<std::size_t>(node.right)]);
    }
  }

  // Pads outputs_ to what the smallest fitting table reads.
  LeafTable table_for(std::size_t leaves) {
    constexpr std::size_t kReadMin = 16;
    const std::size_t padded = std::max(kReadMin, std::bit_ceil(leaves));
    if (padded <= 64) outputs_.resize(padded, 0.0F);
    if (leaves <= 8) return LeafTable::k8;
    if (leaves <= 16) return LeafTable::k16;
    if (leaves <= 32) return LeafTable::k32;
    return leaves <= 64 ? LeafTable::k64 : LeafTable::kMany;
  }

  std::uint32_t lane_bits(const TreeNode& node, std::uint32_t column) const {
    if (lane_ == Lane::kFloat32) return std::bit_cast<std::uint32_t>(node.value);
    const std::uint32_t rank = ranking_.rank(column, node.value);
    if (lane_ == Lane::kRank8) return (rank ^ 0x80U) * 0x0101'0101U;
    return (rank ^ 0x8000U) * 0x0001'0001U;
  }

  // A threshold that no row reaches.
  std::uint32_t never() const {
    if (lane_ == Lane::kFloat32) {
      return std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN());
    }
    return lane_ == Lane::kRank8 ? 0x7f7f'7f7fU : 0x7fff'7fffU;
  }

  void push(const Treelet& treelet, std::size_t pops) {
    forest_.treelets_.push_back(treelet);
    depth_ = depth_ + 1 - pops;
    deepest_ = std::max(deepest_, depth_);
  }

  // Appends the steps that leave the number of the leaf below `node` on the stack.
  void emit(std::size_t node) {
    Treelet treelet{};
    treelet.leaf = static_cast<std::uint16_t>(outputs_.size());
    if (tree_->nodes[node].is_leaf()) {
      outputs_.push_back(tree_->nodes[node].value);
      treelet.step = Step::kConstant;
      return push(treelet, 0);
    }
    // The top treelet takes the odd levels, so that those below are full.
    const std::uint32_t levels = (height_[node] - 1) % kTreeletLevels + 1;
    const std::size_t inner = (std::size_t{1} << levels) - 1;
    std::size_t source[(2U << kTreeletLevels) - 1] = {node};
    for (std::size_t i = 0; i < inner; ++i) {
      const TreeNode& at = tree_->nodes[source[i]];
      const std::uint32_t column = at.is_leaf() ? 0 : columns_.of(at);
      treelet.column[i] = static_cast<std::uint32_t>(column * column_bytes_);
      treelet.threshold[i] = at.is_leaf() ? never() : lane_bits(at, column);
      source[2 * i + 1] = at.is_leaf() ? source[i] : static_cast<std::size_t>(at.left);
      source[2 * i + 2] = at.is_leaf() ? source[i] : static_cast<std::size_t>(at.right);
    }
    const bool is_bottom = height_[node] == levels;
    const auto first = static_cast<std::uint32_t>(is_bottom ? Step::kBottom1 : Step::kJoin1);
    treelet.step = static_cast<Step>(first + levels - 1);
    for (std::size_t i = inner; i <= 2 * inner; ++i) {
      if (outputs_.size() > kLeavesMax) return;  // does not fit; compile() drops it
      if (is_bottom) {
        outputs_.push_back(tree_->nodes[source[i]].value);
      } else {
        emit(source[i]);
      }
    }
    push(treelet, is_bottom ? 0 : inner + 1);
  }

  PackedForest& forest_;
  const ColumnMap& columns_;
  const Ranking& ranking_;
  Lane lane_;
  std::size_t column_bytes_;
  const Tree* tree_ = nullptr;
  std::vector<std::uint32_t> height_;
  std::vector<float> outputs_;  // of the leaves, by number
  std::size_t depth_ = 0;
  std::size_t deepest_ = 1;
};

PackedForest::PackedForest(const TreeEnsemble& ensemble, const ColumnMap& columns,
                           const Ranking& ranking, Lane lane, std::size_t column_bytes) {
  Compiler compiler(*this, columns, ranking, lane, column_bytes);
  trees_.reserve(ensemble.trees.size());
  for (const Tree& tree : ensemble.trees) trees_.push_back(compiler.compile(tree));
}

}  // namespace millrace::model::internal
