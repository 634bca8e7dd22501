// Plain data between the packed forest (packed_forest.h) and the vector kernels (lanes_*.cc).
//
// The kernels are compiled for newer CPUs than the rest of the program. This header, and what they
// include besides it, must therefore hold no inline functions: the linker could keep the copy that
// was compiled for the newer CPU and run it everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::model::internal {

// What stands for a value in a vector lane: its rank among (up to 255 of) the feature's thresholds,
// or the float itself. A row goes right at a node when lane > threshold (ranks, as signed numbers)
// or lane >= threshold (floats).
enum class Lane : std::uint8_t { kRank8, kFloat32 };

// One step of a tree's program for a stack machine whose stack holds, for every row, numbers of
// leaves. A treelet is a perfect tree of 1 to 3 levels.
enum class Step : std::uint8_t {
  kConstant,  // push `leaf`
  kBottom1,   // push leaf + path of a treelet of 1, 2, 3 levels whose exits are leaves
  kBottom2,
  kBottom3,
  kJoin1,  // pop 2, 4, 8 numbers, push the one that the treelet's path chooses
  kJoin2,
  kJoin3,
};

struct Treelet {
  std::uint32_t column[7];     // byte offset of the column in a block; level by level
  std::uint32_t threshold[7];  // lane bits, repeated to 32 bits
  std::uint16_t leaf = 0;
  Step step = Step::kConstant;
  std::uint8_t padding = 0;
};

// How leaf outputs are looked up: from so many leaves in registers, or by gathers.
enum class LeafTable : std::uint8_t { k8, k16, k32, k64, kMany };

struct TreeProgram {
  std::uint32_t first = 0;   // treelet
  std::uint32_t count = 0;   // treelets; 0: not packed, ScalarForest adds this tree
  std::uint32_t leaves = 0;  // index of the first leaf output, padded as `table` wants
  LeafTable table = LeafTable::k8;
};

// A run of packed trees over a block of rows.
struct RunJob {
  const Treelet* treelets;
  const TreeProgram* trees;  // all packed
  std::size_t tree_count;
  const float* leaves;
  const unsigned char* columns;  // one after the other, `groups_max` vectors each
  unsigned char* stack;          // entries of `groups_max` vectors
  std::size_t groups;            // vectors of rows in this block
  std::size_t groups_max;
  float* sums;  // groups * lanes
};

// A page of a feature's thresholds: up to kRanksMax of them, ascending, padded with NaN (which no
// value reaches) to a power of two, at least kRankTableMin.
struct RankTable {
  const float* thresholds;
  std::size_t padded;  // length
  std::size_t count;   // real thresholds
};
inline constexpr std::size_t kRankTableMin = 32;
inline constexpr std::size_t kRanksMax = 255;

// Writes `count` lanes (a multiple of the vector's) for values without NaN.
using EncodeFunction = void (*)(const float* values, std::size_t count, const RankTable& table,
                                void* lanes);
using RunFunction = void (*)(const RunJob& job);
struct Kernel {
  const char* name;
  Lane lane;
  std::size_t vector_bytes;
  std::size_t lanes;
  EncodeFunction encode;  // of kRank8 only
  RunFunction run;
};

// Defined in lanes_avx2.cc and lanes_avx512.cc; to be called only on CPUs that have them.
extern const Kernel kAvx2Kernels[2];
extern const Kernel kAvx512Kernels[2];

}  // namespace millrace::model::internal
