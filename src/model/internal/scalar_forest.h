// Trees for one row after the other, without vector instructions and almost without branches.
#pragma once

#include <cstdint>
#include <vector>

#include "model/internal/columns.h"
#include "model/tree_ensemble.h"

namespace millrace::model::internal {

// Small and bushy trees are padded to perfect ones, where the way down is arithmetic; the others
// are walked by child links. Immutable after construction.
class ScalarForest {
 public:
  ScalarForest(const TreeEnsemble& ensemble, const ColumnMap& columns);

  std::size_t trees() const { return trees_.size(); }
  // Adds the output of tree `tree` for each row to its sum. `rows`: `count` rows of columns as
  // ColumnMap::fill_row writes them, `width` apart.
  void add(std::size_t tree, const float* rows, std::size_t width, std::size_t count,
           float* sums) const;

 private:
  struct Node {
    std::uint32_t column = 0;
    float threshold = 0;
  };
  struct LinkedNode {
    std::uint32_t column = 0;
    float value = 0;         // threshold or output
    std::uint32_t left = 0;  // the right child follows; 0: a leaf
  };
  struct Entry {
    bool perfect = true;
    std::uint32_t depth = 0;
    std::size_t first = 0;       // in nodes_ or linked_
    std::size_t first_leaf = 0;  // in leaves_
  };

  void pack_perfect(const Tree& tree, const ColumnMap& columns, Entry& entry);
  void pack_linked(const Tree& tree, const ColumnMap& columns, Entry& entry);
  template <std::uint32_t kDepth>
  void add_perfect(const Entry& entry, const float* rows, std::size_t width, std::size_t count,
                   float* sums) const;
  void add_linked(const Entry& entry, const float* rows, std::size_t width, std::size_t count,
                  float* sums) const;

  std::vector<Entry> trees_;
  std::vector<Node> nodes_;
  std::vector<float> leaves_;
  std::vector<LinkedNode> linked_;
};

// Levels of comparisons; 0 for a tree that is one leaf.
std::uint32_t depth_of(const Tree& tree);

}  // namespace millrace::model::internal
