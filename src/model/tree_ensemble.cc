#include "model/tree_ensemble.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "json/json.h"

namespace millrace::model {
namespace {

constexpr std::string_view kFormat = "millrace-trees";
constexpr int kFormatVersion = 1;

Error bad(std::string text) { return {ErrorCode::kBadModel, std::move(text)}; }

std::string place(std::size_t tree, std::size_t node) {
  return "tree " + std::to_string(tree) + ", node " + std::to_string(node);
}

// Whether `child` may hang below `parent`; marks it as having a parent.
bool take_child(std::vector<bool>& taken, std::size_t parent, std::int32_t child) {
  if (child < 0) return false;
  const auto index = static_cast<std::size_t>(child);
  if (index <= parent || index >= taken.size() || taken[index]) return false;
  taken[index] = true;
  return true;
}

Status check_tree(const Tree& tree, std::size_t number, std::uint32_t features) {
  const std::size_t nodes = tree.nodes.size();
  if (nodes == 0) return bad("tree " + std::to_string(number) + " has no nodes");
  if (nodes > kNodesMax) return bad("tree " + std::to_string(number) + " has too many nodes");
  std::vector<bool> taken(nodes, false);
  taken[0] = true;
  for (std::size_t i = 0; i < nodes; ++i) {
    const TreeNode& node = tree.nodes[i];
    if (!std::isfinite(node.value)) return bad(place(number, i) + ": value is not finite");
    if (node.left == -1 && node.right == -1) continue;
    if (!take_child(taken, i, node.left) || !take_child(taken, i, node.right)) {
      return bad(place(number, i) +
                 ": children must lie after their parent, within the tree, each below one parent");
    }
    if (node.feature >= features) {
      return bad(place(number, i) + ": feature " + std::to_string(node.feature) +
                 ", but rows have " + std::to_string(features));
    }
  }
  const auto orphan = std::find(taken.begin(), taken.end(), false);
  if (orphan != taken.end()) {
    return bad(place(number, static_cast<std::size_t>(orphan - taken.begin())) +
               ": cannot be reached from the root");
  }
  return {};
}

std::string_view name_of(Link link) { return link == Link::kLogistic ? "logistic" : "identity"; }

// A number of the file as a float: rounded to nearest (exact for what to_json() wrote).
Result<float> float_of(const json::Value& value, std::string_view what) {
  if (!value.is_number()) return bad(std::string(what) + ": not a number");
  const auto number = value.get<double>();
  if (!(std::abs(number) <= double{std::numeric_limits<float>::max()})) {
    return bad(std::string(what) + ": not within the range of 32-bit floats");
  }
  return static_cast<float>(number);
}

Result<std::int64_t> integer_of(const json::Value& value, std::string_view what, std::int64_t min,
                                std::int64_t max) {
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX})) {
    return bad(std::string(what) + ": not an integer in range");
  }
  const auto number = value.get<std::int64_t>();
  if (number < min || number > max) {
    return bad(std::string(what) + ": " + std::to_string(number) + " is out of range");
  }
  return number;
}

// The array `key` of a tree; all arrays of a tree are as long as `size` (any, for the first).
Result<const json::Value*> array_of(const json::Value& tree, const char* key, std::size_t number,
                                    std::size_t size) {
  const auto found = tree.find(key);
  const std::string where = "tree " + std::to_string(number) + ": '" + key + "'";
  if (found == tree.end() || !found->is_array()) return bad(where + " is not an array");
  if (found->size() != size) return bad(where + " is not as long as the others");
  return &*found;
}

Result<Tree> tree_from_json(const json::Value& value, std::size_t number) {
  if (!value.is_object() || value.size() != 5) {
    return bad("tree " + std::to_string(number) + ": not an object of the five arrays");
  }
  const auto first = value.find("left");
  const std::size_t size = first != value.end() ? first->size() : 0;
  MILLRACE_ASSIGN(const json::Value* left, array_of(value, "left", number, size));
  MILLRACE_ASSIGN(const json::Value* right, array_of(value, "right", number, size));
  MILLRACE_ASSIGN(const json::Value* feature, array_of(value, "feature", number, size));
  MILLRACE_ASSIGN(const json::Value* values, array_of(value, "value", number, size));
  MILLRACE_ASSIGN(const json::Value* default_left, array_of(value, "default_left", number, size));
  Tree tree;
  tree.nodes.resize(size);
  constexpr std::int64_t kIndexMax = std::numeric_limits<std::int32_t>::max();
  for (std::size_t i = 0; i < size; ++i) {
    TreeNode& node = tree.nodes[i];
    const auto integer = [&](const json::Value& array, const char* key, std::int64_t min,
                             std::int64_t max) -> Result<std::int64_t> {
      auto read = integer_of(array[i], key, min, max);
      return read ? read : Result<std::int64_t>(read.error().with_context(place(number, i)));
    };
    MILLRACE_ASSIGN(const std::int64_t l, integer(*left, "left", -1, kIndexMax));
    MILLRACE_ASSIGN(const std::int64_t r, integer(*right, "right", -1, kIndexMax));
    MILLRACE_ASSIGN(const std::int64_t f, integer(*feature, "feature", 0, kIndexMax));
    MILLRACE_ASSIGN(const std::int64_t d, integer(*default_left, "default_left", 0, 1));
    auto number_read = float_of((*values)[i], "value");
    if (!number_read) return number_read.error().with_context(place(number, i));
    node.left = static_cast<std::int32_t>(l);
    node.right = static_cast<std::int32_t>(r);
    node.feature = static_cast<std::uint32_t>(f);
    node.value = *number_read;
    node.default_left = d == 1;
  }
  return tree;
}

