#include "model/testing/random_ensemble.h"

#include <cmath>
#include <limits>
#include <vector>

namespace millrace::model {
namespace {

// The i-th threshold of a feature: a fixed function, so that rows can hit it exactly.
float threshold(std::uint32_t feature, std::size_t i) {
  if (i == 0) return 0.0F;
  const auto step = static_cast<float>(i);
  return (i % 2 == 0 ? step : -step) * (0.1F + 0.01F * static_cast<float>(feature % 7));
}

void grow(env::Random& random, const RandomShape& shape, Tree& tree, std::size_t node,
          std::size_t depth) {
  const bool leaf = depth >= shape.depth_max || random.uniform() < shape.leaf_chance;
  if (leaf) {
    tree.nodes[node].value = static_cast<float>(random.normal() * 0.3);
    return;
  }
  const auto feature = static_cast<std::uint32_t>(random.below(shape.features));
  const std::size_t left = tree.nodes.size();
  tree.nodes.resize(left + 2);
  tree.nodes[node] = {static_cast<std::int32_t>(left), static_cast<std::int32_t>(left + 1), feature,
                      threshold(feature, random.below(shape.thresholds_per_feature)),
                      random.below(2) == 0};
  grow(random, shape, tree, left, depth + 1);
  grow(random, shape, tree, left + 1, depth + 1);
}

double random_value(env::Random& random, std::uint32_t feature) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kOdd[] = {kInfinity, -kInfinity, 0.0,   -0.0,
                             1e-310,    -1e-42,     1e300, -std::numeric_limits<double>::max()};
  const std::uint64_t kind = random.below(20);
  if (kind < 2) return std::numeric_limits<double>::quiet_NaN();
  if (kind < 4) return kOdd[random.below(std::size(kOdd))];
  const float at = threshold(feature, random.below(40));
  if (kind < 8) return double{at};
  if (kind < 9) return double{std::nextafter(at, -1e9F)};
  if (kind < 10) return double{at} * (1 + 1e-9);  // rounds to the threshold as a float
  return random.normal() * 2;
}

}  // namespace

TreeEnsemble random_ensemble(env::Random& random, const RandomShape& shape) {
  TreeEnsemble ensemble;
  ensemble.features = shape.features;
  ensemble.link = random.below(4) == 0 ? Link::kIdentity : Link::kLogistic;
  ensemble.base_margin = static_cast<float>(random.normal());
  ensemble.trees.resize(shape.trees);
  for (Tree& tree : ensemble.trees) {
    tree.nodes.resize(1);
    grow(random, shape, tree, 0, 0);
  }
  return ensemble;
}

data::FeatureBatch random_rows(env::Random& random, const TreeEnsemble& ensemble,
                               std::size_t rows) {
  data::FeatureBatch batch(ensemble.features);
  const bool plain = random.below(3) == 0;  // some batches without anything odd
  for (std::size_t i = 0; i < rows; ++i) {
    std::uint32_t feature = 0;
    for (double& value : batch.add_row()) {
      value = plain ? random.normal() * 2 : random_value(random, feature);
      ++feature;
    }
  }
  return batch;
}

}  // namespace millrace::model
