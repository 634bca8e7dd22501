// millrace tune PIPELINE
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/forecasting.h"
#include "app/terminal/table.h"
#include "app/tuning.h"
#include "base/human.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr std::size_t kTrialsShown = 5;

struct Options {
  TuneOptions tune;
  ForecastFlags forecast;
  std::int64_t trials = 20;
  std::int64_t folds = 3;
  std::int64_t seed = 42;
  bool grid = false;
  bool random = false;
  bool allow_invalid = false;
};

std::string parameters_text(const json::Value& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters.items())
    out += (out.empty() ? "" : ", ") + name + " " + json::to_line(value);
  return out;
}

std::string describe(const json::Value& report) {
  const auto number = [](const json::Value& value) { return human_number(value.get<double>(), 4); };
  const auto count = [](const json::Value& value) {
    return human_count(value.get<std::uint64_t>());
  };
  const json::Value& trials = report["trials"];
  const bool labels = report.contains("label");
  const std::string figure = report["figure"].get<std::string>();
  const std::string what =
      labels ? report["label"].get<std::string>()
             : report["target"].get<std::string>() + " " + count(report["horizon"]) + " ahead";
  std::string text = what + ": " + human_count(trials.size(), "trial", "trials") + " (" +
                     count(report["trials_from_before"]) + " from before) of " +
                     count(report["n_splits"]) + " folds over " + count(report["n_train"]) +
                     (labels ? " rows\n" : " readings\n");
  Table table({{"", Table::Align::kLeft},
               {labels ? "log loss" : "MAE", Table::Align::kRight},
               {"parameters", Table::Align::kLeft}});
  for (std::size_t i = 0; i < std::min(trials.size(), kTrialsShown); ++i) {
    table.add_row(
        {std::to_string(i + 1), number(trials[i][figure]), parameters_text(trials[i]["params"])});
  }
  const json::Value& present = report["present"];
  table.add_row({"now", number(present[figure]), parameters_text(present["params"])});
  text += table.to_string();
  text += "the best one on the " + count(report["n_holdout"]);
  if (labels) {
    text += " rows held out: log loss " + number(report["holdout_log_loss"]) + ", AUC " +
            number(report["holdout_auc"]) + "\n";
  } else {
    text += " readings held out: MAE " + number(report["holdout_mae"]) + ", RMSE " +
            number(report["holdout_rmse"]) + "; persistence: MAE " +
            number(report["baseline_mae"]) + "\n";
  }
  text += "as flags:\n  " + report["set"].get<std::string>() + "\nas a pipeline has it:\n" +
          report["snippet"].get<std::string>();
  return text + "report: " + report["report"].get<std::string>();
}

Result<int> run(Session& session, const Options& options) {
  if (options.tune.data.empty()) return Error(ErrorCode::kUsage, "--data FILE is needed");
  if (options.grid && options.random)
    return Error(ErrorCode::kUsage, "give --grid or --random, not both");
  TuneOptions tuning = options.tune;
  tuning.set = options.forecast.as_set();
  tuning.search = options.grid ? TuneOptions::Search::kGrid : TuneOptions::Search::kRandom;
  tuning.trials = static_cast<std::size_t>(options.trials);
  tuning.folds = static_cast<std::size_t>(options.folds);
  tuning.seed = static_cast<std::uint64_t>(options.seed);
  MILLRACE_ASSIGN(const json::Value report, tune(session, tuning));
  MILLRACE_TRY(session.finish(report, describe(report)));
  const bool bad = report["bad_rows"].get<std::uint64_t>() > 0 && !options.allow_invalid;
  return bad ? exit_code_of(ErrorCode::kBadData) : 0;
}

}  // namespace

void register_tune(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("tune", "Search for better parameters of a model; stopped, it goes on where it was",
               "millrace tune air-quality --data AirQualityUCI.csv\n"
               "millrace tune air-quality --data AirQualityUCI.csv --grid --set "
               "'tune={depth: [4, 6], learning_rate: [0.03, 0.1]}'\n"
               "millrace tune telco-churn --data customers.csv\n"
               "millrace tune air-quality --data AirQualityUCI.csv --trials 50 --set "
               "'tune.learning_rate={min: 0.01, max: 0.3, scale: log}'")
      .positional("pipeline", &options->tune.pipeline, "Shipped name, folder, or file")
      .value("--data,--dataset-path", &options->tune.data, "CSV, NDJSON or Parquet file")
      .value("--target", &options->forecast.target, "Column to forecast instead of the pipeline's")
      .value("--horizon", &options->forecast.horizon, "Steps ahead instead of the pipeline's", 1,
             10'000)
      .value("--holdout,--test-size", &options->forecast.test_share,
             "Share of the time, or of the rows, that no trial sees")
      .value("--n-splits,--n_splits", &options->folds,
             "Folds: a rolling origin, or of labels as `split` says", 2, 100)
      .flag("--grid", &options->grid, "Try every combination")
      .flag("--random", &options->random, "Try --trials combinations drawn at random (default)")
      .value("--trials", &options->trials, "Combinations that a random search draws", 1, 10'000)
      .value("--seed", &options->seed, "Of the random search", 0, 2'147'483'647)
      .value("--outdir,--out-dir", &options->tune.folder,
             "Folder for the report; default is <home>/reports")
      .flag("--allow-invalid", &options->allow_invalid, "Exit 0 although bad rows were left out")
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
