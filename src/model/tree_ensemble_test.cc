#include "model/tree_ensemble.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "json/json.h"
#include "model/testing/random_ensemble.h"

namespace millrace::model {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// feature 0 < 1 ? (feature 1 < -2 ? 1 : 2, missing right) : 4
TreeEnsemble small() {
  TreeEnsemble ensemble;
  ensemble.features = 2;
  ensemble.base_margin = 0.5F;
  ensemble.link = Link::kIdentity;
  ensemble.trees = {Tree{{{1, 2, 0, 1.0F, true},
                          {3, 4, 1, -2.0F, false},
                          {-1, -1, 0, 4.0F, true},
                          {-1, -1, 0, 1.0F, true},
                          {-1, -1, 0, 2.0F, true}}}};
  return ensemble;
}

std::string problem(const TreeEnsemble& ensemble) {
  const Status status = ensemble.check();
  return status ? "" : status.error().message();
}

std::string refusal(json::Value document) {
  const auto ensemble = tree_ensemble_from_json(document);
  if (ensemble) return "";
  EXPECT_EQ(ensemble.error().code(), ErrorCode::kBadModel);
  return ensemble.error().message();
}

float margin(const TreeEnsemble& ensemble, std::vector<double> row) {
  return predict_margin_reference(ensemble, row);
}

TEST(ReferencePredictor, GoesLeftBelowTheThresholdAndRightFromItOn) {
  EXPECT_EQ(margin(small(), {0.5, -3}), 1.5F);
  EXPECT_EQ(margin(small(), {0.5, -2}), 2.5F);
  EXPECT_EQ(margin(small(), {1.0, -3}), 4.5F);
}

TEST(ReferencePredictor, MissingValuesTakeTheDefaultDirection) {
  EXPECT_EQ(margin(small(), {kNaN, -3}), 1.5F);
  EXPECT_EQ(margin(small(), {kNaN, kNaN}), 2.5F);
}

TEST(ReferencePredictor, ComparesAsFloat) {
  EXPECT_EQ(margin(small(), {0.99999999999, -3}), 4.5F) << "rounds up to 1.0F";
}

TEST(ReferencePredictor, InfinitiesAreOrdinaryNumbers) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(margin(small(), {kInfinity, 0}), 4.5F);
  EXPECT_EQ(margin(small(), {-kInfinity, -kInfinity}), 1.5F);
}

TEST(ReferencePredictor, AddsTreesInOrderInFloat) {
  TreeEnsemble ensemble = small();
  ensemble.base_margin = 0;
  ensemble.trees.clear();
  for (const float leaf : {1e8F, 1.0F, -1e8F}) {
    ensemble.trees.push_back(Tree{{{-1, -1, 0, leaf, true}}});
  }
  EXPECT_EQ(margin(ensemble, {0, 0}), 0.0F) << "the 1 is lost between the large ones";
}

TEST(Link, LogisticIsTheSigmoidInFloat) {
  EXPECT_EQ(apply_link(Link::kLogistic, 0.0F), 0.5F);
  EXPECT_EQ(apply_link(Link::kLogistic, 200.0F), 1.0F);
  EXPECT_GT(apply_link(Link::kLogistic, -1000.0F), 0.0F) << "the exponent is capped";
  EXPECT_NEAR(apply_link(Link::kLogistic, 1.5F), 1 / (1 + std::exp(-1.5)), 1e-7);
  EXPECT_EQ(apply_link(Link::kIdentity, -7.25F), -7.25F);
}

TEST(TreeEnsemble, SoundStructurePasses) { EXPECT_EQ(problem(small()), ""); }

TEST(TreeEnsemble, ChildrenMustLieAfterTheirParent) {
  TreeEnsemble ensemble = small();
  ensemble.trees[0].nodes[1].left = 0;  // a cycle
  EXPECT_NE(problem(ensemble).find("tree 0, node 1: children"), std::string::npos);
  ensemble.trees[0].nodes[1].left = 1;
  EXPECT_NE(problem(ensemble), "");
}

