// millrace train PIPELINE and millrace evaluate PIPELINE
#include <memory>
#include <numeric>
#include <span>

#include "app/bad_lines.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/evaluation_page.h"
#include "app/forecasting.h"
#include "app/session.h"
#include "app/training.h"
#include "base/human.h"
#include "engine/model_fit.h"
#include "env/digest.h"
#include "json/json.h"
#include "train/measure.h"

namespace millrace::app {
namespace {

struct Options {
  std::string pipeline;
  std::string data;
  std::string model;
  bool no_promote = false;
  bool allow_invalid = false;
  // Of forecasts.
  ForecastFlags forecast;
  ForecastEvaluation evaluation;
  std::string models;  // "" for that of the pipeline's algorithm
  std::int64_t resamples = 200;
  std::int64_t block = 24;
  std::int64_t seed = 42;
  std::optional<double> alpha;
  bool use_block = false;  // the replaced system's flag; both intervals are always given
};

Status need_data(const Options& options) {
  if (options.data.empty())
    return Error(ErrorCode::kUsage, "--data FILE is needed (or - for standard input)");
  return {};
}

int exit_for(std::uint64_t bad_rows, const Options& options) {
  return bad_rows > 0 && !options.allow_invalid ? exit_code_of(ErrorCode::kBadData) : 0;
}

// Flags of forecasts are keys of the pipeline, and mean nothing without a target.
Result<spec::LoadedPipeline> load_for(Session& session, const Options& options) {
  MILLRACE_ASSIGN(spec::LoadedPipeline plain, session.load_pipeline(options.pipeline));
  const bool asks = !options.forecast.as_set().empty();
  const bool other = !options.models.empty() || !options.evaluation.folder.empty();
  if (!asks && (!other || plain.pipeline.forecast)) return plain;
  if (!plain.pipeline.forecast) {
    return Error(ErrorCode::kUsage,
                 "--target, --horizon, --test-size, --models and --outdir are for pipelines that "
                 "forecast; '" +
                     plain.pipeline.name + "' predicts a label");
  }
  return session.load_pipeline(options.pipeline, options.forecast.as_set());
}

json::Value trained_json(Session& session, const TrainingOutcome& outcome) {
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
  return result;
}

Result<std::vector<ForecastModel>> models_of(const spec::Pipeline& pipeline,
                                             const Options& options) {
  if (options.models.empty()) return std::vector{served_model(pipeline)};
  return models_named(options.models);
}

// Models that the registry does not hold are left as files.
Result<int> train_future(Session& session, const spec::Pipeline& pipeline, const Options& options,
                         Promote promote) {
  ForecastTraining training{options.data, promote, {}, options.evaluation.folder};
  MILLRACE_ASSIGN(training.models, models_of(pipeline, options));
  const bool only_served = training.models == std::vector{served_model(pipeline)};
  if (training.folder.empty() && !only_served) training.folder = session.reports_folder().string();
  MILLRACE_ASSIGN(const ForecastTrained trained,
                  run_forecast_training(session, pipeline, training));
  say_bad_lines(session, trained.bad, trained.bad_rows);
  json::Value result = trained.kept ? trained_json(session, *trained.kept)
                                    : json::Value({{"pipeline", pipeline.name},
                                                   {"bad_rows", trained.bad_rows},
                                                   {"bad", bad_lines_json(trained.bad)}});
  result["models"] = trained.models;
  result["files"] = trained.files;
  std::string text = trained.kept ? describe(*trained.kept) : "";
  if (!only_served) text += trained.described;
  for (const std::string& file : trained.files) text += "written: " + file + "\n";
  MILLRACE_TRY(session.finish(result, text));
  return exit_for(trained.bad_rows, options);
}

Result<int> train(Session& session, const Options& options) {
  MILLRACE_TRY(need_data(options));
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, load_for(session, options));
  const Promote promote = options.no_promote ? Promote::kNo : Promote::kYes;
  if (loaded.pipeline.forecast) return train_future(session, loaded.pipeline, options, promote);
  MILLRACE_ASSIGN(const TrainingOutcome outcome,
                  run_training(session, loaded.pipeline, options.data, promote));
  say_bad_lines(session, outcome.bad, outcome.bad_rows);
  MILLRACE_TRY(session.finish(trained_json(session, outcome), describe(outcome)));
  return exit_for(outcome.bad_rows, options);
}

// Labels and probabilities of some rows, by a model's parts.
Result<Evaluated> evaluated_on(const engine::LabelledTable& table,
                               std::span<const std::size_t> rows,
                               const features::Transform& transform,
                               const model::TreeEnsemble& ensemble) {
  MILLRACE_ASSIGN(const data::FeatureBatch batch,
                  train::feature_rows(transform, table.cells, rows));
  Evaluated evaluated;
  evaluated.probabilities = train::probabilities_of(ensemble, batch);
  for (const std::size_t row : rows) evaluated.labels.push_back(table.labels[row]);
  return evaluated;
}

// A split of the file: trained on one part, measured on the other. No model is saved.
Result<json::Value> evaluate_split(Session& session, const spec::Pipeline& pipeline,
                                   const engine::LabelledTable& table) {
  MILLRACE_ASSIGN(const eval::Split split, split_of(pipeline, table));
  const auto on_progress = [&session](std::string_view, std::uint32_t, std::uint32_t) {
    return !session.stop().requested();
  };
  MILLRACE_ASSIGN(const train::HoldoutResult holdout,
                  train::train_holdout(training_input(pipeline, table, split, on_progress)));
  json::Value result;
  result["pipeline"] = pipeline.name;
  result["rows_train"] = split.train.size();
  result["rows_test"] = split.test.size();
  result["metrics"] = holdout.metrics_holdout;
  result["metrics_train"] = holdout.metrics_train;
  const train::FittedModel& model = holdout.model;
  MILLRACE_ASSIGN(Evaluated evaluated,
                  evaluated_on(table, split.test, model.transform, model.ensemble));
  evaluated.rows_note = human_count(split.test.size()) + " of " + human_count(table.rows()) +
                        " rows, not seen in training";
  for (std::size_t i = 0; i < model.gains.size(); ++i) {
    evaluated.importances.emplace_back(model.transform.names()[i], model.gains[i]);
  }
  MILLRACE_ASSIGN(const env::Path page, write_evaluation_page(session, pipeline, evaluated));
  result["report"] = page.string();
  return result;
}

// What is said when the file is the one that the model was trained on, "" when it is not.
Result<std::string> warning_of(const std::string& data, const model::Manifest& manifest) {
  if (data == "-") return std::string();
  MILLRACE_ASSIGN(const std::string digest, env::sha256_file(data));
  if (digest != manifest.data_digest) return std::string();
  return "model " + manifest.version +
         " was trained on this very file; these figures are not of unseen rows";
}

// A model of the registry on every row of the file, as `score` would publish it.
Result<json::Value> evaluate_version(Session& session, const spec::Pipeline& pipeline,
                                     const engine::LabelledTable& table, const Options& options) {
  MILLRACE_ASSIGN(const model::LoadedModel model,
                  session.registry().load(pipeline.name, options.model));
  MILLRACE_ASSIGN(const engine::ModelFit fit, engine::fit_model_to(pipeline, model));
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  MILLRACE_ASSIGN(Evaluated evaluated, evaluated_on(table, rows, fit.transform, *model.ensemble));
  for (double& p : evaluated.probabilities) p = fit.of_positive(p);
  evaluated.model_version = model.manifest.version;
  evaluated.rows_note = "all " + human_count(table.rows()) + " rows of the file";
  json::Value result;
  result["pipeline"] = pipeline.name;
  result["model_version"] = model.manifest.version;
  result["rows_test"] = table.rows();
  result["metrics"] =
      train::measure(evaluated.labels, evaluated.probabilities,
                     {pipeline.model.threshold, pipeline.output.probability_decimals});
  MILLRACE_ASSIGN(const env::Path page, write_evaluation_page(session, pipeline, evaluated));
  result["report"] = page.string();
  MILLRACE_ASSIGN(const std::string warning, warning_of(options.data, model.manifest));
  if (!warning.empty()) {
    session.logger().warning(warning);
    result["warning"] = warning;
  }
  return result;
}

std::string describe_evaluation(const json::Value& result) {
  const json::Value& metrics = result["metrics"];
  const json::Value& confusion = metrics["confusion"];
  const auto count = [](const json::Value& value) {
    return human_count(value.get<std::uint64_t>());
  };
  const std::string how = result.contains("model_version")
                              ? "model " + result["model_version"].get<std::string>()
                              : "trained on " + count(result["rows_train"]) + " rows,";
  return how + " measured on " + count(result["rows_test"]) + ":\n" + describe_metrics(metrics) +
         "\nat threshold " + json::to_line(metrics["threshold"]) + ": " +
         count(confusion["true_positive"]) + " found, " + count(confusion["false_negative"]) +
         " missed, " + count(confusion["false_positive"]) + " false alarms, " +
         count(confusion["true_negative"]) + " rightly left alone\n" +
         "always the commoner label: accuracy " +
         human_number(metrics["baseline"]["accuracy"].get<double>(), 4) +
         "\nreport: " + result["report"].get<std::string>();
}

Result<int> evaluate_future(Session& session, const spec::Pipeline& pipeline,
                            const Options& options) {
  if (!options.model.empty()) {
    return Error(ErrorCode::kUsage,
                 "--model is for pipelines that predict a label; a forecast is "
                 "measured on hours that its training has not seen");
  }
  ForecastEvaluation evaluation = options.evaluation;
  evaluation.data = options.data;
  evaluation.bootstrap.resamples = static_cast<std::size_t>(options.resamples);
  evaluation.bootstrap.block = static_cast<std::size_t>(options.block);
  evaluation.bootstrap.seed = static_cast<std::uint64_t>(options.seed);
  evaluation.bootstrap.alpha = options.alpha.value_or(evaluation.bootstrap.alpha);
  MILLRACE_ASSIGN(evaluation.models, models_of(pipeline, options));
  MILLRACE_ASSIGN(const ForecastEvaluated evaluated,
                  evaluate_forecast(session, pipeline, evaluation));
  const json::Value& result = evaluated.result;
  const bool only_trees = evaluation.models == std::vector{ForecastModel::kXgboost};
  const auto count = [&result](const char* key) {
    return human_count(result[key].get<std::uint64_t>());
  };
  MILLRACE_TRY(session.finish(
      result, pipeline.forecast->target + " " + std::to_string(pipeline.forecast->horizon) +
                  " ahead: trained on " + count("n_train") + " readings, measured on the " +
                  count("n_test") + " after them\n" +
                  (only_trees ? describe_forecast(result) + "\n" : evaluated.described) +
                  "report: " + result["report"].get<std::string>()));
  return exit_for(result["bad_rows"].get<std::uint64_t>(), options);
}

Result<int> evaluate(Session& session, const Options& options) {
  MILLRACE_TRY(need_data(options));
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, load_for(session, options));
  const spec::Pipeline& pipeline = loaded.pipeline;
  if (pipeline.forecast) return evaluate_future(session, pipeline, options);
  if (!options.evaluation.out.empty())
    return Error(ErrorCode::kUsage, "--out is for pipelines that forecast");
  MILLRACE_ASSIGN(const engine::LabelledTable table,
                  engine::read_labelled_table(pipeline, options.data, engine::Labels::kRequired,
                                              session.stop()));
  MILLRACE_ASSIGN(json::Value result, options.model.empty()
                                          ? evaluate_split(session, pipeline, table)
                                          : evaluate_version(session, pipeline, table, options));
  say_bad_lines(session, table.bad, table.bad_rows);
  result["bad_rows"] = table.bad_rows;
  MILLRACE_TRY(session.finish(result, describe_evaluation(result)));
  return exit_for(table.bad_rows, options);
}

