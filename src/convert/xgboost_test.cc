#include "convert/xgboost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "env/random.h"
#include "json/json.h"

namespace millrace::convert {
namespace {

using testing::HasSubstr;

// As XGBoost 1.7.4 saves a model of one split, three features.
json::Value model_json() {
  const auto value = json::parse(R"({"learner":{"attributes":{},"feature_names":[],
      "feature_types":[],"gradient_booster":{"model":{
        "gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1","size_leaf_vector":"0"},
        "tree_info":[0],
        "trees":[{"base_weights":[0E0,0E0,0E0],"categories":[],"categories_nodes":[],
          "categories_segments":[],"categories_sizes":[],"default_left":[1,0,0],"id":0,
          "left_children":[1,-1,-1],"loss_changes":[2E0,0E0,0E0],"parents":[2147483647,0,0],
          "right_children":[2,-1,-1],"split_conditions":[5.448832E-1,-4.8000002E-1,4.666667E-1],
          "split_indices":[2,0,0],"split_type":[0,0,0],"sum_hessian":[7E0,4E0,3E0],
          "tree_param":{"num_deleted":"0","num_feature":"3","num_nodes":"3",
                        "size_leaf_vector":"0"}}]},"name":"gbtree"},
      "learner_model_param":{"base_score":"2.5E-1","boost_from_average":"1","num_class":"0",
                             "num_feature":"3","num_target":"1"},
      "objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}},
      "version":[1,7,4]})",
                                 "test");
  EXPECT_TRUE(value);
  return *value;
}

json::Value& tree(json::Value& model) {
  return model["learner"]["gradient_booster"]["model"]["trees"][0];
}

std::string refusal(const json::Value& model) {
  const auto ensemble = tree_ensemble_from_xgboost_json(json::to_line(model));
  if (ensemble) return "";
  EXPECT_EQ(ensemble.error().code(), ErrorCode::kBadModel);
  return ensemble.error().message();
}

TEST(XgboostJson, ReadsTreesAndBaseMargin) {
  const auto ensemble = tree_ensemble_from_xgboost_json(json::to_line(model_json()));
  ASSERT_TRUE(ensemble) << ensemble.error().message();
  EXPECT_EQ(ensemble->features, 3U);
  EXPECT_EQ(ensemble->link, model::Link::kLogistic);
  EXPECT_EQ(ensemble->base_margin, -std::log(3.0F));
  ASSERT_EQ(ensemble->trees.size(), 1U);
  const auto& nodes = ensemble->trees[0].nodes;
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(nodes[0].feature, 2U);
  EXPECT_EQ(nodes[0].value, 5.448832E-1F);
  EXPECT_TRUE(nodes[0].default_left);
  EXPECT_TRUE(nodes[1].is_leaf());
  EXPECT_EQ(nodes[1].value, -4.8000002E-1F);
  EXPECT_EQ(nodes[2].value, 4.666667E-1F);
}

TEST(XgboostJson, RegressionKeepsTheBaseScore) {
  json::Value model = model_json();
  model["learner"]["objective"]["name"] = "reg:squarederror";
  const auto ensemble = tree_ensemble_from_xgboost_json(json::to_line(model));
  ASSERT_TRUE(ensemble);
  EXPECT_EQ(ensemble->link, model::Link::kIdentity);
  EXPECT_EQ(ensemble->base_margin, 0.25F);
}

// What pruning leaves: nodes that nothing points to, and children before other parents.
TEST(XgboostJson, DeletedNodesAreLeftOut) {
  json::Value model = model_json();
  tree(model)["left_children"] = {4, -1, -1, -1, -1};
  tree(model)["right_children"] = {1, -1, -1, -1, -1};
  tree(model)["split_conditions"] = {0.5, 1.0, 99.0, 98.0, 2.0};
  tree(model)["split_indices"] = {0, 0, 2147483647, 2147483647, 0};
  tree(model)["default_left"] = {true, false, false, false, false};
  tree(model).erase("split_type");
  const auto ensemble = tree_ensemble_from_xgboost_json(json::to_line(model));
  ASSERT_TRUE(ensemble) << ensemble.error().message();
  const auto& nodes = ensemble->trees[0].nodes;
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(nodes[static_cast<std::size_t>(nodes[0].left)].value, 2.0F);
  EXPECT_EQ(nodes[static_cast<std::size_t>(nodes[0].right)].value, 1.0F);
}

