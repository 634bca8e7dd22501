#include "app/training.h"

#include <memory>
#include <utility>

#include "app/terminal/progress.h"
#include "app/version.h"
#include "base/human.h"
#include "env/digest.h"
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
  manifest.created = session.clock().now();
  MILLRACE_ASSIGN(manifest.data_digest, digest_of(data));
  const model::Registry registry = session.registry();
  TrainingOutcome outcome;
  MILLRACE_ASSIGN(outcome.manifest,
                  registry.save(std::move(manifest), result.model.ensemble, result.canary));
  if (promote == Promote::kYes)
    MILLRACE_TRY(registry.promote(pipeline.name, outcome.manifest.version));
  outcome.current = promote == Promote::kYes;
  outcome.bad = table.bad;
  outcome.bad_rows = table.bad_rows;
  outcome.duration_s = std::chrono::duration<double>(session.clock().steady() - started).count();
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
