// The models of --models, each measured on the same test hours: boosted trees, and those that know
// nothing but the series. Shared by `train`, `evaluate` and `tune`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/session.h"
#include "base/result.h"
#include "engine/series_table.h"
#include "json/json.h"
#include "spec/pipeline.h"
#include "train/forecaster.h"
#include "train/series_models.h"

namespace millrace::app {

enum class ForecastModel { kXgboost, kArima, kPersistence, kSeasonalPersistence };

// As flags, reports and files name it: "seasonal_persistence".
std::string_view name_of(ForecastModel model);
// "xgboost,arima" in that order, each once. Errors: kUsage, with the nearest name.
Result<std::vector<ForecastModel>> models_named(std::string_view names);

// The one that `model.algorithm` names, which `score` can serve.
ForecastModel served_model(const spec::Pipeline& pipeline);

// Parts of a table as training takes them; the table must outlive them.
train::ForecastRows rows_of(const engine::SeriesTable& table);
train::TargetSeries series_of(const spec::Pipeline& pipeline, const engine::SeriesTable& table,
                              const train::ForecastRows& rows);
train::ForecastOptions options_of(const spec::Pipeline& pipeline, const engine::SeriesTable& table);

// Whether `data`, read as `table`, has enough readings to train on and to measure. Errors: kBadData
// naming the file, what it has, what is needed and why.
Status check_enough_readings(const std::string& data, const spec::Pipeline& pipeline,
                             const engine::SeriesTable& table,
                             const train::ForecastOptions& options);

// What a model came to on the test's rows.
struct ModelFigures {
  ForecastModel model = ForecastModel::kXgboost;
  std::vector<double> forecasts;    // of split.test
  std::vector<double> half_widths;  // of their intervals
  json::Value metrics;              // measure_forecasts(), and what is this model's own
};

struct Measured {
  eval::Split split;
  std::optional<train::Forecaster> forecaster;  // of the trees, where they were asked for
  std::vector<ModelFigures> models;             // in the order asked for, persistence at the end
  // The trees' where they were asked for, else those of the model named first.
  const ModelFigures& main() const;
  // Of one that was asked for, else CHECK.
  const ModelFigures& of(ForecastModel model) const;
};

// Fits every model on the first part of the table's time, and measures it on the rest. Persistence
// is always among them. Errors: those of the fits; kBadData for too few readings; kInterrupted.
Result<Measured> measure_models(Session& session, const spec::Pipeline& pipeline,
                                const engine::SeriesTable& table,
                                const std::vector<ForecastModel>& models,
                                const train::ForecastOptions& options);

// {name: metrics} of all of them.
json::Value models_json(const Measured& measured);
// A line a model, for people.
std::string describe_models(const Measured& measured);

// ARIMA of each key, fitted on the whole file, for `score`.
struct TrainedArima {
  json::Value parameters;         // of a manifest's forecast (engine/arima_path.h)
  std::vector<double> forecasts;  // at every row, NaN where the target's past is not known
  std::size_t rows = 0;
};
Result<TrainedArima> train_arima(Session& session, const spec::Pipeline& pipeline,
                                 const engine::SeriesTable& table);

// The same for people and other programs, as arima_{target}.json keeps it.
Result<json::Value> arima_document(Session& session, const spec::Pipeline& pipeline,
                                   const engine::SeriesTable& table);

}  // namespace millrace::app
