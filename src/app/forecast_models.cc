#include "app/forecast_models.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "app/terminal/table.h"
#include "base/check.h"
#include "base/human.h"
#include "base/text.h"
#include "engine/arima_path.h"

namespace millrace::app {
namespace {

struct ModelName {
  ForecastModel model;
  std::string_view name;
};
constexpr std::array kModels = {
    ModelName{ForecastModel::kXgboost, "xgboost"}, ModelName{ForecastModel::kArima, "arima"},
    ModelName{ForecastModel::kPersistence, "persistence"},
    ModelName{ForecastModel::kSeasonalPersistence, "seasonal_persistence"}};

bool holds(const std::vector<ForecastModel>& models, ForecastModel model) {
  return std::find(models.begin(), models.end(), model) != models.end();
}

train::StopAsked stop_of(Session& session) {
  return [&session] { return session.stop().requested(); };
}

json::Value order_json(const series::ArimaOrder& order) {
  return json::Value::array({order.p, order.d, order.q});
}

json::Value parameters_json(const series::ArimaParameters& parameters) {
  json::Value out = {
      {"ar", parameters.ar}, {"ma", parameters.ma}, {"variance", parameters.variance}};
  if (parameters.mean) out["mean"] = *parameters.mean;
  return out;
}

json::Value fit_json(const series::ArimaFit& fit) {
  json::Value out = parameters_json(fit.parameters);
  out["log_likelihood"] = fit.log_likelihood;
  out["aic"] = fit.aic();
  return out;
}

// Fits and measures, a model at a time.
class Measuring {
 public:
  Measuring(Session& session, const spec::Pipeline& pipeline, const engine::SeriesTable& table,
            const train::ForecastOptions& options)
      : session_(session),
        pipeline_(pipeline),
        rows_(rows_of(table)),
        series_(series_of(pipeline, table, rows_)),
        options_(options) {}

  Result<Measured> run(const std::vector<ForecastModel>& models) {
    MILLRACE_ASSIGN(out_.split, train::split_by_time(rows_, options_.of, options_.test_share));
    MILLRACE_ASSIGN(persistence_,
                    train::persistence_forecasts(series_, out_.split, options_.coverage));
    for (const ForecastModel model : models) MILLRACE_TRY(add(model));
    if (!holds(models, ForecastModel::kPersistence)) MILLRACE_TRY(add(ForecastModel::kPersistence));
    return std::move(out_);
  }

 private:
  Status add(ForecastModel model) {
    switch (model) {
      case ForecastModel::kXgboost:
        return add_trees();
      case ForecastModel::kArima:
        return add_arima();
      case ForecastModel::kSeasonalPersistence:
        return add_seasonal();
      case ForecastModel::kPersistence:
        break;
    }
    return keep(model, persistence_, json::Value::object());
  }

  Status add_trees() {
    MILLRACE_ASSIGN(out_.forecaster, train::fit_forecaster(rows_, out_.split.train, options_));
    train::SeriesForecasts made;
    made.values =
        train::forecasts_of(out_.forecaster->model.ensemble, options_.of, rows_, out_.split.test);
    made.half_widths.assign(made.values.size(), out_.forecaster->half_width);
    return keep(ForecastModel::kXgboost, made, json::Value::object());
  }

  Status add_arima() {
    // Everything up to the first hour of the test; what is in the test is only filtered.
    Timestamp border = rows_.forecast_for[out_.split.test.front()];
    for (const std::size_t row : out_.split.test)
      border = std::min(border, rows_.forecast_for[row]);
    MILLRACE_ASSIGN(
        const train::ArimaOfKeys fitted,
        train::fit_arima_of_keys(series_, pipeline_.forecast->arima, border, stop_of(session_)));
    MILLRACE_ASSIGN(const train::SeriesForecasts made,
                    train::arima_forecasts(series_, fitted, out_.split.test, options_.coverage,
                                           persistence_.half_widths.front()));
    json::Value about = {{"order", order_json(fitted.order)},
                         {"rows_trained", fitted.rows},
                         {"rows_without_forecast", made.stood_in}};
    if (fitted.fits.size() == 1) about.update(fit_json(*fitted.fits.front()));
    return keep(ForecastModel::kArima, made, about);
  }

  Status add_seasonal() {
    const std::uint32_t season = pipeline_.forecast->season;
    MILLRACE_ASSIGN(const train::SeriesForecasts made,
                    train::seasonal_forecasts(series_, out_.split, season, options_.coverage));
    return keep(ForecastModel::kSeasonalPersistence, made,
                {{"season", season}, {"rows_without_forecast", made.stood_in}});
  }

  Status keep(ForecastModel model, const train::SeriesForecasts& made, const json::Value& about) {
    ModelFigures figures{model, made.values, made.half_widths, {}};
    MILLRACE_ASSIGN(figures.metrics,
                    train::measure_forecasts(rows_, out_.split.test, made.values, made.half_widths,
                                             options_.bootstrap));
    figures.metrics.update(about);
    out_.models.push_back(std::move(figures));
    return {};
  }

