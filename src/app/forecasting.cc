#include "app/forecasting.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "app/bad_lines.h"
#include "app/forecast_files.h"
#include "app/output_file.h"
#include "app/terminal/progress.h"
#include "app/version.h"
#include "base/human.h"
#include "engine/drift_watch.h"
#include "engine/series_table.h"
#include "env/digest.h"
#include "features/series_transform.h"
#include "train/forecaster.h"

namespace millrace::app {
namespace {

json::Value importances_of(const train::BoostedModel& model,
                           const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 20;
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < model.gains.size(); ++i) {
    if (model.gains[i] > 0) order.emplace_back(-model.gains[i], i);
  }
  std::sort(order.begin(), order.end());
  json::Value out = json::Value::array();
  for (std::size_t i = 0; i < std::min(order.size(), kShown); ++i)
    out.push_back({{"feature", names[order[i].second]}, {"gain", -order[i].first}});
  return out;
}

// Mean, deviation and range of each column over the rows, as the manifest keeps them.
json::Value statistics_of(const engine::SeriesTable& table, const std::vector<std::string>& names) {
  json::Value out = json::Value::object();
  for (std::size_t column = 0; column < names.size(); ++column) {
    std::uint64_t count = 0;
    double mean = 0;
    double squares = 0;
    double least = 0;
    double greatest = 0;
    for (std::size_t row = 0; row < table.rows(); ++row) {
      const double value = table.features.row(row)[column];
      if (std::isnan(value)) continue;
      least = count == 0 ? value : std::min(least, value);
      greatest = count == 0 ? value : std::max(greatest, value);
      ++count;
      const double delta = value - mean;
      mean += delta / static_cast<double>(count);
      squares += delta * (value - mean);
    }
    json::Value entry = {{"type", "number"}, {"count", count}, {"missing", table.rows() - count}};
    if (count > 0) {
      entry["mean"] = mean;
      entry["std"] = std::sqrt(squares / static_cast<double>(count));
      entry["min"] = least;
      entry["max"] = greatest;
    }
    out[names[column]] = std::move(entry);
  }
  return out;
}

model::Canary canary_of(const engine::SeriesTable& table, const model::TreeEnsemble& ensemble) {
  constexpr std::size_t kRows = 16;
  model::Canary canary;
  const std::size_t wanted = std::min(table.rows(), kRows);
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto row = table.features.row(wanted == 1 ? 0 : i * (table.rows() - 1) / (wanted - 1));
    canary.rows.emplace_back(row.begin(), row.end());
    canary.probabilities.push_back(
        model::apply_link(ensemble.link, model::predict_margin_reference(ensemble, row)));
  }
  return canary;
}

json::Value forecast_json(const spec::Pipeline& pipeline, double half_width) {
  const spec::ForecastSpec& forecast = *pipeline.forecast;
  return {
      {"target", forecast.target},
      {"horizon", forecast.horizon},
      {"step_ms", pipeline.series.plan.step.count()},
      {"predict", forecast.predict == spec::ForecastSpec::Predict::kChange ? "change" : "level"},
      {"coverage", forecast.coverage},
      {"interval_half_width", half_width}};
}

// What is the same of every model; `figures`: its own.
model::Manifest manifest_of(const spec::Pipeline& pipeline, const engine::SeriesTable& table,
                            const features::SeriesTransform& transform, const Measured& measured,
                            const ModelFigures& figures) {
  model::Manifest manifest;
  manifest.pipeline = pipeline.name;
  manifest.program_version = version_line();
  manifest.parameters = pipeline.model;
  manifest.label = pipeline.forecast->target;
  manifest.features = transform.names();
  manifest.feature_fingerprint = transform.fingerprint();
  manifest.transform = transform.to_json();
  manifest.schema = schema_json(pipeline.schema);
  manifest.feature_statistics = statistics_of(table, transform.names());
  manifest.metrics_holdout = figures.metrics;
  manifest.metrics_train = json::Value::object();
  manifest.rows_holdout = measured.split.test.size();
  return manifest;
}

// Each test step's forecasts, so that anyone can recompute the figures.
Status write_steps(Session& session, const std::string& path, const train::ForecastRows& rows,
                   const Measured& measured) {
  if (path.empty()) return {};
  MILLRACE_ASSIGN(OutputFile file, OutputFile::open(session, path));
  const ModelFigures& main = measured.main();
  for (std::size_t i = 0; i < measured.split.test.size(); ++i) {
    const std::size_t row = measured.split.test[i];
    json::Value line;
    line["event_ts"] = env::format_rfc3339(rows.forecast_for[row]);
    line["actual"] = rows.target[row];
    line["forecast"] = main.forecasts[i];
    line["persistence"] = rows.last_observed[row];
    line["lower"] = main.forecasts[i] - main.half_widths[i];
    line["upper"] = main.forecasts[i] + main.half_widths[i];
    for (const ModelFigures& each : measured.models) {
      if (each.model != main.model && each.model != ForecastModel::kPersistence)
        line[std::string(name_of(each.model))] = each.forecasts[i];
    }
    MILLRACE_TRY(file.write(json::to_line(line) + "\n"));
  }
  return file.close();
}

}  // namespace

