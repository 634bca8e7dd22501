#include "app/training.h"

#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include "app/terminal/progress.h"
#include "app/version.h"
#include "base/check.h"
#include "base/human.h"
#include "engine/drift_watch.h"
#include "env/digest.h"
#include "train/measure.h"
#include "train/statistics.h"

namespace millrace::app {
namespace {

model::Manifest manifest_of(const spec::Pipeline& pipeline, const train::TrainingResult& result) {
  model::Manifest manifest;
  manifest.pipeline = pipeline.name;
  manifest.program_version = version_line();
  manifest.algorithm = "gradient_boosting";
  manifest.parameters = pipeline.model;
  const data::Field& label = pipeline.schema.field(*pipeline.schema.label());
  const std::size_t positive = pipeline.positive_code();
  manifest.label = label.name;
  manifest.label_values = {label.values.at(1 - positive), label.values.at(positive)};
  manifest.threshold = pipeline.model.threshold;
  manifest.features = result.model.transform.names();
  manifest.feature_fingerprint = result.model.transform.fingerprint();
  manifest.transform = result.model.transform.to_json();
  manifest.schema = schema_json(pipeline.schema);
  manifest.feature_statistics = result.feature_statistics;
  manifest.feature_importances = result.feature_importances;
  manifest.metrics_holdout = result.metrics_holdout;
  manifest.metrics_train = result.metrics_train;
  manifest.rows_trained = result.rows_trained;
  manifest.rows_holdout = result.rows_holdout;
  return manifest;
}

// When each row happened, where windows are of time.
Result<std::vector<Timestamp>> event_times_of(const spec::Pipeline& pipeline,
                                              const engine::LabelledTable& table) {
  std::vector<Timestamp> times;
  if (pipeline.drift->window.kind == drift::WindowSpec::Kind::kRecords) return times;
  if (!pipeline.input.event_time) {
    return Error(ErrorCode::kConfig,
                 "'drift.window' is a time, but no field says when a row of the training data "
                 "happened: name it in 'input.event_time', or count records with "
                 "'drift.window_records'");
  }
  const auto column = pipeline.schema.find(*pipeline.input.event_time);
  CHECK(column);
  times.reserve(table.rows());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const data::Cell& cell = table.cells.row(i)[*column];
    if (cell.state != data::CellState::kText) {
      return Error(ErrorCode::kBadData, "row " + std::to_string(i) + " (from 0) has no time in '" +
                                            *pipeline.input.event_time +
                                            "', which windows of time need; or count records with "
                                            "'drift.window_records'");
    }
    times.emplace_back(cell.time_ms);
  }
  return times;
}

// The score is that of the model which did not see the row.
Result<json::Value> drift_reference_of(const spec::Pipeline& pipeline,
                                       const engine::LabelledTable& table, const eval::Split& split,
                                       const train::TrainingResult& result) {
  if (!pipeline.drift) return json::Value(nullptr);
  MILLRACE_ASSIGN(const std::vector<Timestamp> times, event_times_of(pipeline, table));
  std::vector<std::size_t> all(table.rows());
  std::iota(all.begin(), all.end(), std::size_t{0});
  MILLRACE_ASSIGN(const data::FeatureBatch rows,
                  train::feature_rows(result.model.transform, table.cells, all));
  std::vector<double> scores(table.rows(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < split.test.size(); ++i)
    scores[split.test[i]] = result.holdout_probabilities[i];
  return engine::drift_reference(pipeline, {result.model.transform.names(), rows, times, scores});
}

}  // namespace

json::Value schema_json(const data::Schema& schema) {
  json::Value fields = json::Value::object();
  for (const data::Field& field : schema.fields()) {
    json::Value entry;
    entry["type"] = data::to_string(field.type);
    if (!field.values.empty()) entry["values"] = field.values;
    if (field.label) entry["label"] = true;
    fields[field.name] = std::move(entry);
  }
  return fields;
}

Result<std::string> digest_of(const std::string& data) {
  if (data == "-") return std::string("standard input");
  return env::sha256_file(data);
}

Result<eval::Split> split_of(const spec::Pipeline& pipeline, const engine::LabelledTable& table) {
  switch (pipeline.split.kind) {
    case spec::SplitSpec::Kind::kHash:
      return eval::hash_split(table.keys, pipeline.split.test_fraction, pipeline.split.seed);
    case spec::SplitSpec::Kind::kChronological:
      return eval::chronological_split(table.rows(), pipeline.split.test_fraction);
    case spec::SplitSpec::Kind::kStratified:
      break;
  }
  return eval::stratified_split(table.labels, pipeline.split.test_fraction, pipeline.split.seed);
}

train::TrainingInput training_input(const spec::Pipeline& pipeline,
                                    const engine::LabelledTable& table, const eval::Split& split,
                                    train::TrainingProgress progress) {
  return {.schema = pipeline.schema,
          .operators = pipeline.features,
          .parameters = pipeline.model,
          .table = table.cells,
          .labels = table.labels,
          .weights = table.weights,
          .split = split,
          .probability_decimals = pipeline.output.probability_decimals,
          .progress = std::move(progress)};
}

Result<TrainingOutcome> run_training(Session& session, const spec::Pipeline& pipeline,
                                     const std::string& data, Promote promote) {
  const SteadyTime started = session.clock().steady();
  MILLRACE_ASSIGN(
      const engine::LabelledTable table,
      engine::read_labelled_table(pipeline, data, engine::Labels::kRequired, session.stop()));
  MILLRACE_ASSIGN(const eval::Split split, split_of(pipeline, table));
  Progress progress(session.clock(),
                    session.flags().quiet ? Progress::Sink::kNone : Progress::Sink::kTerminal,
                    "training", std::uint64_t{pipeline.model.trees} * 2);
  progress.step_aside_for(session.logger());
  const auto on_progress = [&](std::string_view stage, std::uint32_t done, std::uint32_t trees) {
    progress.update(stage == "hold-out" ? done : std::uint64_t{trees} + done);
    return !session.stop().requested();
  };
  const train::TrainingInput input = training_input(pipeline, table, split, on_progress);
  MILLRACE_ASSIGN(const train::TrainingResult result, train::train_and_measure(input));
  progress.finish();
  model::Manifest manifest = manifest_of(pipeline, result);
  MILLRACE_ASSIGN(manifest.drift_reference, drift_reference_of(pipeline, table, split, result));
  return save_trained(session, data, promote,
                      {std::move(manifest), result.model.ensemble, result.canary, table.bad,
                       table.bad_rows, started});
}

Result<TrainingOutcome> save_trained(Session& session, const std::string& data, Promote promote,
                                     Trained trained) {
  trained.manifest.created = session.clock().now();
  MILLRACE_ASSIGN(trained.manifest.data_digest, digest_of(data));
  const model::Registry registry = session.registry();
  TrainingOutcome outcome;
  MILLRACE_ASSIGN(outcome.manifest,
                  registry.save(std::move(trained.manifest), trained.ensemble, trained.canary));
  if (promote == Promote::kYes)
    MILLRACE_TRY(registry.promote(outcome.manifest.pipeline, outcome.manifest.version));
  outcome.current = promote == Promote::kYes;
  outcome.bad = trained.bad;
  outcome.bad_rows = trained.bad_rows;
  outcome.duration_s =
      std::chrono::duration<double>(session.clock().steady() - trained.started).count();
  return outcome;
}

std::string describe_metrics(const json::Value& metrics) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {"auc", "AUC"},
      {"pr_auc", "PR-AUC"},
      {"log_loss", "log-loss"},
      {"brier", "Brier"},
      {"accuracy", "accuracy"},
      {"precision", "precision"},
      {"recall", "recall"},
      {"f1", "F1"},
      {"mae", "MAE"},
      {"rmse", "RMSE"},
      {"r2", "R2"},
      {"persistence_mae", "persistence MAE"}};
  std::string text;
  for (const auto& [key, name] : rows) {
    const auto found = metrics.find(key);
    if (found == metrics.end() || !found->is_number()) continue;
    text += (text.empty() ? "" : ", ") + std::string(name) + " " +
            human_number(found->get<double>(), 4);
  }
  return text;
}

std::string describe(const TrainingOutcome& outcome) {
  const model::Manifest& m = outcome.manifest;
  std::string text = "model " + m.version + " of " + m.pipeline + ": trained on " +
                     human_count(m.rows_trained) + " rows in " + human_seconds(outcome.duration_s) +
                     (outcome.current ? ", now the current one" : ", not promoted") + "\n";
  text += "hold-out (" + human_count(m.rows_holdout) +
          " rows): " + describe_metrics(m.metrics_holdout) + "\n";
  if (outcome.bad_rows > 0)
    text += human_count(outcome.bad_rows, "bad row was left out\n", "bad rows were left out\n");
  return text;
}

}  // namespace millrace::app