  Session& session_;
  const spec::Pipeline& pipeline_;
  train::ForecastRows rows_;
  train::TargetSeries series_;
  const train::ForecastOptions& options_;
  train::SeriesForecasts persistence_;
  Measured out_;
};

}  // namespace

std::string_view name_of(ForecastModel model) {
  for (const ModelName& each : kModels) {
    if (each.model == model) return each.name;
  }
  CHECK(false);
  return {};
}

Result<std::vector<ForecastModel>> models_named(std::string_view names) {
  std::vector<std::string> known;
  for (const ModelName& each : kModels) known.emplace_back(each.name);
  std::vector<ForecastModel> out;
  while (true) {
    const std::string word(names.substr(0, names.find(',')));
    const auto found = std::find(known.begin(), known.end(), word);
    if (found == known.end()) {
      std::string all;
      for (const std::string& each : known) all += (all.empty() ? "" : ", ") + each;
      return Error(ErrorCode::kUsage, "--models: '" + printable(word, 60) + "' is no model" +
                                          did_you_mean(word, known) + " (there are " + all +
                                          ", with commas between)");
    }
    const ForecastModel model = kModels.at(static_cast<std::size_t>(found - known.begin())).model;
    if (!holds(out, model)) out.push_back(model);
    if (names.size() == word.size()) return out;
    names.remove_prefix(word.size() + 1);
  }
}

train::ForecastRows rows_of(const engine::SeriesTable& table) {
  return {.features = table.features,
          .present = table.present,
          .last_observed = table.last_observed,
          .target = table.target,
          .read_at = table.read_at,
          .forecast_for = table.forecast_for};
}

train::TargetSeries series_of(const spec::Pipeline& pipeline, const engine::SeriesTable& table,
                              const train::ForecastRows& rows) {
  return {.rows = rows,
          .observed = table.observed,
          .key = table.key,
          .begins = table.begins,
          .keys = table.keys,
          .step = pipeline.series.plan.step,
          .horizon = pipeline.forecast->horizon};
}

train::ForecastOptions options_of(const spec::Pipeline& pipeline,
                                  const engine::SeriesTable& table) {
  train::ForecastOptions options;
  options.parameters = pipeline.model;
  options.of = pipeline.forecast->predict == spec::ForecastSpec::Predict::kChange
                   ? train::ForecastOf::kChange
                   : train::ForecastOf::kLevel;
  options.coverage = pipeline.forecast->coverage;
  options.gap = std::size_t{pipeline.forecast->horizon - 1} * table.keys;
  options.test_share = pipeline.split.test_fraction;
  return options;
}

ForecastModel served_model(const spec::Pipeline& pipeline) {
  return pipeline.model.algorithm == model::Algorithm::kArima ? ForecastModel::kArima
                                                              : ForecastModel::kXgboost;
}

const ModelFigures& Measured::main() const {
  const auto trees = std::find_if(models.begin(), models.end(), [](const ModelFigures& each) {
    return each.model == ForecastModel::kXgboost;
  });
  return trees == models.end() ? models.front() : *trees;
}

const ModelFigures& Measured::of(ForecastModel model) const {
  const auto found = std::find_if(models.begin(), models.end(), [model](const ModelFigures& each) {
    return each.model == model;
  });
  CHECK(found != models.end());
  return *found;
}

Status check_enough_readings(const std::string& data, const spec::Pipeline& pipeline,
                             const engine::SeriesTable& table,
                             const train::ForecastOptions& options) {
  const train::ForecastRows rows = rows_of(table);
  const std::size_t usable = train::usable_rows(rows, options.of).size();
  const auto split = train::split_by_time(rows, options.of, options.test_share);
  if (!split && split.error().code() != ErrorCode::kBadData) return split.error();
  const std::size_t test = split ? split->test.size() : 0;
  const std::size_t trained = split ? split->train.size() : 0;
  const std::size_t test_needed = 2 * std::max<std::size_t>(options.bootstrap.block, 1);
  // Each fold after its gap, and residuals enough that one of them bounds the share wanted.
  const double residuals = options.coverage / (1 - options.coverage);
  const auto a_fold =
      static_cast<std::size_t>(std::ceil(residuals / static_cast<double>(options.folds)));
  const std::size_t train_needed =
      (options.folds + 1) * std::max<std::size_t>(options.gap + 1, a_fold);
  if (test >= test_needed && trained >= train_needed) return {};
  const double share = std::min(options.test_share, 1 - options.test_share);
  const double wanted = std::max(static_cast<double>(test_needed) / options.test_share,
                                 static_cast<double>(train_needed) / (1 - options.test_share));
  const double of_use =
      std::max(static_cast<double>(usable), 1.0) / static_cast<double>(table.rows());
  const auto about = static_cast<std::uint64_t>(std::ceil(wanted / of_use + 1 / share));
  const spec::ForecastSpec& forecast = *pipeline.forecast;
  return Error(
      ErrorCode::kBadData,
      "'" + data + "' is too short: of its " + human_count(table.rows(), "row", "rows") + " " +
          human_count(usable) + " are of use ('" + forecast.target +
          "' is known at the reading and " + human_count(forecast.horizon, "step", "steps") +
          " later), " + human_count(trained) + " of them to train on, where " +
          human_count(train_needed) + " are needed (" + human_count(options.folds) +
          " folds for the width of intervals), and " + human_count(test) + " in the last " +
          human_percent(options.test_share) + " of the time, to measure on, where " +
          human_count(test_needed) + " are needed (two blocks of " +
          human_count(options.bootstrap.block) + " for the bootstrap's intervals); about " +
          human_count(about, "row", "rows") + " are enough");
}

Result<Measured> measure_models(Session& session, const spec::Pipeline& pipeline,
                                const engine::SeriesTable& table,
                                const std::vector<ForecastModel>& models,
                                const train::ForecastOptions& options) {
  return Measuring(session, pipeline, table, options).run(models);
}

json::Value models_json(const Measured& measured) {
  json::Value out = json::Value::object();
  for (const ModelFigures& each : measured.models)
    out[std::string(name_of(each.model))] = each.metrics;
  return out;
}

std::string describe_models(const Measured& measured) {
  using Align = Table::Align;
  Table table({{"model", Align::kLeft},
               {"MAE", Align::kRight},
               {"RMSE", Align::kRight},
               {"R2", Align::kRight},
               {"held", Align::kRight},
               {"interval +-", Align::kRight},
               {"MAE less persistence's", Align::kRight}});
  for (const ModelFigures& each : measured.models) {
    const auto number = [&each](const char* key) {
      return human_number(each.metrics.at(key).get<double>(), 4);
    };
    const auto bound = [&each](std::size_t i) {
      return human_number(each.metrics.at("mae_diff_ci")[i].get<double>(), 4);
    };
    const bool same = each.model == ForecastModel::kPersistence;
    table.add_row(
        {std::string(name_of(each.model)), number("mae"), number("rmse"), number("r2"),
         human_number(each.metrics.at("coverage").get<double>() * 100, 3) + " %",
         number("interval_half_width"),
         same ? "" : number("mae_diff_mean") + " (" + bound(0) + " to " + bound(1) + ")"});
  }
  return table.to_string();
}

Result<TrainedArima> train_arima(Session& session, const spec::Pipeline& pipeline,
                                 const engine::SeriesTable& table) {
  if (table.keys > engine::ArimaPath::kKeysMax) {
    return Error(ErrorCode::kLimitExceeded, "the file has " + std::to_string(table.keys) +
                                                " keys; an ARIMA is kept of at most " +
                                                std::to_string(engine::ArimaPath::kKeysMax));
  }
  const train::ForecastRows rows = rows_of(table);
  const train::TargetSeries target = series_of(pipeline, table, rows);
  MILLRACE_ASSIGN(
      const train::ArimaOfKeys fitted,
      train::fit_arima_of_keys(target, pipeline.forecast->arima, std::nullopt, stop_of(session)));
  json::Value series = json::Value::object();
  std::size_t longest = 0;
  for (std::size_t key = 0; key < fitted.fits.size(); ++key) {
    if (!fitted.fits[key]) continue;
    series[table.key_names[key]] = parameters_json(fitted.fits[key]->parameters);
    const bool first = !fitted.fits[longest];
    if (first || fitted.observations[key] > fitted.observations[longest]) longest = key;
  }
  TrainedArima out;
  out.rows = fitted.rows;
  out.parameters = {{"order", order_json(fitted.order)},
                    {"others", parameters_json(fitted.fits[longest]->parameters)},
                    {"series", std::move(series)}};
  std::vector<std::size_t> known;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (!std::isnan(table.last_observed[row])) known.push_back(row);
  }
  // Where a key is too short for a model its last value stands in; its interval is of no use here.
  MILLRACE_ASSIGN(const train::SeriesForecasts made,
                  train::arima_forecasts(target, fitted, known, pipeline.forecast->coverage, 0));
  out.forecasts.assign(table.rows(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < known.size(); ++i) out.forecasts[known[i]] = made.values[i];
  return out;
}

Result<json::Value> arima_document(Session& session, const spec::Pipeline& pipeline,
                                   const engine::SeriesTable& table) {
  const train::ForecastRows rows = rows_of(table);
  MILLRACE_ASSIGN(
      const train::ArimaOfKeys fitted,
      train::fit_arima_of_keys(series_of(pipeline, table, rows), pipeline.forecast->arima,
                               std::nullopt, stop_of(session)));
  json::Value series = json::Value::array();
  for (std::size_t key = 0; key < fitted.fits.size(); ++key) {
    json::Value entry = {{"key", table.key_names[key]}, {"observations", fitted.observations[key]}};
    if (fitted.fits[key]) entry.update(fit_json(*fitted.fits[key]));
    series.push_back(std::move(entry));
  }
  return json::Value({{"model", "arima"},
                      {"target", pipeline.forecast->target},
                      {"step_ms", pipeline.series.plan.step.count()},
                      {"order", order_json(fitted.order)},
                      {"rows_trained", fitted.rows},
                      {"series", std::move(series)}});
}

}  // namespace millrace::app
