// How good a model is on rows, as the JSON that manifests, `train` and `evaluate` show.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "data/feature_batch.h"
#include "features/transform.h"
#include "json/fwd.h"
#include "model/tree_ensemble.h"

namespace millrace::train {

struct MeasureOptions {
  double threshold = 0.5;
  // The label is decided on the published probability, which is rounded to so many decimals (0 to
  // 15).
  int probability_decimals = 6;
};

// Keys: rows, positives, base_rate, threshold, auc, pr_auc, log_loss, brier, accuracy, precision,
// recall, f1, specificity, npv, confusion {true_negative, false_positive, false_negative,
// true_positive}, ece, calibration [{lower, upper, count, mean_probability, positive_rate}],
// baseline {accuracy, log_loss} of always saying the commoner label (and its share). A metric that
// is not defined (the AUC of one class) is null. Labels 0/1 and probabilities of one length > 0.
json::Value measure(std::span<const int> labels, std::span<const double> probabilities,
                    const MeasureOptions& options);

// The features of the given rows, in their order. Errors: kBadData naming the first row (from 0)
// that an operator sets aside.
Result<data::FeatureBatch> feature_rows(const features::Transform& transform,
                                        const features::CellTable& table,
                                        std::span<const std::size_t> rows);

// Probabilities by the reference predictor.
std::vector<double> probabilities_of(const model::TreeEnsemble& ensemble,
                                     const data::FeatureBatch& batch);

// The metrics of a model on rows of a table, `labels` beside the table: for `evaluate --model`.
// Errors: kBadModel when the ensemble does not take the transform's columns; as feature_rows();
// kBadData for no rows.
Result<json::Value> evaluate_model(const features::Transform& transform,
                                   const model::TreeEnsemble& ensemble,
                                   const features::CellTable& table, std::span<const int> labels,
                                   std::span<const std::size_t> rows,
                                   const MeasureOptions& options);

}  // namespace millrace::train