std::vector<std::string> ForecastFlags::as_set() const {
  std::vector<std::string> set;
  if (!target.empty()) set.push_back("target.column=" + target);
  if (horizon) set.push_back("target.horizon=" + std::to_string(*horizon));
  if (test_share) set.push_back("split.test_fraction=" + std::to_string(*test_share));
  return set;
}

namespace {

// A training from its table to a version in the registry.
class Keeping {
 public:
  Keeping(Session& session, const spec::Pipeline& pipeline, const engine::SeriesTable& table,
          const features::SeriesTransform& transform, const Measured& measured,
          const ForecastTraining& training, SteadyTime started)
      : session_(session),
        pipeline_(pipeline),
        table_(table),
        transform_(transform),
        measured_(measured),
        training_(training),
        started_(started) {}

  // Fitted on all of the file.
  Result<TrainingOutcome> trees(const train::ForecastOptions& options) {
    const train::ForecastRows rows = rows_of(table_);
    MILLRACE_ASSIGN(const train::Forecaster forecaster,
                    train::fit_forecaster(rows, train::usable_rows(rows, options.of), options));
    model::Manifest manifest = begun(ForecastModel::kXgboost);
    manifest.algorithm = "gradient_boosting";
    manifest.feature_importances = importances_of(forecaster.model, transform_.names());
    manifest.forecast = forecast_json(pipeline_, forecaster.half_width);
    manifest.rows_trained = forecaster.rows;
    return save(std::move(manifest), forecaster.model.ensemble, forecaster.held_out);
  }

  // The same. Its parameters are in the manifest; there are no trees beside them.
  Result<TrainingOutcome> arima() {
    MILLRACE_ASSIGN(const TrainedArima trained, train_arima(session_, pipeline_, table_));
    model::Manifest manifest = begun(ForecastModel::kArima);
    manifest.algorithm = "arima";
    manifest.feature_importances = json::Value::array();
    manifest.forecast =
        forecast_json(pipeline_, manifest.metrics_holdout["interval_half_width"].get<double>());
    manifest.forecast["arima"] = trained.parameters;
    manifest.rows_trained = trained.rows;
    model::TreeEnsemble none;
    none.features = static_cast<std::uint32_t>(transform_.columns());
    none.link = model::Link::kIdentity;
    return save(std::move(manifest), none, trained.forecasts);
  }

 private:
  model::Manifest begun(ForecastModel model) const {
    return manifest_of(pipeline_, table_, transform_, measured_, measured_.of(model));
  }

  // `scores`: what was forecast at each row by a model that had not seen what came after it.
  Result<TrainingOutcome> save(model::Manifest manifest, const model::TreeEnsemble& ensemble,
                               const std::vector<double>& scores) {
    const engine::DriftTraining drift{transform_.names(), table_.features, table_.read_at, scores};
    MILLRACE_ASSIGN(manifest.drift_reference, engine::drift_reference(pipeline_, drift));
    return save_trained(session_, training_.data, training_.promote,
                        {std::move(manifest), ensemble, canary_of(table_, ensemble), table_.bad,
                         table_.bad_rows, started_});
  }

  Session& session_;
  const spec::Pipeline& pipeline_;
  const engine::SeriesTable& table_;
  const features::SeriesTransform& transform_;
  const Measured& measured_;
  const ForecastTraining& training_;
  SteadyTime started_;
};

bool wants(const std::vector<ForecastModel>& models, ForecastModel model) {
  return std::find(models.begin(), models.end(), model) != models.end();
}

}  // namespace