// What `train` and `evaluate` share.
Command command_with_data(CommandLine& line, const std::string& name, const std::string& summary,
                          const std::string& examples, const std::string& outdir_help,
                          Options& options) {
  Command command = line.command(name, summary, examples);
  command.positional("pipeline", &options.pipeline, "Shipped name, folder, or file")
      .value("--data,--dataset-path", &options.data,
             "CSV or NDJSON file with labels, or - for standard input")
      .value("--target", &options.forecast.target, "Column to forecast instead of the pipeline's")
      .value("--horizon", &options.forecast.horizon, "Steps ahead instead of the pipeline's", 1,
             10'000)
      .value("--test-size,--holdout", &options.forecast.test_share,
             "Share of a forecast's time that is held out, the last part")
      .value(
          "--models", &options.models,
          "Of a forecast: xgboost, arima, persistence, seasonal_persistence, with commas between; "
          "default is that of model.algorithm")
      .value("--outdir,--out-dir", &options.evaluation.folder, outdir_help)
      .flag("--allow-invalid", &options.allow_invalid, "Exit 0 although bad rows were left out");
  return command;
}

}  // namespace

void register_train(CommandLine& line) {
  auto options = std::make_shared<Options>();
  command_with_data(
      line, "train", "Make a model: measured on a hold-out, then refitted on all rows",
      "millrace train telco-churn --data customers.csv\n"
      "millrace train telco-churn --data customers.csv --no-promote --set "
      "model.trees=500\n"
      "millrace train air-quality --data AirQualityUCI.csv --models xgboost,arima "
      "--out-dir models",
      "Folder for train_manifest.json and the models of a forecast as files; only "
      "where it is given, or <home>/reports with other models than that of model.algorithm",
      *options)
      .flag("--no-promote", &options->no_promote, "Keep the present model the current one")
      .runs([options](Session& session) { return train(session, *options); });
}

void register_evaluate(CommandLine& line) {
  auto options = std::make_shared<Options>();
  command_with_data(line, "evaluate",
                    "Train on one part of a file and measure on the rest, or measure a model",
                    "millrace evaluate telco-churn --data customers.csv\n"
                    "millrace evaluate telco-churn --data new-customers.csv --model 3\n"
                    "millrace evaluate air-quality --data AirQualityUCI.csv --models "
                    "xgboost,arima,seasonal_persistence",
                    "Folder for the report of a forecast; default is <home>/reports", *options)
      .value("--model", &options->model, "Measure this version on every row instead")
      .value("--out", &options->evaluation.out,
             "Write each held-out step's forecast there, one line of JSON each")
      .value("--bootstrap", &options->resamples, "Resamples of the intervals", 10, 100'000)
      .value("--block-size", &options->block, "Steps in a block of the block bootstrap", 1, 10'000)
      .value("--alpha", &options->alpha, "Intervals leave this share out")
      .value("--seed", &options->seed, "Of the bootstrap", 0, 2'147'483'647)
      .flag("--use-block-bootstrap", &options->use_block,
            "Accepted for scripts; both kinds of interval are always given")
      .runs([options](Session& session) { return evaluate(session, *options); });
}

}  // namespace millrace::app
