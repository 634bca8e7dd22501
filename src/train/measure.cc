#include "train/measure.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.h"
#include "codec/prediction_writer.h"
#include "eval/metrics.h"
#include "json/json.h"

namespace millrace::train {
namespace {

// A metric; JSON has no NaN.
json::Value number(double value) {
  return std::isfinite(value) ? json::Value(value) : json::Value(nullptr);
}

json::Value to_json(const eval::Confusion& c) {
  return {{"true_negative", c.true_negative},
          {"false_positive", c.false_positive},
          {"false_negative", c.false_negative},
          {"true_positive", c.true_positive}};
}

json::Value to_json(const std::vector<eval::CalibrationBin>& bins) {
  json::Value out = json::Value::array();
  for (const eval::CalibrationBin& bin : bins) {
    out.push_back({{"lower", bin.lower},
                   {"upper", bin.upper},
                   {"count", bin.count},
                   {"mean_probability", bin.mean_probability},
                   {"positive_rate", bin.positive_rate}});
  }
  return out;
}

std::vector<double> rounded(std::span<const double> probabilities, int decimals) {
  std::vector<double> out(probabilities.begin(), probabilities.end());
  for (double& p : out) p = codec::round_to(p, decimals);
  return out;
}

json::Value baseline(double base_rate, std::span<const int> labels) {
  const std::vector<double> share(labels.size(), base_rate);
  return {{"accuracy", std::max(base_rate, 1 - base_rate)},
          {"log_loss", number(eval::log_loss(labels, share))}};
}

}  // namespace

json::Value measure(std::span<const int> labels, std::span<const double> probabilities,
                    const MeasureOptions& options) {
  CHECK(!labels.empty() && labels.size() == probabilities.size());
  const auto positives = std::count(labels.begin(), labels.end(), 1);
  const double base_rate = static_cast<double>(positives) / static_cast<double>(labels.size());
  const eval::Confusion confusion = eval::confusion(
      labels, rounded(probabilities, options.probability_decimals), options.threshold);
  const auto bins = eval::calibration(labels, probabilities);
  json::Value out;
  out["rows"] = labels.size();
  out["positives"] = positives;
  out["base_rate"] = base_rate;
  out["threshold"] = options.threshold;
  out["auc"] = number(eval::roc_auc(labels, probabilities));
  out["pr_auc"] = number(eval::average_precision(labels, probabilities));
  out["log_loss"] = number(eval::log_loss(labels, probabilities));
  out["brier"] = number(eval::brier_score(labels, probabilities));
  out["accuracy"] = number(eval::accuracy(confusion));
  out["precision"] = number(eval::precision(confusion));
  out["recall"] = number(eval::recall(confusion));
  out["f1"] = number(eval::f1(confusion));
  out["specificity"] = number(eval::specificity(confusion));
  out["npv"] = number(eval::negative_predictive_value(confusion));
  out["confusion"] = to_json(confusion);
  out["ece"] = number(eval::expected_calibration_error(bins));
  out["calibration"] = to_json(bins);
  out["baseline"] = baseline(base_rate, labels);
  return out;
}

Result<data::FeatureBatch> feature_rows(const features::Transform& transform,
                                        const features::CellTable& table,
                                        std::span<const std::size_t> rows) {
  data::FeatureBatch batch(transform.columns());
  data::RecordErrors errors;
  for (const std::size_t row : rows) {
    if (transform.apply(table.row(row), batch.add_row(), errors)) continue;
    CHECK(!errors.empty());
    return Error(ErrorCode::kBadData,
                 "row " + std::to_string(row) + " (from 0): " + errors.front().message());
  }
  return batch;
}

std::vector<double> probabilities_of(const model::TreeEnsemble& ensemble,
                                     const data::FeatureBatch& batch) {
  std::vector<double> out(batch.rows());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<double>(
        model::apply_link(ensemble.link, model::predict_margin_reference(ensemble, batch.row(i))));
  }
  return out;
}

Result<json::Value> evaluate_model(const features::Transform& transform,
                                   const model::TreeEnsemble& ensemble,
                                   const features::CellTable& table, std::span<const int> labels,
                                   std::span<const std::size_t> rows,
                                   const MeasureOptions& options) {
  CHECK(labels.size() == table.rows());
  if (rows.empty()) return Error(ErrorCode::kBadData, "there are no rows to evaluate on");
  if (ensemble.features != transform.columns()) {
    return Error(ErrorCode::kBadModel, "the model takes " + std::to_string(ensemble.features) +
                                           " columns, its features make " +
                                           std::to_string(transform.columns()));
  }
  MILLRACE_ASSIGN(const data::FeatureBatch batch, feature_rows(transform, table, rows));
  std::vector<int> chosen;
  chosen.reserve(rows.size());
  for (const std::size_t row : rows) chosen.push_back(labels[row]);
  return measure(chosen, probabilities_of(ensemble, batch), options);
}

}  // namespace millrace::train
