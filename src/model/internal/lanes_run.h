// The stack machine of lanes.h over a vector type; included by lanes_*.cc only, each of which
// instantiates it with types of its own unnamed namespace.
//
// A Traits has: Vector (numbers of leaves, one a lane), Values (a column's lanes), Mask, kLanes,
// load, store, load_values, splat, right(values, threshold) -> Mask, select(mask, no, yes), add,
// number(i) -> Vector; and Table<LeafTable> with add_leaves(stack, leaves, groups, sums).
#pragma once

#include "model/internal/lanes.h"

namespace millrace::model::internal {

template <class Traits, int kNodes>
struct Thresholds {
  explicit Thresholds(const Treelet& treelet, const unsigned char* columns) {
    for (int i = 0; i < kNodes; ++i) {
      column[i] = columns + treelet.column[i];
      threshold[i] = Traits::splat(treelet.threshold[i]);
    }
  }
  typename Traits::Mask right(int node, std::size_t offset) const {
    return Traits::right(Traits::load_values(column[node] + offset), threshold[node]);
  }
  const unsigned char* column[kNodes];
  typename Traits::Values threshold[kNodes];
};

template <class Traits, int kLevels, class Exit>
[[gnu::always_inline]] inline typename Traits::Vector choose(
    const Thresholds<Traits, (1 << kLevels) - 1>& t, std::size_t offset, Exit exit) {
  const auto at = [&](int parent, int first) __attribute__((always_inline)) {
    return Traits::select(t.right(parent, offset), exit(first), exit(first + 1));
  };
  if constexpr (kLevels == 1) {
    return at(0, 0);
  } else if constexpr (kLevels == 2) {
    return Traits::select(t.right(0, offset), at(1, 0), at(2, 2));
  } else {
    const auto left = Traits::select(t.right(1, offset), at(3, 0), at(4, 2));
    const auto right = Traits::select(t.right(2, offset), at(5, 4), at(6, 6));
    return Traits::select(t.right(0, offset), left, right);
  }
}

template <class Traits, int kLevels>
void bottom(const RunJob& job, const Treelet& treelet, unsigned char* top) {
  const Thresholds<Traits, (1 << kLevels) - 1> thresholds(treelet, job.columns);
  const auto base = Traits::number(treelet.leaf);
  for (std::size_t g = 0; g < job.groups; ++g) {
    const std::size_t offset = g * Traits::kBytes;
    const auto path = choose<Traits, kLevels>(
        thresholds, offset, [](int i) __attribute__((always_inline)) { return Traits::number(i); });
    Traits::store(top + offset, Traits::add(path, base));
  }
}

template <class Traits, int kLevels>
void join(const RunJob& job, const Treelet& treelet, unsigned char* first) {
  const Thresholds<Traits, (1 << kLevels) - 1> thresholds(treelet, job.columns);
  const std::size_t entry = job.groups_max * Traits::kBytes;
  for (std::size_t g = 0; g < job.groups; ++g) {
    const std::size_t offset = g * Traits::kBytes;
    unsigned char* const at = first + offset;
    const auto chosen = choose<Traits, kLevels>(
        thresholds, offset, [&](int i) __attribute__((always_inline)) {
          return Traits::load(at + static_cast<std::size_t>(i) * entry);
        });
    Traits::store(at, chosen);
  }
}

// Runs one tree; the numbers of its leaves end at the bottom of the stack.
template <class Traits>
void run_tree(const RunJob& job, const TreeProgram& tree) {
  const std::size_t entry = job.groups_max * Traits::kBytes;
  unsigned char* top = job.stack;
  const Treelet* const end = job.treelets + tree.first + tree.count;
  for (const Treelet* treelet = job.treelets + tree.first; treelet != end; ++treelet) {
    switch (treelet->step) {
      case Step::kConstant:
        for (std::size_t g = 0; g < job.groups; ++g) {
          Traits::store(top + g * Traits::kBytes, Traits::number(treelet->leaf));
        }
        break;
      case Step::kBottom1:
        bottom<Traits, 1>(job, *treelet, top);
        break;
      case Step::kBottom2:
        bottom<Traits, 2>(job, *treelet, top);
        break;
      case Step::kBottom3:
        bottom<Traits, 3>(job, *treelet, top);
        break;
      case Step::kJoin1:
        top -= 2 * entry;
        join<Traits, 1>(job, *treelet, top);
        break;
      case Step::kJoin2:
        top -= 4 * entry;
        join<Traits, 2>(job, *treelet, top);
        break;
      case Step::kJoin3:
        top -= 8 * entry;
        join<Traits, 3>(job, *treelet, top);
        break;
    }
    top += entry;
  }
}

// Adds the outputs of the leaves at the bottom of the stack, one vector of floats at a time.
template <class Traits, class Table>
void add_leaves(const RunJob& job, const float* leaves) {
  const Table table(leaves);
  constexpr std::size_t kParts = Traits::kLanes / Table::kFloats;
  for (std::size_t g = 0; g < job.groups; ++g) {
    const unsigned char* const numbers = job.stack + g * Traits::kBytes;
    float* const sums = job.sums + g * Traits::kLanes;
    for (std::size_t part = 0; part < kParts; ++part) {
      table.add(Traits::widen(numbers, part), sums + part * Table::kFloats);
    }
  }
}

// `Tables`: Table8 ... TableMany.
template <class Traits, class Tables>
void run(const RunJob& job) {
  for (std::size_t i = 0; i < job.tree_count; ++i) {
    const TreeProgram& tree = job.trees[i];
    run_tree<Traits>(job, tree);
    const float* const leaves = job.leaves + tree.leaves;
    switch (tree.table) {
      case LeafTable::k8:
        add_leaves<Traits, typename Tables::Table8>(job, leaves);
        break;
      case LeafTable::k16:
        add_leaves<Traits, typename Tables::Table16>(job, leaves);
        break;
      case LeafTable::k32:
        add_leaves<Traits, typename Tables::Table32>(job, leaves);
        break;
      case LeafTable::k64:
        add_leaves<Traits, typename Tables::Table64>(job, leaves);
        break;
      case LeafTable::kMany:
        add_leaves<Traits, typename Tables::TableMany>(job, leaves);
        break;
    }
  }
}

}  // namespace millrace::model::internal
