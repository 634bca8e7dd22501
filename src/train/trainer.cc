#include "train/trainer.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "train/statistics.h"

namespace millrace::train {
namespace {

Progress stage_of(const TrainingInput& input, std::string_view stage) {
  if (!input.progress) return {};
  return [&input, stage](std::uint32_t done, std::uint32_t all) {
    return input.progress(stage, done, all);
  };
}

template <class T>
std::vector<T> chosen(std::span<const T> values, std::span<const std::size_t> rows) {
  std::vector<T> out;
  out.reserve(rows.size());
  for (const std::size_t row : rows) out.push_back(values[row]);
  return out;
}

// Rows evenly spread over the table, the first and the last among them.
std::vector<std::size_t> spread_rows(std::size_t rows) {
  std::vector<std::size_t> out;
  const std::size_t wanted = std::min(rows, kCanaryRows);
  for (std::size_t i = 0; i < wanted; ++i) {
    out.push_back(wanted == 1 ? 0 : i * (rows - 1) / (wanted - 1));
  }
  return out;
}

Result<model::Canary> make_canary(const FittedModel& model, const features::CellTable& table) {
  const auto rows = spread_rows(table.rows());
  MILLRACE_ASSIGN(const data::FeatureBatch batch, feature_rows(model.transform, table, rows));
  model::Canary canary;
  for (std::size_t i = 0; i < batch.rows(); ++i) {
    canary.rows.emplace_back(batch.row(i).begin(), batch.row(i).end());
    canary.probabilities.push_back(model::apply_link(
        model.ensemble.link, model::predict_margin_reference(model.ensemble, batch.row(i))));
  }
  return canary;
}

json::Value importances(const FittedModel& model) {
  std::vector<std::size_t> order(model.gains.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return model.gains[a] > model.gains[b]; });
  json::Value out = json::Value::array();
  for (const std::size_t column : order) {
    if (out.size() == kImportancesMax || model.gains[column] <= 0) break;
    out.push_back({{"feature", model.transform.names()[column]}, {"gain", model.gains[column]}});
  }
  return out;
}

MeasureOptions options_of(const TrainingInput& input) {
  return {input.parameters.threshold, input.probability_decimals};
}

void check_input(const TrainingInput& input) {
  CHECK(input.labels.size() == input.table.rows());
  CHECK(input.weights.empty() || input.weights.size() == input.table.rows());
}

}  // namespace

Result<FittedModel> fit_model(const TrainingInput& input, std::span<const std::size_t> rows,
                              const Progress& progress) {
  check_input(input);
  MILLRACE_ASSIGN(features::Transform transform,
                  features::Transform::fit(input.operators, input.schema, input.table, rows));
  MILLRACE_ASSIGN(const data::FeatureBatch batch, feature_rows(transform, input.table, rows));
  const std::vector<int> labels = chosen(input.labels, rows);
  const std::vector<double> weights =
      input.weights.empty() ? std::vector<double>{} : chosen(input.weights, rows);
  MILLRACE_ASSIGN(BoostedModel boosted,
                  train_gradient_boosting(input.parameters, batch, labels, weights, progress));
  return FittedModel{std::move(transform), std::move(boosted.ensemble), std::move(boosted.gains)};
}

Result<HoldoutResult> train_holdout(const TrainingInput& input) {
  MILLRACE_ASSIGN(FittedModel model,
                  fit_model(input, input.split.train, stage_of(input, "hold-out")));
  HoldoutResult out{std::move(model), {}, {}};
  MILLRACE_ASSIGN(out.metrics_holdout,
                  evaluate_model(out.model.transform, out.model.ensemble, input.table, input.labels,
                                 input.split.test, options_of(input)));
  MILLRACE_ASSIGN(out.metrics_train,
                  evaluate_model(out.model.transform, out.model.ensemble, input.table, input.labels,
                                 input.split.train, options_of(input)));
  return out;
}

Result<TrainingResult> train_and_measure(const TrainingInput& input) {
  MILLRACE_ASSIGN(HoldoutResult holdout, train_holdout(input));
  std::vector<std::size_t> all(input.table.rows());
  std::iota(all.begin(), all.end(), std::size_t{0});
  MILLRACE_ASSIGN(FittedModel model, fit_model(input, all, stage_of(input, "all rows")));
  TrainingResult out{std::move(model),
                     std::move(holdout.metrics_holdout),
                     std::move(holdout.metrics_train),
                     all.size(),
                     input.split.test.size(),
                     {},
                     {},
                     {},
                     {}};
  MILLRACE_ASSIGN(const data::FeatureBatch held_out,
                  feature_rows(holdout.model.transform, input.table, input.split.test));
  out.holdout_probabilities = probabilities_of(holdout.model.ensemble, held_out);
  MILLRACE_ASSIGN(out.canary, make_canary(out.model, input.table));
  out.feature_statistics = feature_statistics(input.schema, input.table);
  out.feature_importances = importances(out.model);
  return out;
}

Result<std::vector<int>> binary_labels(const data::Schema& schema, const features::CellTable& table,
                                       std::size_t positive_code) {
  const auto label = schema.label();
  if (!label) return Error(ErrorCode::kConfig, "the schema names no label to train on");
  std::vector<int> labels;
  labels.reserve(table.rows());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const data::Cell& cell = table.row(i)[*label];
    if (cell.state != data::CellState::kCategory) {
      return Error(ErrorCode::kBadData, "row " + std::to_string(i) + " (from 0) has no label '" +
                                            schema.field(*label).name + "'");
    }
    labels.push_back(static_cast<std::size_t>(cell.code) == positive_code ? 1 : 0);
  }
  return labels;
}

}  // namespace millrace::train
