#include "convert/xgboost.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json.h"

namespace millrace::convert {
namespace {

// XGBoost writes floats as the shortest decimals that read back as floats. Numbers of this document
// type are floats too, so that they are read by strtof and rounded once.
using FloatJson = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                       std::uint64_t, float>;

constexpr int kDepthMax = 16;  // of the document, not of trees; XGBoost's needs 7

Error bad(const std::string& what) { return Error(ErrorCode::kBadModel, "XGBoost model: " + what); }

Error not_supported(const std::string& what) { return bad(what + " is not supported"); }

Result<FloatJson> parse(std::string_view text) {
  if (text.size() > kXgboostJsonBytesMax) {
    return Error(ErrorCode::kLimitExceeded, "XGBoost model: larger than 512 MiB");
  }
  bool too_deep = false;
  const auto watch = [&too_deep](int depth, FloatJson::parse_event_t, FloatJson&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  try {
    FloatJson value = FloatJson::parse(text.begin(), text.end(), watch);
    if (too_deep) return bad("nested too deeply to be one");
    return value;
  } catch (const FloatJson::exception&) {
    return bad("not valid JSON (a model saved as UBJSON or by pickle? save it as .json)");
  }
}

Result<const FloatJson*> member(const FloatJson& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) {
    return bad("'" + std::string(key) + "' is missing");
  }
  return &object.at(key);
}

Result<const FloatJson*> member(const FloatJson& object, std::initializer_list<const char*> path) {
  const FloatJson* at = &object;
  for (const char* key : path) {
    MILLRACE_ASSIGN(at, member(*at, key));
  }
  return at;
}

Result<std::string> text_member(const FloatJson& object, const char* key) {
  MILLRACE_ASSIGN(const FloatJson* value, member(object, key));
  if (!value->is_string()) return bad("'" + std::string(key) + "' is not text");
  return value->get<std::string>();
}

// XGBoost's parameters are numbers written as text.
template <class Number>
Result<Number> number_member(const FloatJson& object, const char* key) {
  MILLRACE_ASSIGN(const std::string text, text_member(object, key));
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return bad("'" + std::string(key) + "' is not a number");
  }
  return number;
}

// The same for a parameter that older versions leave out.
Result<std::int64_t> number_or(const FloatJson& object, const char* key, std::int64_t otherwise) {
  if (!object.is_object() || !object.contains(key)) return otherwise;
  return number_member<std::int64_t>(object, key);
}

// What of the learner decides the meaning of the trees.
struct Head {
  model::Link link = model::Link::kLogistic;
  float base_margin = 0;
  std::uint32_t features = 0;
};

Result<Head> read_head(const FloatJson& learner) {
  Head head;
  MILLRACE_ASSIGN(const FloatJson* objective, member(learner, "objective"));
  MILLRACE_ASSIGN(const std::string name, text_member(*objective, "name"));
  constexpr std::array<std::string_view, 4> kObjectives = {
      "binary:logistic", "reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"};
  if (std::find(kObjectives.begin(), kObjectives.end(), name) == kObjectives.end()) {
    return not_supported("objective '" + name.substr(0, 100) + "'");
  }
  head.link = name == "binary:logistic" ? model::Link::kLogistic : model::Link::kIdentity;
  MILLRACE_ASSIGN(const FloatJson* parameters, member(learner, "learner_model_param"));
  MILLRACE_ASSIGN(const std::int64_t classes, number_or(*parameters, "num_class", 0));
  if (classes > 1) return not_supported("multiclass");
  MILLRACE_ASSIGN(const std::int64_t targets, number_or(*parameters, "num_target", 1));
  if (targets > 1) return not_supported("a model of several targets");
  MILLRACE_ASSIGN(head.features, number_member<std::uint32_t>(*parameters, "num_feature"));
  MILLRACE_ASSIGN(const float base_score, number_member<float>(*parameters, "base_score"));
  if (head.link == model::Link::kIdentity) {
    head.base_margin = base_score;
  } else if (base_score > 0 && base_score < 1) {
    // As LogisticRegression::ProbToMargin of XGBoost, in float.
    head.base_margin = -std::log(1.0F / base_score - 1.0F);
  } else {
    return bad("'base_score' of a logistic model must lie between 0 and 1");
  }
  if (!std::isfinite(head.base_margin)) return bad("'base_score' is not finite");
  return head;
}

// One tree's arrays, by XGBoost's node numbers. All are as long as `left`.
struct Columns {
  std::vector<std::int64_t> left;
  std::vector<std::int64_t> right;
  std::vector<std::int64_t> feature;
  std::vector<std::int64_t> default_left;
  std::vector<float> value;
};

Status read_integers(const FloatJson& tree, const char* key, std::vector<std::int64_t>& out) {
  MILLRACE_ASSIGN(const FloatJson* array, member(tree, key));
  if (!array->is_array()) return bad("'" + std::string(key) + "' is not an array");
  out.reserve(array->size());
  for (const FloatJson& item : *array) {
    if (item.is_boolean()) {  // default_left before 1.7
      out.push_back(item.get<bool>() ? 1 : 0);
    } else if (item.is_number_integer()) {
      out.push_back(item.get<std::int64_t>());
    } else {
      return bad("'" + std::string(key) + "' holds something that is not an integer");
    }
  }
  return {};
}

Status read_floats(const FloatJson& tree, const char* key, std::vector<float>& out) {
  MILLRACE_ASSIGN(const FloatJson* array, member(tree, key));
  if (!array->is_array()) return bad("'" + std::string(key) + "' is not an array");
  out.reserve(array->size());
  for (const FloatJson& item : *array) {
    if (!item.is_number()) return bad("'" + std::string(key) + "' holds no number at a place");
    out.push_back(item.get<float>());
  }
  return {};
}

Status refuse_categories(const FloatJson& tree) {
  if (tree.contains("categories") && !tree.at("categories").empty()) {
    return not_supported("a categorical split");
  }
  if (!tree.contains("split_type")) return {};
  std::vector<std::int64_t> types;
  MILLRACE_TRY(read_integers(tree, "split_type", types));
  for (const std::int64_t type : types) {
    if (type != 0) return not_supported("a categorical split");
  }
  return {};
}

Result<Columns> read_columns(const FloatJson& tree) {
  if (!tree.is_object()) return bad("a tree is not an object");
  MILLRACE_TRY(refuse_categories(tree));
  if (tree.contains("tree_param")) {
    MILLRACE_ASSIGN(const std::int64_t size,
                    number_or(tree.at("tree_param"), "size_leaf_vector", 0));
    if (size > 1) return not_supported("a leaf with several values");
  }
  Columns columns;
  MILLRACE_TRY(read_integers(tree, "left_children", columns.left));
  MILLRACE_TRY(read_integers(tree, "right_children", columns.right));
  MILLRACE_TRY(read_integers(tree, "split_indices", columns.feature));
  MILLRACE_TRY(read_integers(tree, "default_left", columns.default_left));
  MILLRACE_TRY(read_floats(tree, "split_conditions", columns.value));
  const std::size_t nodes = columns.left.size();
  if (nodes == 0 || columns.right.size() != nodes || columns.feature.size() != nodes ||
      columns.default_left.size() != nodes || columns.value.size() != nodes) {
    return bad("the arrays of a tree are not of one length");
  }
  return columns;
}

// Our tree of the nodes that the root reaches, breadth first.
Result<model::Tree> build_tree(const Columns& from) {
  model::Tree tree;
  std::vector<std::size_t> queue = {0};
  std::vector<bool> seen(from.left.size(), false);
  seen[0] = true;
  const auto take = [&](std::int64_t child) -> Result<std::int32_t> {
    if (child < 0 || static_cast<std::size_t>(child) >= seen.size() ||
        seen[static_cast<std::size_t>(child)]) {
      return bad("a node's child is out of range, or has two parents");
    }
    seen[static_cast<std::size_t>(child)] = true;
    queue.push_back(static_cast<std::size_t>(child));
    return static_cast<std::int32_t>(queue.size() - 1);
  };
  for (std::size_t i = 0; i < queue.size(); ++i) {  // grows while it is walked, each node once
    const std::size_t at = queue[i];
    model::TreeNode node;
    node.value = from.value[at];
    if (from.left[at] != -1) {
      if (from.feature[at] < 0 || from.feature[at] > std::numeric_limits<std::int32_t>::max()) {
        return bad("a split's feature is out of range");
      }
      node.feature = static_cast<std::uint32_t>(from.feature[at]);
      node.default_left = from.default_left[at] != 0;
      MILLRACE_ASSIGN(node.left, take(from.left[at]));
      MILLRACE_ASSIGN(node.right, take(from.right[at]));
    } else if (from.right[at] != -1) {
      return bad("a node has only a right child");
    }
    tree.nodes.push_back(node);
  }
  return tree;
}

Status refuse_groups(const FloatJson& booster_model) {
  if (!booster_model.is_object() || !booster_model.contains("tree_info")) return {};
  std::vector<std::int64_t> groups;
  MILLRACE_TRY(read_integers(booster_model, "tree_info", groups));
  for (const std::int64_t group : groups) {
    if (group != 0) return not_supported("multiclass");
  }
  return {};
}

}  // namespace

