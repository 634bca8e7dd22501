#include "model/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "model/testing/random_ensemble.h"

namespace millrace::model {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

std::vector<std::uint32_t> predict(const TreeEnsemble& ensemble, const std::string& engine,
                                   const data::FeatureBatch& batch) {
  auto predictor = make_predictor(std::make_shared<const TreeEnsemble>(ensemble), engine).value();
  EXPECT_EQ(predictor->features(), ensemble.features);
  EXPECT_TRUE(engine.empty() || predictor->engine() == engine);
  std::vector<float> out(batch.rows(), -1.0F);
  predictor->predict(batch, out);
  return bits_of(out);
}

std::vector<std::uint32_t> wanted(const TreeEnsemble& ensemble, const data::FeatureBatch& batch) {
  std::vector<float> out;
  for (std::size_t i = 0; i < batch.rows(); ++i) {
    out.push_back(apply_link(ensemble.link, predict_margin_reference(ensemble, batch.row(i))));
  }
  return bits_of(out);
}

// Every legal engine on batches of every awkward size.
void expect_all_equal(env::Random& random, const TreeEnsemble& ensemble, const std::string& what) {
  ASSERT_TRUE(ensemble.check()) << what;
  const auto shared = std::make_shared<const TreeEnsemble>(ensemble);
  for (const std::string& engine : legal_engines(ensemble)) {
    const auto predictor = make_predictor(shared, engine).value();
    for (const std::size_t rows : {0, 1, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 129, 500, 600}) {
      const data::FeatureBatch batch = random_rows(random, ensemble, rows);
      std::vector<float> out(rows, -1.0F);
      predictor->predict(batch, out);
      ASSERT_EQ(bits_of(out), wanted(ensemble, batch)) << what << ", " << engine << ", " << rows;
    }
  }
}

TEST(Predictor, EveryEngineEqualsTheReferenceAtEveryDepth) {
  env::Random random(1);
  for (std::size_t depth = 0; depth <= 12; ++depth) {
    const RandomShape shape = {.features = 7, .trees = 12, .depth_max = depth, .leaf_chance = 0};
    expect_all_equal(random, random_ensemble(random, shape), "depth " + std::to_string(depth));
  }
}

TEST(Predictor, EveryEngineEqualsTheReferenceOnUnbalancedTrees) {
  env::Random random(2);
  for (const double chance : {0.05, 0.2, 0.4}) {
    for (std::size_t depth = 1; depth <= 14; depth += 1) {
      const RandomShape shape = {
          .features = 30, .trees = 10, .depth_max = depth, .leaf_chance = chance};
      expect_all_equal(random, random_ensemble(random, shape),
                       "depth " + std::to_string(depth) + ", chance " + std::to_string(chance));
    }
  }
}

TEST(Predictor, EveryEngineEqualsTheReferenceWithManyThresholds) {
  env::Random random(3);
  for (const std::size_t thresholds : {1, 2, 15, 16, 31, 32, 63, 64, 200, 255, 256, 400, 5000}) {
    const RandomShape shape = {.features = 2,
                               .trees = 60,
                               .depth_max = 6,
                               .leaf_chance = 0.02,
                               .thresholds_per_feature = thresholds};
    expect_all_equal(random, random_ensemble(random, shape),
                     "thresholds " + std::to_string(thresholds));
  }
}

TEST(Predictor, MixedDepthsKeepTheOrderOfTrees) {
  env::Random random(4);
  TreeEnsemble ensemble = random_ensemble(random, {.features = 5, .trees = 1});
  for (const std::size_t depth : {0, 12, 3, 1, 9, 10, 0, 8, 2, 13, 4, 5}) {
    const TreeEnsemble more =
        random_ensemble(random, {.features = 5, .trees = 2, .depth_max = depth, .leaf_chance = 0});
    for (const Tree& tree : more.trees) ensemble.trees.push_back(tree);
  }
  for (Tree& tree : ensemble.trees) {  // sizes that make every change of order visible
    for (TreeNode& node : tree.nodes) {
      if (node.is_leaf()) node.value *= static_cast<float>(std::exp2(random.normal() * 12));
    }
  }
  expect_all_equal(random, ensemble, "mixed");
}

TEST(Predictor, ChainsOfAThousandLevelsAreFollowed) {
  env::Random random(5);
  TreeEnsemble ensemble = random_ensemble(random, {.features = 3, .trees = 2, .depth_max = 2});
  for (const std::size_t levels : {20, 23, 24, 25, 200, 1000}) {
    Tree chain;
    for (std::size_t i = 0; i < levels; ++i) {
      const auto at = static_cast<std::int32_t>(2 * i);
      const auto value = static_cast<float>(random.normal());
      chain.nodes.push_back({at + 1, at + 2, static_cast<std::uint32_t>(i % 3), value, i % 2 == 0});
      chain.nodes.push_back({-1, -1, 0, static_cast<float>(i), true});
    }
    chain.nodes.push_back({-1, -1, 0, -1.0F, true});
    ensemble.trees.push_back(chain);
  }
  expect_all_equal(random, ensemble, "chains");
}

TEST(Predictor, WideRowsWithFewUsedFeatures) {
  env::Random random(6);
  expect_all_equal(random, random_ensemble(random, {.features = 3000, .trees = 40}), "wide");
}

TEST(Predictor, EnsembleWithoutTreesGivesItsBase) {
  TreeEnsemble ensemble;
  ensemble.features = 2;
  ensemble.base_margin = -1.5F;
  env::Random random(7);
  expect_all_equal(random, ensemble, "no trees");
}

TEST(Predictor, FeatureWhoseNodesDisagreeOnMissingValues) {
  TreeEnsemble ensemble;
  ensemble.features = 1;
  ensemble.link = Link::kIdentity;
  for (const bool left : {true, false, true}) {
    ensemble.trees.push_back(
        Tree{{{1, 2, 0, 1.0F, left}, {-1, -1, 0, 1.0F, true}, {-1, -1, 0, 10.0F, true}}});
  }
  data::FeatureBatch batch(1);
  for (int i = 0; i < 70; ++i) batch.add_row()[0] = std::numeric_limits<double>::quiet_NaN();
  for (const std::string& engine : legal_engines(ensemble)) {
    EXPECT_EQ(predict(ensemble, engine, batch), bits_of(std::vector<float>(70, 12.0F))) << engine;
  }
}

TEST(Predictor, ChosenEngineIsLegalAndEqual) {
  env::Random random(8);
  const TreeEnsemble ensemble = random_ensemble(random, {.trees = 50});
  const auto shared = std::make_shared<const TreeEnsemble>(ensemble);
  const auto chosen = make_predictor(shared).value();
  EXPECT_THAT(legal_engines(ensemble), Contains(std::string(chosen->engine())));
  EXPECT_NE(chosen->engine(), "reference");
  const data::FeatureBatch batch = random_rows(random, ensemble, 1000);
  EXPECT_EQ(predict(ensemble, "", batch), wanted(ensemble, batch));
}

TEST(Predictor, FamilyNamesTheFastestOfItsKind) {
  env::Random random(9);
  const auto shared = std::make_shared<const TreeEnsemble>(random_ensemble(random, {.trees = 50}));
  for (const std::string& engine : legal_engines(*shared)) {
    const std::string family = engine.substr(0, engine.find('-'));
    EXPECT_TRUE(make_predictor(shared, family).value()->engine().starts_with(family));
  }
}

TEST(Predictor, UnknownEngineIsRefusedWithTheLegalOnes) {
  env::Random random(10);
  const auto shared = std::make_shared<const TreeEnsemble>(random_ensemble(random, {}));
  for (const std::string name : {"gpu", "avx", "scala", "avx2-"}) {
    const auto predictor = make_predictor(shared, name);
    ASSERT_FALSE(predictor) << name;
    EXPECT_EQ(predictor.error().code(), ErrorCode::kUsage);
    EXPECT_THAT(predictor.error().message(), HasSubstr("reference scalar"));
  }
}

TEST(Predictor, UnsoundEnsembleIsRefused) {
  TreeEnsemble ensemble;
  ensemble.features = 1;
  ensemble.trees = {Tree{{{0, 0, 0, 1.0F, true}}}};
  const auto predictor = make_predictor(std::make_shared<const TreeEnsemble>(ensemble));
  ASSERT_FALSE(predictor);
  EXPECT_EQ(predictor.error().code(), ErrorCode::kBadModel);
}

}  // namespace
}  // namespace millrace::model
