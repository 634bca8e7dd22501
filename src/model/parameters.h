// Training parameters as plain values; spec reads them from YAML, train uses them, the manifest
// keeps them.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::model {

enum class Algorithm { kGradientBoosting, kArima };
enum class Objective { kBinary, kRegression };
// Of a regression. Pseudo-Huber: s^2 (sqrt(1 + (r / s)^2) - 1), squared near 0, absolute far away.
enum class Loss { kSquared, kAbsolute, kPseudoHuber };
enum class ClassWeight { kNone, kBalanced };

struct TrainingParameters {
  Algorithm algorithm = Algorithm::kGradientBoosting;
  Objective objective = Objective::kBinary;
  std::uint32_t trees = 100;      // 1 to 10,000
  std::uint32_t depth = 3;        // 1 to 16
  double learning_rate = 0.1;     // (0, 1]
  double subsample = 1.0;         // (0, 1], rows a tree
  double column_sample = 1.0;     // (0, 1], columns a tree
  double min_child_weight = 1.0;  // >= 0, sum of hessians
  double l2 = 1.0;                // >= 0
  double min_split_gain = 0.0;    // >= 0
  std::uint32_t bins = 256;       // 2 to 65,536, of the histogram method
  Loss loss = Loss::kSquared;
  double huber_slope = 1.0;  // > 0, where pseudo-Huber turns, in the target's unit
  ClassWeight class_weight = ClassWeight::kNone;
  std::uint64_t seed = 42;
  double threshold = 0.5;  // label = positive from this published probability on, [0, 1]
};

}  // namespace millrace::model
