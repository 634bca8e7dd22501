// A model from a table: measured on a hold-out, then made again from all rows. From typed parts;
// nothing here knows a pipeline file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/schema.h"
#include "eval/splits.h"
#include "features/operator.h"
#include "features/transform.h"
#include "json/json.h"
#include "model/parameters.h"
#include "model/registry.h"
#include "model/tree_ensemble.h"
#include "train/gradient_boosting.h"
#include "train/measure.h"

namespace millrace::train {

inline constexpr std::size_t kCanaryRows = 16;
inline constexpr std::size_t kImportancesMax = 20;

// Where a training is: "hold-out" while the measured model is trained, "all rows" while the final
// one is, then trees done and wanted. False stops it.
using TrainingProgress = std::function<bool(std::string_view, std::uint32_t, std::uint32_t)>;

// References must outlive the call.
struct TrainingInput {
  const data::Schema& schema;
  const std::vector<features::Operator>& operators;
  model::TrainingParameters parameters;
  const features::CellTable& table;
  std::span<const int> labels;      // 0/1, beside the table
  std::span<const double> weights;  // beside the table, or empty
  const eval::Split& split;         // of the table's rows
  int probability_decimals = 6;     // as published (train/measure.h)
  TrainingProgress progress;        // may be empty
};

// What one fit gives.
struct FittedModel {
  features::Transform transform;
  model::TreeEnsemble ensemble;
  std::vector<double> gains;  // beside transform.names()
};

// Fits the transform and the model on the given rows alone. Errors: those of Transform::fit and
// train_gradient_boosting.
Result<FittedModel> fit_model(const TrainingInput& input, std::span<const std::size_t> rows,
                              const Progress& progress = {});

// The hold-out half: fit on split.train, measured on both sides. What `evaluate` reports.
struct HoldoutResult {
  FittedModel model;
  json::Value metrics_holdout;  // train/measure.h
  json::Value metrics_train;    // of the same model on its own training rows
};
Result<HoldoutResult> train_holdout(const TrainingInput& input);

struct TrainingResult {
  FittedModel model;            // of all rows
  json::Value metrics_holdout;  // of the model before the refit
  json::Value metrics_train;
  std::uint64_t rows_trained = 0;  // of the final model
  std::uint64_t rows_holdout = 0;
  std::vector<double> holdout_probabilities;  // beside split.test, of the model before the refit
  model::Canary canary;  // rows spread over the table with the reference predictor's answers
  json::Value feature_statistics;   // train/statistics.h, all rows
  json::Value feature_importances;  // [{feature, gain}]: share of all gain, the largest first
};
Result<TrainingResult> train_and_measure(const TrainingInput& input);

// Label of every row as 0/1: 1 where the label's level is `positive_code`. Errors: kBadData naming
// the first row without a label; kConfig for a schema without one.
Result<std::vector<int>> binary_labels(const data::Schema& schema, const features::CellTable& table,
                                       std::size_t positive_code);

}  // namespace millrace::train
