// millrace train PIPELINE and millrace evaluate PIPELINE
#include <memory>
#include <numeric>

#include "app/bad_lines.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/evaluation_page.h"
#include "app/session.h"
#include "app/training.h"
#include "base/human.h"
#include "env/digest.h"
#include "json/json.h"
#include "train/measure.h"
#include "train/trainer.h"

namespace millrace::app {
namespace {

struct Options {
  std::string pipeline;
  std::string data;
  std::string model;
  bool no_promote = false;
  bool allow_invalid = false;
};

Status need_data(const Options& options) {
  if (options.data.empty())
    return Error(ErrorCode::kUsage, "--data FILE is needed (or - for standard input)");
  return {};
}

int exit_for(std::uint64_t bad_rows, const Options& options) {
  return bad_rows > 0 && !options.allow_invalid ? exit_code_of(ErrorCode::kBadData) : 0;
}

Result<int> train(Session& session, const Options& options) {
  MILLRACE_TRY(need_data(options));
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  MILLRACE_ASSIGN(const TrainingOutcome outcome,
                  run_training(session, loaded.pipeline, options.data,
                               options.no_promote ? Promote::kNo : Promote::kYes));
  say_bad_lines(session, outcome.bad, outcome.bad_rows);
  const model::Manifest& m = outcome.manifest;
  json::Value result;
  result["pipeline"] = m.pipeline;
  result["model_version"] = m.version;
  result["current"] = outcome.current;
  result["rows_trained"] = m.rows_trained;
  result["rows_holdout"] = m.rows_holdout;
  result["bad_rows"] = outcome.bad_rows;
  result["bad"] = bad_lines_json(outcome.bad);
  result["duration_s"] = outcome.duration_s;
  result["metrics_holdout"] = m.metrics_holdout;
  result["metrics_train"] = m.metrics_train;
  result["feature_importances"] = m.feature_importances;
  result["folder"] = (session.models_folder() / m.pipeline / m.version).string();
  MILLRACE_TRY(session.finish(result, describe(outcome)));
  return exit_for(outcome.bad_rows, options);
}

// A split of the file: trained on one part, measured on the other. Nothing is saved.
Result<json::Value> evaluate_split(Session& session, const spec::Pipeline& pipeline,
                                   const engine::LabelledTable& table) {
  MILLRACE_ASSIGN(const eval::Split split, split_of(pipeline, table));
  const auto on_progress = [&session](std::string_view, std::uint32_t, std::uint32_t) {
    return !session.stop().requested();
  };
  const train::TrainingInput input{.schema = pipeline.schema,
                                   .operators = pipeline.features,
                                   .parameters = pipeline.model,
                                   .table = table.cells,
                                   .labels = table.labels,
                                   .weights = table.weights,
                                   .split = split,
                                   .probability_decimals = pipeline.output.probability_decimals,
                                   .progress = on_progress};
  MILLRACE_ASSIGN(const train::HoldoutResult holdout, train::train_holdout(input));
  json::Value result;
  result["pipeline"] = pipeline.name;
  result["rows_train"] = split.train.size();
  result["rows_test"] = split.test.size();
  result["metrics"] = holdout.metrics_holdout;
  result["metrics_train"] = holdout.metrics_train;
  Evaluated evaluated{.transform = holdout.model.transform,
                      .ensemble = holdout.model.ensemble,
                      .rows = split.test,
                      .model_version = "",
                      .rows_note = human_count(split.test.size()) + " of " +
                                   human_count(table.rows()) + " rows, not seen in training",
                      .importances = {}};
  for (std::size_t i = 0; i < holdout.model.gains.size(); ++i) {
    evaluated.importances.emplace_back(holdout.model.transform.names()[i], holdout.model.gains[i]);
  }
  MILLRACE_ASSIGN(const env::Path page, write_evaluation_page(session, pipeline, table, evaluated));
  result["report"] = page.string();
  return result;
}

// A model of the registry on every row of the file.
Result<json::Value> evaluate_version(Session& session, const spec::Pipeline& pipeline,
                                     const engine::LabelledTable& table, const Options& options) {
  MILLRACE_ASSIGN(const model::LoadedModel model,
                  session.registry().load(pipeline.name, options.model));
  MILLRACE_ASSIGN(const features::Transform transform,
                  features::Transform::from_json(model.manifest.transform, pipeline.schema));
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  json::Value result;
  result["pipeline"] = pipeline.name;
  result["model_version"] = model.manifest.version;
  result["rows_test"] = table.rows();
  MILLRACE_ASSIGN(
      result["metrics"],
      train::evaluate_model(transform, *model.ensemble, table.cells, table.labels, rows,
                            {pipeline.model.threshold, pipeline.output.probability_decimals}));
  const Evaluated evaluated{.transform = transform,
                            .ensemble = *model.ensemble,
                            .rows = rows,
                            .model_version = model.manifest.version,
                            .rows_note = "all " + human_count(table.rows()) + " rows of the file",
                            .importances = {}};
  MILLRACE_ASSIGN(const env::Path page, write_evaluation_page(session, pipeline, table, evaluated));
  result["report"] = page.string();
  if (options.data != "-") {
    MILLRACE_ASSIGN(const std::string digest, env::sha256_file(options.data));
    if (digest == model.manifest.data_digest) {
      const std::string warning =
          "model " + model.manifest.version +
          " was trained on this very file; these figures are not of unseen rows";
      session.logger().warning(warning);
      result["warning"] = warning;
    }
  }
  return result;
}

Result<int> evaluate(Session& session, const Options& options) {
  MILLRACE_TRY(need_data(options));
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  const spec::Pipeline& pipeline = loaded.pipeline;
  MILLRACE_ASSIGN(const engine::LabelledTable table,
                  engine::read_labelled_table(pipeline, options.data, engine::Labels::kRequired,
                                              session.stop()));
  MILLRACE_ASSIGN(json::Value result, options.model.empty()
                                          ? evaluate_split(session, pipeline, table)
                                          : evaluate_version(session, pipeline, table, options));
  say_bad_lines(session, table.bad, table.bad_rows);
  result["bad_rows"] = table.bad_rows;
  const json::Value& metrics = result["metrics"];
  std::string text = options.model.empty()
                         ? "trained on " + human_count(result["rows_train"].get<std::uint64_t>()) +
                               " rows, measured on "
                         : "model " + result["model_version"].get<std::string>() + " measured on ";
  text += human_count(result["rows_test"].get<std::uint64_t>()) + ":\n" +
          describe_metrics(metrics) + "\n";
  const json::Value& confusion = metrics["confusion"];
  text += "at threshold " + json::to_line(metrics["threshold"]) + ": " +
          human_count(confusion["true_positive"].get<std::uint64_t>()) + " found, " +
          human_count(confusion["false_negative"].get<std::uint64_t>()) + " missed, " +
          human_count(confusion["false_positive"].get<std::uint64_t>()) + " false alarms, " +
          human_count(confusion["true_negative"].get<std::uint64_t>()) + " rightly left alone\n" +
          "always the commoner label: accuracy " +
          human_number(metrics["baseline"]["accuracy"].get<double>(), 4) +
          "\nreport: " + result["report"].get<std::string>();
  MILLRACE_TRY(session.finish(result, text));
  return exit_for(table.bad_rows, options);
}

void add_input(Command& command, Options& options) {
  command.positional("pipeline", &options.pipeline, "Shipped name, folder, or file")
      .value("--data,--dataset-path", &options.data,
             "CSV or NDJSON file with labels, or - for standard input")
      .flag("--allow-invalid", &options.allow_invalid, "Exit 0 although bad rows were left out");
}

}  // namespace

void register_train(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command command = line.command(
      "train", "Make a model: measured on a hold-out, then refitted on all rows",
      "millrace train telco-churn --data customers.csv\n"
      "millrace train telco-churn --data customers.csv --no-promote --set model.trees=500");
  add_input(command, *options);
  command.flag("--no-promote", &options->no_promote, "Keep the present model the current one")
      .runs([options](Session& session) { return train(session, *options); });
}

void register_evaluate(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command command = line.command(
      "evaluate", "Train on one part of a file and measure on the rest, or measure a model",
      "millrace evaluate telco-churn --data customers.csv\n"
      "millrace evaluate telco-churn --data new-customers.csv --model 3");
  add_input(command, *options);
  command.value("--model", &options->model, "Measure this version on every row instead")
      .runs([options](Session& session) { return evaluate(session, *options); });
}

}  // namespace millrace::app