Result<ForecastTrained> run_forecast_training(Session& session, const spec::Pipeline& pipeline,
                                              const ForecastTraining& training) {
  const SteadyTime started = session.clock().steady();
  MILLRACE_ASSIGN(const auto transform,
                  features::SeriesTransform::make(pipeline.series.plan, pipeline.schema));
  MILLRACE_ASSIGN(const engine::SeriesTable table,
                  engine::read_series_table(pipeline, transform, training.data, session.stop()));
  train::ForecastOptions options = options_of(pipeline, table);
  const std::uint64_t trees = (options.folds + 1) * std::uint64_t{pipeline.model.trees};
  Progress progress(session.clock(),
                    session.flags().quiet ? Progress::Sink::kNone : Progress::Sink::kTerminal,
                    "training", trees * 2);
  progress.step_aside_for(session.logger());
  std::uint64_t before = 0;
  options.progress = [&](std::uint64_t done, std::uint64_t) {
    progress.update(before + done);
    return !session.stop().requested();
  };
  MILLRACE_TRY(check_enough_readings(training.data, pipeline, table, options));
  ForecastTrained out;
  MILLRACE_ASSIGN(const Measured measured,
                  measure_models(session, pipeline, table, training.models, options));
  before = trees;
  const ForecastModel served = served_model(pipeline);
  if (wants(training.models, served)) {
    Keeping keeping(session, pipeline, table, transform, measured, training, started);
    MILLRACE_ASSIGN(out.kept,
                    served == ForecastModel::kArima ? keeping.arima() : keeping.trees(options));
  }
  progress.finish();
  if (!training.folder.empty()) {
    MILLRACE_ASSIGN(out.files, write_forecast_files(session, training.folder,
                                                    {pipeline, table, measured, training.models,
                                                     out.kept ? &out.kept->manifest : nullptr}));
  }
  out.models = models_json(measured);
  out.described = describe_models(measured);
  out.bad = table.bad;
  out.bad_rows = table.bad_rows;
  return out;
}

Result<ForecastEvaluated> evaluate_forecast(Session& session, const spec::Pipeline& pipeline,
                                            const ForecastEvaluation& options) {
  MILLRACE_ASSIGN(const auto transform,
                  features::SeriesTransform::make(pipeline.series.plan, pipeline.schema));
  MILLRACE_ASSIGN(const engine::SeriesTable table,
                  engine::read_series_table(pipeline, transform, options.data, session.stop()));
  say_bad_lines(session, table.bad, table.bad_rows);
  train::ForecastOptions fit = options_of(pipeline, table);
  fit.bootstrap = options.bootstrap;
  fit.progress = [&session](std::uint64_t, std::uint64_t) { return !session.stop().requested(); };
  MILLRACE_TRY(check_enough_readings(options.data, pipeline, table, fit));
  MILLRACE_ASSIGN(const Measured measured,
                  measure_models(session, pipeline, table, options.models, fit));
  MILLRACE_TRY(write_steps(session, options.out, rows_of(table), measured));
  const ModelFigures& main = measured.main();
  json::Value result = {{"pipeline", pipeline.name},
                        {"target", pipeline.forecast->target},
                        {"horizon", pipeline.forecast->horizon},
                        {"n_train", measured.split.train.size()},
                        {"n_test", measured.split.test.size()},
                        {"model", name_of(main.model)}};
  for (const auto& [key, value] : main.metrics.items()) result[key] = value;
  // The names of the replaced system's report.
  for (const ModelFigures& each : measured.models) {
    const bool same = each.model == ForecastModel::kPersistence;
    result[same ? "baseline" : std::string(name_of(each.model))] = {{"mae", each.metrics["mae"]},
                                                                    {"rmse", each.metrics["rmse"]}};
  }
  result["models"] = models_json(measured);
  result["bad_rows"] = table.bad_rows;
  const env::Path folder =
      options.folder.empty() ? session.reports_folder() : env::Path(options.folder);
  MILLRACE_TRY(env::make_folders(folder));
  const env::Path file = folder / ("eval_report_" + pipeline.forecast->target + "_h" +
                                   std::to_string(pipeline.forecast->horizon) + ".json");
  result["report"] = file.string();
  MILLRACE_TRY(env::write_file_atomic(file, json::to_pretty(result)));
  return ForecastEvaluated{std::move(result), describe_models(measured)};
}

std::string describe_forecast(const json::Value& metrics) {
  const auto number = [&metrics](const char* key) {
    return human_number(metrics.at(key).get<double>(), 4);
  };
  const auto pair = [&metrics](const char* key) {
    return human_number(metrics.at(key)[0].get<double>(), 4) + " to " +
           human_number(metrics.at(key)[1].get<double>(), 4);
  };
  const double percent = metrics.at("coverage").get<double>() * 100;
  return "MAE " + number("mae") + " (" + pair("mae_ci") + "), RMSE " + number("rmse") + ", R2 " +
         number("r2") + "\npersistence: MAE " + number("persistence_mae") + "; difference " +
         number("mae_diff_mean") + " (" + pair("mae_diff_ci") + ", block bootstrap)\n" +
         "intervals of +-" + number("interval_half_width") + " held " + human_number(percent, 3) +
         " % of what came";
}

}  // namespace millrace::app