Result<model::TreeEnsemble> tree_ensemble_from_xgboost_json(std::string_view json) {
  MILLRACE_ASSIGN(const FloatJson document, parse(json));
  MILLRACE_ASSIGN(const FloatJson* learner, member(document, "learner"));
  MILLRACE_ASSIGN(const FloatJson* booster, member(*learner, "gradient_booster"));
  MILLRACE_ASSIGN(const std::string name, text_member(*booster, "name"));
  if (name != "gbtree") return not_supported("booster '" + name.substr(0, 100) + "'");
  MILLRACE_ASSIGN(const Head head, read_head(*learner));
  MILLRACE_ASSIGN(const FloatJson* trees, member(*booster, {"model", "trees"}));
  if (!trees->is_array()) return bad("'trees' is not an array");
  if (trees->size() > model::kTreesMax) return bad("it has too many trees");
  MILLRACE_TRY(refuse_groups(booster->at("model")));

  model::TreeEnsemble ensemble;
  ensemble.features = head.features;
  ensemble.link = head.link;
  ensemble.base_margin = head.base_margin;
  ensemble.trees.reserve(trees->size());
  for (std::size_t i = 0; i < trees->size(); ++i) {
    auto columns = read_columns((*trees)[i]);
    if (!columns) return columns.error().with_context("tree " + std::to_string(i));
    auto tree = build_tree(*columns);
    if (!tree) return tree.error().with_context("tree " + std::to_string(i));
    ensemble.trees.push_back(std::move(*tree));
  }
  MILLRACE_TRY(ensemble.check());
  return ensemble;
}

}  // namespace millrace::convert
