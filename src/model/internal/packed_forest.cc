#include "model/internal/packed_forest.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace millrace::model::internal {
namespace {

constexpr std::size_t kLevelsMax = 24;   // of a packed tree; bounds the recursion
constexpr std::size_t kLeavesMax = 256;  // numbers that fit an 8-bit lane
constexpr std::uint32_t kTreeletLevels = 3;

std::size_t padded_size(std::size_t thresholds) {
  return std::max(kRankTableMin, std::bit_ceil(thresholds + 1));
}

}  // namespace

Ranking::Ranking(const TreeEnsemble& ensemble) {
  std::vector<std::vector<float>> by_feature(ensemble.features);
  for (const Tree& tree : ensemble.trees) {
    for (const TreeNode& node : tree.nodes) {
      if (!node.is_leaf()) by_feature[node.feature].push_back(node.value);
    }
  }
  first_page_.reserve(by_feature.size() + 1);
  for (std::vector<float>& all : by_feature) {
    first_page_.push_back(pages_.size());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (std::size_t at = 0; at < all.size(); at += kRanksMax) {
      const std::size_t count = std::min(kRanksMax, all.size() - at);
      const std::size_t first = thresholds_.size();
      pages_.push_back({first, count});
      thresholds_.resize(first + padded_size(count), std::numeric_limits<float>::quiet_NaN());
      std::copy_n(all.data() + at, count, thresholds_.data() + first);
    }
  }
  first_page_.push_back(pages_.size());
}

RankTable Ranking::table(std::uint32_t feature, std::uint32_t page) const {
  const Page& found = pages_[first_page_[feature] + page];
  return {thresholds_.data() + found.first, padded_size(found.count), found.count};
}

Ranking::Place Ranking::place(std::uint32_t feature, float threshold) const {
  const auto begin = pages_.begin() + static_cast<std::ptrdiff_t>(first_page_[feature]);
  const auto end = pages_.begin() + static_cast<std::ptrdiff_t>(first_page_[feature + 1]);
  // The last page that starts at or below the threshold.
  const auto after = std::upper_bound(begin, end, threshold, [&](float value, const Page& page) {
    return value < thresholds_[page.first];
  });
  const auto page = static_cast<std::uint32_t>(after - begin - 1);
  const RankTable ranks = table(feature, page);
  std::size_t rank = 0;  // halving without branches: every node of the ensemble comes by here
  for (std::size_t step = ranks.padded / 2; step > 0; step /= 2) {
    rank += ranks.thresholds[rank + step - 1] < threshold ? step : 0;
  }
  return {page, static_cast<std::uint32_t>(rank)};
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
        column_bytes_(column_bytes),
        lane_columns_(columns.size()) {}

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

  // Sets a comparison of `treelet` to that of an inner node.
  void compare(Treelet& treelet, std::size_t i, const TreeNode& node) {
    const std::uint32_t column = columns_.of(node);
    if (lane_ == Lane::kFloat32) {
      treelet.column[i] = static_cast<std::uint32_t>(column * column_bytes_);
      treelet.threshold[i] = std::bit_cast<std::uint32_t>(node.value);
      return;
    }
    constexpr std::uint32_t kSign = 0x80;  // ranks are compared as signed numbers
    const Ranking::Place place = ranking_.place(node.feature, node.value);
    treelet.column[i] = static_cast<std::uint32_t>(lane_column(column, place.page) * column_bytes_);
    treelet.threshold[i] = (place.rank ^ kSign) * 0x0101'0101U;
  }

  // Sets a comparison to one that no row passes.
  void never(Treelet& treelet, std::size_t i) const {
    constexpr std::uint32_t kLargestRank = 0x7f7f'7f7fU;
    treelet.column[i] = 0;
    treelet.threshold[i] =
        lane_ == Lane::kFloat32
            ? std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN())
            : kLargestRank;
  }

  std::size_t lane_column(std::uint32_t column, std::uint32_t page) {
    std::vector<std::size_t>& pages = lane_columns_[column];
    if (pages.size() <= page) pages.resize(page + 1, kNone);
    if (pages[page] == kNone) {
      pages[page] = forest_.lane_columns_.size();
      forest_.lane_columns_.push_back({column, page});
    }
    return pages[page];
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
      if (at.is_leaf()) {
        never(treelet, i);
      } else {
        compare(treelet, i, at);
      }
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
  static constexpr std::size_t kNone = SIZE_MAX;
  std::vector<std::vector<std::size_t>> lane_columns_;  // by column and page
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
