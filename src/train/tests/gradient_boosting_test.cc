#include "train/gradient_boosting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "convert/xgboost.h"
#include "env/random.h"
#include "eval/metrics.h"
#include "json/json.h"
#include "train/internal/xgboost_handles.h"

namespace millrace::train {
namespace {

using testing::HasSubstr;

constexpr std::size_t kColumns = 12;

struct Data {
  data::FeatureBatch batch{kColumns};
  std::vector<int> labels;
};

// Levels, counts and smooth numbers, some missing; the label depends on them with noise.
Data make_data(std::uint64_t seed, std::size_t rows, double missing_share) {
  env::Random random(seed);
  Data out;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = out.batch.add_row();
    for (std::size_t c = 0; c < kColumns; ++c) {
      row[c] = c % 3 == 0   ? static_cast<double>(random.below(2))
               : c % 3 == 1 ? static_cast<double>(random.below(70))
                            : random.normal() * 100;
    }
    const double score = row[0] * 1.5 - row[1] / 30 + row[2] / 100 + random.normal();
    out.labels.push_back(score > 0 ? 1 : 0);
    for (double& value : row) {
      if (random.uniform() < missing_share) value = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return out;
}

model::TrainingParameters parameters(std::uint32_t trees, std::uint32_t depth) {
  model::TrainingParameters p;
  p.trees = trees;
  p.depth = depth;
  return p;
}

std::string bytes_of(const model::TreeEnsemble& ensemble) {
  return json::to_line(model::to_json(ensemble));
}

// XGBoost's own answers for a model with our parameters, trained beside ours.
struct OwnAnswers {
  std::string json;
  std::vector<float> margins;
  std::vector<float> probabilities;
};

std::vector<float> predicted(const internal::Booster& booster, const internal::Matrix& matrix,
                             const char* type) {
  const std::string config = R"({"type": )" + std::string(type) +
                             R"(, "training": false, "iteration_begin": 0, "iteration_end": 0,)"
                             R"( "strict_shape": false})";
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  EXPECT_TRUE(internal::checked(XGBoosterPredictFromDMatrix(
      booster.get(), matrix.get(), config.c_str(), &shape, &dimensions, &values)));
  bst_ulong rows = 0;
  EXPECT_TRUE(internal::checked(XGDMatrixNumRow(matrix.get(), &rows)));
  return {values, values + rows};
}

OwnAnswers own_answers(const model::TrainingParameters& p, const Data& data, const char* threads,
                       const char* base_score = "0.5") {
  const auto matrix = internal::make_matrix(data.batch);
  EXPECT_TRUE(matrix);
  const std::vector<float> labels(data.labels.begin(), data.labels.end());
  EXPECT_TRUE(internal::checked(
      XGDMatrixSetFloatInfo(matrix->get(), "label", labels.data(), labels.size())));
  DMatrixHandle known[] = {matrix->get()};
  BoosterHandle handle = nullptr;
  EXPECT_TRUE(internal::checked(XGBoosterCreate(known, 1, &handle)));
  const internal::Booster booster(handle);
  const std::pair<const char*, std::string> settings[] = {
      {"objective", "binary:logistic"},
      {"tree_method", "hist"},
      {"nthread", threads},
      {"seed", std::to_string(p.seed)},
      {"base_score", base_score},
      {"max_depth", std::to_string(p.depth)},
      {"eta", std::to_string(p.learning_rate)},
      {"subsample", std::to_string(p.subsample)},
      {"colsample_bytree", std::to_string(p.column_sample)}};
  for (const auto& [name, value] : settings) {
    EXPECT_TRUE(internal::checked(XGBoosterSetParam(booster.get(), name, value.c_str())));
  }
  for (std::uint32_t i = 0; i < p.trees; ++i) {
    EXPECT_TRUE(internal::checked(
        XGBoosterUpdateOneIter(booster.get(), static_cast<int>(i), matrix->get())));
  }
  const auto json = internal::model_json(booster);
  EXPECT_TRUE(json);
  return {*json, predicted(booster, *matrix, "1"), predicted(booster, *matrix, "0")};
}

void expect_same_bits(const model::TreeEnsemble& ensemble, const Data& data,
                      const OwnAnswers& answers) {
  ASSERT_EQ(answers.margins.size(), data.batch.rows());
  std::size_t different = 0;
  for (std::size_t i = 0; i < data.batch.rows(); ++i) {
    const float margin = model::predict_margin_reference(ensemble, data.batch.row(i));
    const float probability = model::apply_link(ensemble.link, margin);
    if (std::bit_cast<std::uint32_t>(margin) != std::bit_cast<std::uint32_t>(answers.margins[i]) ||
        std::bit_cast<std::uint32_t>(probability) !=
            std::bit_cast<std::uint32_t>(answers.probabilities[i])) {
      ++different;
    }
  }
  EXPECT_EQ(different, 0U);
}

class EqualsXgboost : public testing::TestWithParam<std::tuple<std::uint32_t, double>> {};

TEST_P(EqualsXgboost, BitForBit) {
  const auto [depth, missing] = GetParam();
  const Data data = make_data(depth, 3000, missing);
  auto p = parameters(100, depth);
  p.subsample = 0.75;
  const auto trained = train_gradient_boosting(p, data.batch, data.labels);
  ASSERT_TRUE(trained) << trained.error().message();
  const OwnAnswers answers = own_answers(p, data, "1");
  expect_same_bits(trained->ensemble, data, answers);
}

INSTANTIATE_TEST_SUITE_P(DepthAndMissing, EqualsXgboost,
                         testing::Combine(testing::Values(1U, 3U, 6U, 9U),
                                          testing::Values(0.0, 0.2)));

TEST(GradientBoosting, OtherBaseScoresConvertExactly) {
  const Data data = make_data(5, 1000, 0.1);
  for (const char* base_score : {"0.1", "0.26536983", "0.9"}) {
    const OwnAnswers answers = own_answers(parameters(30, 4), data, "1", base_score);
    const auto ensemble = convert::tree_ensemble_from_xgboost_json(answers.json);
    ASSERT_TRUE(ensemble) << ensemble.error().message();
    expect_same_bits(*ensemble, data, answers);
  }
}

TEST(GradientBoosting, SameInputSameBytes) {
  const Data data = make_data(7, 2000, 0.1);
  auto p = parameters(40, 5);
  p.subsample = 0.7;
  p.column_sample = 0.6;
  const auto first = train_gradient_boosting(p, data.batch, data.labels);
  const auto second = train_gradient_boosting(p, data.batch, data.labels);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(bytes_of(first->ensemble), bytes_of(second->ensemble));
  p.seed = 43;
  const auto third = train_gradient_boosting(p, data.batch, data.labels);
  ASSERT_TRUE(third);
  EXPECT_NE(bytes_of(first->ensemble), bytes_of(third->ensemble));
}

TEST(GradientBoosting, LearnsAndNamesWhatMatters) {
  const Data data = make_data(11, 3000, 0);
  const auto trained = train_gradient_boosting(parameters(50, 3), data.batch, data.labels);
  ASSERT_TRUE(trained);
  std::vector<double> probabilities;
  for (std::size_t i = 0; i < data.batch.rows(); ++i) {
    probabilities.push_back(static_cast<double>(
        model::apply_link(trained->ensemble.link,
                          model::predict_margin_reference(trained->ensemble, data.batch.row(i)))));
  }
  EXPECT_GT(eval::roc_auc(data.labels, probabilities), 0.85);
  ASSERT_EQ(trained->gains.size(), kColumns);
  double known = 0;
  double all = 0;
  for (std::size_t c = 0; c < kColumns; ++c) {
    all += trained->gains[c];
    known += c < 3 ? trained->gains[c] : 0;
  }
  EXPECT_NEAR(all, 1, 1e-9);
  EXPECT_GT(known, 0.8);
}

TEST(GradientBoosting, BalancedWeightsEqualTheirNumbersGivenByHand) {
  const Data data = make_data(13, 1500, 0);
  double positives = 0;
  for (const int label : data.labels) positives += label;
  const auto n = static_cast<double>(data.labels.size());
  std::vector<double> weights;
  for (const int label : data.labels) {
    weights.push_back(n / (2 * (label == 1 ? positives : n - positives)));
  }
  auto p = parameters(20, 3);
  const auto by_hand = train_gradient_boosting(p, data.batch, data.labels, weights);
  p.class_weight = model::ClassWeight::kBalanced;
  const auto balanced = train_gradient_boosting(p, data.batch, data.labels);
  ASSERT_TRUE(by_hand && balanced);
  EXPECT_EQ(bytes_of(by_hand->ensemble), bytes_of(balanced->ensemble));
}

TEST(GradientBoosting, ProgressCountsTreesAndStops) {
  const Data data = make_data(17, 200, 0);
  std::vector<std::uint32_t> seen;
  const auto done = train_gradient_boosting(parameters(5, 2), data.batch, data.labels, {},
                                            [&](std::uint32_t tree, std::uint32_t all) {
                                              EXPECT_EQ(all, 5U);
                                              seen.push_back(tree);
                                              return true;
                                            });
  ASSERT_TRUE(done);
  EXPECT_THAT(seen, testing::ElementsAre(1, 2, 3, 4, 5));
  const auto stopped =
      train_gradient_boosting(parameters(5, 2), data.batch, data.labels, {},
                              [](std::uint32_t tree, std::uint32_t) { return tree < 2; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::kInterrupted);
}

TEST(GradientBoosting, NothingToSplitHasNoGain) {
  Data data = make_data(19, 50, 0);
  auto p = parameters(3, 2);
  p.min_split_gain = 1e9;
  const auto trained = train_gradient_boosting(p, data.batch, data.labels);
  ASSERT_TRUE(trained) << trained.error().message();
  EXPECT_THAT(trained->gains, testing::Each(0.0));
}

TEST(GradientBoosting, RefusesBadRows) {
  Data data = make_data(23, 20, 0);
  const auto p = parameters(2, 2);
  const std::vector<int> ones(20, 1);
  EXPECT_EQ(train_gradient_boosting(p, data.batch, ones).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(train_gradient_boosting(p, data::FeatureBatch(3), {}).error().code(),
            ErrorCode::kBadData);
  std::vector<double> weights(20, 1);
  weights[3] = 0;
  EXPECT_THAT(train_gradient_boosting(p, data.batch, data.labels, weights).error().message(),
              HasSubstr("row 3"));
  data.batch.row(7)[2] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(train_gradient_boosting(p, data.batch, data.labels).error().message(),
              HasSubstr("row 7"));
}

TEST(GradientBoosting, RefusesParametersOutOfRange) {
  const auto refusal = [](auto change) {
    model::TrainingParameters p;
    change(p);
    const Status status = check_parameters(p);
    EXPECT_FALSE(status);
    return status ? "" : status.error().message();
  };
  EXPECT_TRUE(check_parameters({}));
  EXPECT_EQ(refusal([](auto& p) { p.trees = 0; }), "model: trees is 0, out of its range");
  EXPECT_EQ(refusal([](auto& p) { p.depth = 17; }), "model: depth is 17, out of its range");
  EXPECT_EQ(refusal([](auto& p) { p.learning_rate = 1.5; }),
            "model: learning_rate is 1.5, out of its range");
  EXPECT_THAT(refusal([](auto& p) { p.subsample = 0; }), HasSubstr("subsample"));
  EXPECT_THAT(refusal([](auto& p) { p.column_sample = std::nan(""); }), HasSubstr("column_sample"));
  EXPECT_THAT(refusal([](auto& p) { p.l2 = -1; }), HasSubstr("l2"));
  EXPECT_THAT(refusal([](auto& p) { p.bins = 1; }), HasSubstr("bins"));
  EXPECT_THAT(refusal([](auto& p) { p.threshold = 1.01; }), HasSubstr("threshold"));
}

TEST(XgboostHandles, ErrorsAreItsFirstLine) {
  const Status status = internal::checked(XGBoosterSetParam(nullptr, "a", "b"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kInternal);
  EXPECT_THAT(status.error().message(), testing::StartsWith("XGBoost: "));
  EXPECT_EQ(status.error().message().find("Stack trace"), std::string::npos);
}

}  // namespace
}  // namespace millrace::train