TEST(TreeEnsemble, ChildrenMustExistBothAndOnce) {
  TreeEnsemble ensemble = small();
  ensemble.trees[0].nodes[1].left = 5;
  EXPECT_NE(problem(ensemble), "");
  ensemble.trees[0].nodes[1].left = 4;  // node 4 twice, node 3 never
  EXPECT_NE(problem(ensemble), "");
  ensemble.trees[0].nodes[1].left = -1;  // only one child
  EXPECT_NE(problem(ensemble), "");
  ensemble = small();
  ensemble.trees[0].nodes.push_back({});
  EXPECT_NE(problem(ensemble).find("node 5: cannot be reached"), std::string::npos);
}

TEST(TreeEnsemble, FeaturesAndValuesMustBeInRange) {
  TreeEnsemble ensemble = small();
  ensemble.trees[0].nodes[1].feature = 2;
  EXPECT_NE(problem(ensemble).find("feature 2, but rows have 2"), std::string::npos);
  ensemble = small();
  ensemble.trees[0].nodes[3].value = std::numeric_limits<float>::infinity();
  EXPECT_NE(problem(ensemble).find("tree 0, node 3"), std::string::npos);
  ensemble = small();
  ensemble.base_margin = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(problem(ensemble), "");
  ensemble = small();
  ensemble.features = 0;
  EXPECT_NE(problem(ensemble), "");
  ensemble = small();
  ensemble.trees.push_back({});
  EXPECT_NE(problem(ensemble), "");
}

TEST(ModelJson, ReadsBackExactly) {
  env::Random random(7);
  for (std::size_t depth = 0; depth < 8; ++depth) {
    TreeEnsemble ensemble = random_ensemble(random, {.features = 9, .depth_max = depth});
    ensemble.base_margin = depth == 0 ? -0.0F : ensemble.base_margin;
    const std::string text = json::to_line(to_json(ensemble));
    const auto again = tree_ensemble_from_json(*json::parse(text, "model"));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(json::to_line(to_json(*again)), text);
    EXPECT_EQ(std::signbit(again->base_margin), std::signbit(ensemble.base_margin));
    ASSERT_EQ(again->trees.size(), ensemble.trees.size());
    for (std::size_t t = 0; t < ensemble.trees.size(); ++t) {
      ASSERT_EQ(again->trees[t].nodes.size(), ensemble.trees[t].nodes.size());
      for (std::size_t n = 0; n < ensemble.trees[t].nodes.size(); ++n) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(again->trees[t].nodes[n].value),
                  std::bit_cast<std::uint32_t>(ensemble.trees[t].nodes[n].value));
      }
    }
  }
}

TEST(ModelJson, OtherFormatsAndVersionsAreRefused) {
  EXPECT_NE(refusal(json::Value::array()).find("not an object"), std::string::npos);
  json::Value document = to_json(small());
  document["format_version"] = 2;
  EXPECT_NE(refusal(document).find("'format_version' is not 1"), std::string::npos);
  document = to_json(small());
  document["format"] = "other";
  EXPECT_NE(refusal(document).find("'format' is not"), std::string::npos);
  document = to_json(small());
  document["extra"] = 1;
  EXPECT_NE(refusal(document).find("unknown key 'extra'"), std::string::npos);
}

TEST(ModelJson, ArraysMustBeEquallyLongAndOfTheRightType) {
  json::Value document = to_json(small());
  document["trees"][0]["left"].push_back(-1);
  EXPECT_NE(refusal(document).find("not as long"), std::string::npos);
  document = to_json(small());
  document["trees"][0]["feature"][1] = "one";
  EXPECT_NE(refusal(document).find("tree 0, node 1: feature: not an integer"), std::string::npos);
  document = to_json(small());
  document["trees"][0]["feature"][1] = -1;
  EXPECT_NE(refusal(document).find("out of range"), std::string::npos);
  document = to_json(small());
  document["trees"][0]["left"][1] = 18446744073709551615U;
  EXPECT_NE(refusal(document), "");
  document = to_json(small());
  document["trees"][0]["value"][1] = 1e39;
  EXPECT_NE(refusal(document).find("32-bit"), std::string::npos);
  document = to_json(small());
  document["trees"][0]["value"][1] = nullptr;
  EXPECT_NE(refusal(document), "");
  document = to_json(small());
  document["trees"] = {{"left", 1}};
  EXPECT_NE(refusal(document), "");
  for (const char* key : {"features", "link", "base_margin", "trees"}) {
    document = to_json(small());
    document.erase(key);
    EXPECT_NE(refusal(document).find(key), std::string::npos);
  }
}

}  // namespace
}  // namespace millrace::model