TEST(XgboostJson, NamesWhatIsNotSupported) {
  json::Value model = model_json();
  model["learner"]["gradient_booster"]["name"] = "dart";
  EXPECT_THAT(refusal(model), HasSubstr("'dart' is not supported"));
  model = model_json();
  model["learner"]["learner_model_param"]["num_class"] = "3";
  EXPECT_THAT(refusal(model), HasSubstr("multiclass is not supported"));
  model = model_json();
  model["learner"]["learner_model_param"]["num_target"] = "2";
  EXPECT_THAT(refusal(model), HasSubstr("several targets is not supported"));
  model = model_json();
  model["learner"]["gradient_booster"]["model"]["tree_info"] = {1};
  EXPECT_THAT(refusal(model), HasSubstr("multiclass is not supported"));
  model = model_json();
  model["learner"]["objective"]["name"] = "rank:pairwise";
  EXPECT_THAT(refusal(model), HasSubstr("'rank:pairwise' is not supported"));
  model = model_json();
  tree(model)["split_type"] = {1, 0, 0};
  EXPECT_THAT(refusal(model), HasSubstr("categorical split is not supported"));
  model = model_json();
  tree(model)["categories"] = {0};
  EXPECT_THAT(refusal(model), HasSubstr("categorical split is not supported"));
}

TEST(XgboostJson, RefusesUnsoundStructure) {
  const auto with = [](const char* key, const json::Value& value) {
    json::Value model = model_json();
    tree(model)[key] = value;
    return refusal(model);
  };
  EXPECT_THAT(with("left_children", {0, -1, -1}), HasSubstr("two parents"));
  EXPECT_THAT(with("left_children", {2, -1, -1}), HasSubstr("two parents"));
  EXPECT_THAT(with("left_children", {3, -1, -1}), HasSubstr("out of range"));
  EXPECT_THAT(with("left_children", {-2, -1, -1}), HasSubstr("out of range"));
  EXPECT_THAT(with("left_children", {-1, -1, -1}), HasSubstr("only a right child"));
  EXPECT_THAT(with("left_children", {1, -1}), HasSubstr("one length"));
  EXPECT_THAT(with("left_children", json::Value::array()), HasSubstr("one length"));
  EXPECT_THAT(with("left_children", "x"), HasSubstr("not an array"));
  EXPECT_THAT(with("left_children", {1.5, -1, -1}), HasSubstr("not an integer"));
  EXPECT_THAT(with("split_indices", {3, 0, 0}), HasSubstr("feature 3"));
  EXPECT_THAT(with("split_indices", {-1, 0, 0}), HasSubstr("feature is out of range"));
  EXPECT_NE(with("split_conditions", {1e39, 0.0, 0.0}), "");
  EXPECT_NE(with("split_conditions", {nullptr, 0.0, 0.0}), "");
  json::Value model = model_json();
  model["learner"]["learner_model_param"]["base_score"] = "1";
  EXPECT_THAT(refusal(model), HasSubstr("base_score"));
  model["learner"]["learner_model_param"]["base_score"] = "0.5x";
  EXPECT_THAT(refusal(model), HasSubstr("not a number"));
  model["learner"]["learner_model_param"]["base_score"] = 0.5;
  EXPECT_THAT(refusal(model), HasSubstr("not text"));
}

// Every member is needed or optional on purpose; taking one away never crashes.
TEST(XgboostJson, AnyMissingMemberIsAnErrorOrHarmless) {
  const json::Value members = model_json().flatten();
  for (const auto& [path, unused] : members.items()) {
    json::Value fewer = model_json();
    const auto slash = path.rfind('/');
    const json::Value::json_pointer parent(path.substr(0, slash));
    if (fewer[parent].is_object()) fewer[parent].erase(path.substr(slash + 1));
    const auto read = tree_ensemble_from_xgboost_json(json::to_line(fewer));
    EXPECT_TRUE(!read || read->check());
  }
  EXPECT_FALSE(tree_ensemble_from_xgboost_json("{}"));
  EXPECT_FALSE(tree_ensemble_from_xgboost_json("[]"));
  EXPECT_FALSE(tree_ensemble_from_xgboost_json(""));
  EXPECT_FALSE(tree_ensemble_from_xgboost_json(std::string(100'000, '[')));
}

TEST(XgboostJson, MutatedBytesNeverGiveAnUnsoundEnsemble) {
  const std::string text = json::to_line(model_json());
  env::Random random(20240501);
  for (int round = 0; round < 2000; ++round) {
    std::string mutated = text;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      mutated[random.below(mutated.size())] = static_cast<char>(32 + random.below(95));
    }
    const auto read = tree_ensemble_from_xgboost_json(mutated);
    if (read) {
      EXPECT_TRUE(read->check());
    } else {
      EXPECT_FALSE(read.error().message().empty());
    }
  }
}

}  // namespace
}  // namespace millrace::convert