Status check_header(const json::Value& value) {
  if (!value.is_object()) return bad("not a model: the document is not an object");
  const auto format = value.find("format");
  if (format == value.end() || !format->is_string() || format->get<std::string>() != kFormat) {
    return bad("not a model: 'format' is not \"" + std::string(kFormat) + "\"");
  }
  const auto version = value.find("format_version");
  if (version == value.end() || *version != kFormatVersion) {
    return bad("'format_version' is not " + std::to_string(kFormatVersion) +
               "; this program reads no other");
  }
  for (const auto& item : value.items()) {
    constexpr std::string_view kKeys[] = {"format", "format_version", "features",
                                          "link",   "base_margin",    "trees"};
    if (std::find(std::begin(kKeys), std::end(kKeys), item.key()) == std::end(kKeys)) {
      return bad("unknown key '" + item.key() + "'");
    }
  }
  return {};
}

}  // namespace

Status TreeEnsemble::check() const {
  if (features == 0 || features > kFeaturesMax) {
    return bad("'features' must be 1 to " + std::to_string(kFeaturesMax));
  }
  if (!std::isfinite(base_margin)) return bad("'base_margin' is not finite");
  if (trees.size() > kTreesMax) return bad("more than " + std::to_string(kTreesMax) + " trees");
  std::size_t nodes = 0;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    nodes += trees[i].nodes.size();
    if (nodes > kNodesMax) return bad("more than " + std::to_string(kNodesMax) + " nodes");
    MILLRACE_TRY(check_tree(trees[i], i, features));
  }
  return {};
}

json::Value to_json(const TreeEnsemble& ensemble) {
  json::Value trees = json::Value::array();
  for (const Tree& tree : ensemble.trees) {
    json::Value left = json::Value::array();
    json::Value right = json::Value::array();
    json::Value feature = json::Value::array();
    json::Value value = json::Value::array();
    json::Value default_left = json::Value::array();
    for (const TreeNode& node : tree.nodes) {
      left.push_back(node.left);
      right.push_back(node.right);
      feature.push_back(node.feature);
      value.push_back(double{node.value});
      default_left.push_back(node.default_left ? 1 : 0);
    }
    trees.push_back({{"left", std::move(left)},
                     {"right", std::move(right)},
                     {"feature", std::move(feature)},
                     {"value", std::move(value)},
                     {"default_left", std::move(default_left)}});
  }
  json::Value document = {{"format", kFormat},
                          {"format_version", kFormatVersion},
                          {"features", ensemble.features},
                          {"link", name_of(ensemble.link)},
                          {"base_margin", double{ensemble.base_margin}}};
  document["trees"] = std::move(trees);
  return document;
}

Result<TreeEnsemble> tree_ensemble_from_json(const json::Value& value) {
  MILLRACE_TRY(check_header(value));
  TreeEnsemble ensemble;
  for (const char* key : {"features", "link", "base_margin", "trees"}) {
    if (!value.contains(key)) return bad("missing '" + std::string(key) + "'");
  }
  MILLRACE_ASSIGN(const std::int64_t features,
                  integer_of(value["features"], "'features'", 1, kFeaturesMax));
  ensemble.features = static_cast<std::uint32_t>(features);
  if (value["link"] == name_of(Link::kLogistic)) {
    ensemble.link = Link::kLogistic;
  } else if (value["link"] == name_of(Link::kIdentity)) {
    ensemble.link = Link::kIdentity;
  } else {
    return bad("'link' is neither \"logistic\" nor \"identity\"");
  }
  MILLRACE_ASSIGN(ensemble.base_margin, float_of(value["base_margin"], "'base_margin'"));
  const json::Value& trees = value["trees"];
  if (!trees.is_array()) return bad("'trees' is not an array");
  if (trees.size() > kTreesMax) return bad("more than " + std::to_string(kTreesMax) + " trees");
  ensemble.trees.reserve(trees.size());
  for (std::size_t i = 0; i < trees.size(); ++i) {
    MILLRACE_ASSIGN(Tree tree, tree_from_json(trees[i], i));
    ensemble.trees.push_back(std::move(tree));
  }
  MILLRACE_TRY(ensemble.check());
  return ensemble;
}

float apply_link(Link link, float margin) {
  if (link == Link::kIdentity) return margin;
  constexpr float kExponentMax = 88.7F;  // exp() of more overflows
  constexpr float kTiny = 1e-16F;
  const float x = std::min(-margin, kExponentMax);
  const float denominator = ::expf(x) + 1.0F + kTiny;
  return 1.0F / denominator;
}

float predict_margin_reference(const TreeEnsemble& ensemble, std::span<const double> row) {
  float sum = ensemble.base_margin;
  for (const Tree& tree : ensemble.trees) {
    const TreeNode* node = tree.nodes.data();
    while (!node->is_leaf()) {
      const auto value = static_cast<float>(row[node->feature]);
      const bool left = std::isnan(value) ? node->default_left : value < node->value;
      node = &tree.nodes[static_cast<std::size_t>(left ? node->left : node->right)];
    }
    sum += node->value;
  }
  return sum;
}

}  // namespace millrace::model
