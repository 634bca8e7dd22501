// Random trees and rows for tests and benchmarks: every shape that a model file may hold.
#pragma once

#include <cstdint>

#include "data/feature_batch.h"
#include "env/random.h"
#include "model/tree_ensemble.h"

namespace millrace::model {

struct RandomShape {
  std::uint32_t features = 10;
  std::size_t trees = 20;
  std::size_t depth_max = 4;
  double leaf_chance = 0.1;                 // that a node above the largest depth is a leaf
  std::size_t thresholds_per_feature = 20;  // drawn from so many values, so that duplicates occur
};

// The same generator state gives the same ensemble.
TreeEnsemble random_ensemble(env::Random& random, const RandomShape& shape);

// Rows with ordinary values, values equal to thresholds of the ensemble, NaN, infinities, signed
// zeros and denormals.
data::FeatureBatch random_rows(env::Random& random, const TreeEnsemble& ensemble, std::size_t rows);

}  // namespace millrace::model
