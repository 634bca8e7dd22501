// A boosted tree ensemble as data, and the plain reference predictor that defines its meaning.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/feature_batch.h"
#include "json/fwd.h"

namespace millrace::model {

// A node of a tree. A leaf has left = -1 and its value in `value`; otherwise a row goes left when
// float(row[feature]) < value, right when not, and to the default side when the feature is NaN.
struct TreeNode {
  std::int32_t left = -1;
  std::int32_t right = -1;
  std::uint32_t feature = 0;
  float value = 0;  // threshold, or the leaf's output
  bool default_left = true;
  bool is_leaf() const { return left < 0; }
};

struct Tree {
  std::vector<TreeNode> nodes;  // node 0 is the root; children come after their parent
};

enum class Link { kIdentity, kLogistic };

struct TreeEnsemble {
  std::uint32_t features = 0;  // columns of a row
  Link link = Link::kLogistic;
  float base_margin = 0;    // added first, before link
  std::vector<Tree> trees;  // their outputs are added in this order, in float

  // Structure is sound: children in range and after their parent (so no cycles), every node but the
  // root below exactly one parent, features in range, finite values, at most kFeaturesMax columns,
  // kTreesMax trees and kNodesMax nodes. Errors: kBadModel naming tree and node.
  Status check() const;
};

inline constexpr std::uint32_t kFeaturesMax = 65'536;
inline constexpr std::size_t kTreesMax = 100'000;
inline constexpr std::size_t kNodesMax = 50'000'000;

json::Value to_json(const TreeEnsemble& ensemble);                       // docs/formats/model.md
Result<TreeEnsemble> tree_ensemble_from_json(const json::Value& value);  // checks structure

// link(margin) as XGBoost 1.7 computes it, in float: 1 / (1 + exp(min(-margin, 88.7)) + 1e-16).
float apply_link(Link link, float margin);

// The definition: one row, node by node. Same float operations in the same order as XGBoost's CPU
// predictor, so the result is equal bit for bit. `row` has ensemble.features values.
float predict_margin_reference(const TreeEnsemble& ensemble, std::span<const double> row);

}  // namespace millrace::model
