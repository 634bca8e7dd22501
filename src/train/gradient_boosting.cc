#include "train/gradient_boosting.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "convert/xgboost.h"
#include "train/internal/xgboost_handles.h"

namespace millrace::train {
namespace {

using internal::Booster;
using internal::checked;
using internal::Matrix;

Error config(const std::string& what) { return Error(ErrorCode::kConfig, "model: " + what); }

Status in_range(const char* name, double value, double min, double max) {
  if (value >= min && value <= max) return {};  // false for NaN
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return config(std::string(name) + " is " + text + ", out of its range");
}

std::string decimal(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

// XGBoost keeps its seed in 32 bits' worth of generator state; the whole seed should count.
std::uint32_t folded(std::uint64_t seed) {
  return static_cast<std::uint32_t>(seed ^ (seed >> 32)) & 0x7fffffffU;
}

Status check_features(const data::FeatureBatch& batch) {
  if (batch.rows() == 0) return Error(ErrorCode::kBadData, "there are no rows to train on");
  const std::size_t values = batch.rows() * batch.columns();
  for (std::size_t i = 0; i < values; ++i) {
    if (!(std::abs(batch.data()[i]) > std::numeric_limits<float>::max())) continue;
    return Error(ErrorCode::kBadData, "row " + std::to_string(i / batch.columns()) +
                                          " (from 0) has a feature that is not finite");
  }
  return {};
}

Status check_labels(const data::FeatureBatch& batch, std::span<const int> labels,
                    std::span<const double> weights) {
  CHECK(labels.size() == batch.rows());
  CHECK(weights.empty() || weights.size() == batch.rows());
  bool seen[2] = {false, false};
  for (const int label : labels) {
    CHECK(label == 0 || label == 1);
    seen[label] = true;
  }
  if (!seen[0] || !seen[1]) {
    return Error(ErrorCode::kBadData, "every training row has the same label; nothing to learn");
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0 && weights[i] <= std::numeric_limits<float>::max()) continue;
    return Error(ErrorCode::kBadData,
                 "row " + std::to_string(i) + " (from 0) has a weight that is not above 0");
  }
  return {};
}

// One weight a row, or none where all are 1.
std::vector<float> row_weights(model::ClassWeight class_weight, std::span<const int> labels,
                               std::span<const double> weights) {
  if (class_weight == model::ClassWeight::kNone && weights.empty()) return {};
  double factor[2] = {1, 1};
  if (class_weight == model::ClassWeight::kBalanced) {
    double rows[2] = {0, 0};
    for (const int label : labels) rows[label] += 1;
    for (int c = 0; c < 2; ++c) factor[c] = static_cast<double>(labels.size()) / (2 * rows[c]);
  }
  std::vector<float> out(labels.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(factor[labels[i]] * (weights.empty() ? 1 : weights[i]));
  }
  return out;
}

// What is learnt, and where the trees begin.
struct Goal {
  std::string objective;
  std::string base_score;
};

Status set_parameters(const Booster& booster, const model::TrainingParameters& p,
                      const Goal& goal) {
  const std::pair<const char*, std::string> settings[] = {
      {"booster", "gbtree"},
      {"objective", goal.objective},
      {"base_score", goal.base_score},
      {"tree_method", "hist"},
      {"verbosity", "0"},
      // More threads add the gradients of a bin in another order.
      {"nthread", "1"},
      {"seed", std::to_string(folded(p.seed))},
      {"max_depth", std::to_string(p.depth)},
      {"eta", decimal(p.learning_rate)},
      {"subsample", decimal(p.subsample)},
      {"colsample_bytree", decimal(p.column_sample)},
      {"min_child_weight", decimal(p.min_child_weight)},
      {"lambda", decimal(p.l2)},
      {"gamma", decimal(p.min_split_gain)},
      {"max_bin", std::to_string(p.bins)},
  };
  if (p.objective == model::Objective::kRegression && p.loss == model::Loss::kPseudoHuber) {
    MILLRACE_TRY(
        checked(XGBoosterSetParam(booster.get(), "huber_slope", decimal(p.huber_slope).c_str())));
  }
  for (const auto& [name, value] : settings) {
    MILLRACE_TRY(checked(XGBoosterSetParam(booster.get(), name, value.c_str())));
  }
  return {};
}

// Gain by column, as shares. XGBoost names columns f0, f1, ... where no names were given.
Result<std::vector<double>> gain_shares(const Booster& booster, std::size_t columns) {
  bst_ulong names = 0;
  const char** name = nullptr;
  bst_ulong dimensions = 0;
  const bst_ulong* shape = nullptr;
  const float* gain = nullptr;
  MILLRACE_TRY(checked(XGBoosterFeatureScore(booster.get(), R"({"importance_type": "total_gain"})",
                                             &names, &name, &dimensions, &shape, &gain)));
  std::vector<double> shares(columns, 0);
  double all = 0;
  for (bst_ulong i = 0; i < names; ++i) {
    const std::string_view text(name[i]);
    std::size_t column = columns;
    std::from_chars(text.data() + 1, text.data() + text.size(), column);
    CHECK(column < columns);
    shares[column] = gain[i];
    all += shares[column];
  }
  for (double& share : shares) share = all > 0 ? share / all : 0;
  return shares;
}

Result<Matrix> training_matrix(const data::FeatureBatch& batch, std::span<const float> targets,
                               std::span<const float> weights) {
  MILLRACE_ASSIGN(Matrix matrix, internal::make_matrix(batch));
  MILLRACE_TRY(
      checked(XGDMatrixSetFloatInfo(matrix.get(), "label", targets.data(), targets.size())));
  if (!weights.empty()) {
    MILLRACE_TRY(
        checked(XGDMatrixSetFloatInfo(matrix.get(), "weight", weights.data(), weights.size())));
  }
  return matrix;
}

Result<BoostedModel> boost(const model::TrainingParameters& parameters, const Goal& goal,
                           const data::FeatureBatch& batch, std::span<const float> targets,
                           std::span<const float> weights, const Progress& progress) {
  MILLRACE_TRY(checked(XGBSetGlobalConfig(R"({"verbosity": 0})")));
  MILLRACE_ASSIGN(const Matrix matrix, training_matrix(batch, targets, weights));
  DMatrixHandle known[] = {matrix.get()};
  BoosterHandle handle = nullptr;
  MILLRACE_TRY(checked(XGBoosterCreate(known, 1, &handle)));
  const Booster booster(handle);
  MILLRACE_TRY(set_parameters(booster, parameters, goal));
  for (std::uint32_t tree = 0; tree < parameters.trees; ++tree) {
    MILLRACE_TRY(
        checked(XGBoosterUpdateOneIter(booster.get(), static_cast<int>(tree), matrix.get())));
    if (progress && !progress(tree + 1, parameters.trees)) {
      return Error(ErrorCode::kInterrupted, "the training was stopped");
    }
  }
  MILLRACE_ASSIGN(const std::string json, internal::model_json(booster));
  BoostedModel out;
  MILLRACE_ASSIGN(out.ensemble, convert::tree_ensemble_from_xgboost_json(json));
  MILLRACE_ASSIGN(out.gains, gain_shares(booster, batch.columns()));
  return out;
}

Goal goal_of(const model::TrainingParameters& parameters, std::span<const float> targets) {
  std::vector<float> sorted(targets.begin(), targets.end());
  switch (parameters.loss) {
    case model::Loss::kAbsolute: {
      const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
      std::nth_element(sorted.begin(), middle, sorted.end());
      return {"reg:absoluteerror", decimal(static_cast<double>(*middle))};
    }
    case model::Loss::kSquared:
    case model::Loss::kPseudoHuber:
      break;
  }
  double sum = 0;
  for (const float target : targets) sum += static_cast<double>(target);
  const char* const name =
      parameters.loss == model::Loss::kSquared ? "reg:squarederror" : "reg:pseudohubererror";
  return {name, decimal(sum / static_cast<double>(targets.size()))};
}

}  // namespace

Status check_parameters(const model::TrainingParameters& p) {
  const double infinity = std::numeric_limits<float>::max();
  const double above_zero = std::numeric_limits<float>::min();
  MILLRACE_TRY(in_range("trees", p.trees, 1, 10'000));
  MILLRACE_TRY(in_range("depth", p.depth, 1, 16));
  MILLRACE_TRY(in_range("learning_rate", p.learning_rate, above_zero, 1));
  MILLRACE_TRY(in_range("subsample", p.subsample, above_zero, 1));
  MILLRACE_TRY(in_range("column_sample", p.column_sample, above_zero, 1));
  MILLRACE_TRY(in_range("min_child_weight", p.min_child_weight, 0, infinity));
  MILLRACE_TRY(in_range("l2", p.l2, 0, infinity));
  MILLRACE_TRY(in_range("min_split_gain", p.min_split_gain, 0, infinity));
  MILLRACE_TRY(in_range("bins", p.bins, 2, 65'536));
  MILLRACE_TRY(in_range("huber_slope", p.huber_slope, above_zero, infinity));
  return in_range("threshold", p.threshold, 0, 1);
}

Result<BoostedModel> train_gradient_boosting(const model::TrainingParameters& parameters,
                                             const data::FeatureBatch& batch,
                                             std::span<const int> labels,
                                             std::span<const double> weights,
                                             const Progress& progress) {
  MILLRACE_TRY(check_parameters(parameters));
  MILLRACE_TRY(check_features(batch));
  MILLRACE_TRY(check_labels(batch, labels, weights));
  const std::vector<float> targets(labels.begin(), labels.end());
  return boost(parameters, {"binary:logistic", "0.5"}, batch, targets,
               row_weights(parameters.class_weight, labels, weights), progress);
}

Result<BoostedModel> train_regression(const model::TrainingParameters& parameters,
                                      const data::FeatureBatch& batch,
                                      std::span<const double> targets, const Progress& progress) {
  CHECK(parameters.objective == model::Objective::kRegression);
  CHECK(targets.size() == batch.rows());
  MILLRACE_TRY(check_parameters(parameters));
  MILLRACE_TRY(check_features(batch));
  std::vector<float> values;
  for (const double target : targets) {
    if (!(std::abs(target) <= std::numeric_limits<float>::max())) {
      return Error(ErrorCode::kBadData, "row " + std::to_string(values.size()) +
                                            " (from 0) has a target that is not finite");
    }
    values.push_back(static_cast<float>(target));
  }
  return boost(parameters, goal_of(parameters, values), batch, values, {}, progress);
}

}  // namespace millrace::train
