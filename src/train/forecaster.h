// Forecasts by boosted trees: trained on what came later, measured against saying that nothing
// changes (persistence). From typed parts; nothing here knows a pipeline file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "data/feature_batch.h"
#include "eval/bootstrap.h"
#include "eval/splits.h"
#include "json/fwd.h"
#include "model/parameters.h"
#include "train/gradient_boosting.h"

namespace millrace::train {

enum class ForecastOf { kLevel, kChange };

// Readings in the order of their time; the spans are as long as the batch has rows. NaN = unknown.
struct ForecastRows {
  const data::FeatureBatch& features;
  std::span<const double> present;          // the target's value at the reading, as filled
  std::span<const double> last_observed;    // for persistence
  std::span<const double> target;           // observed `horizon` steps later
  std::span<const Timestamp> read_at;       // the reading's step, by its beginning
  std::span<const Timestamp> forecast_for;  // the step that is forecast
};

struct ForecastOptions {
  model::TrainingParameters parameters;
  ForecastOf of = ForecastOf::kChange;
  double coverage = 0.9;    // of the intervals
  std::size_t folds = 5;    // of the rolling origin that the intervals come from
  std::size_t gap = 0;      // rows between a fold's training and test: horizon - 1
  double test_share = 0.2;  // of the hours, the last ones
  eval::BootstrapOptions bootstrap;
  // Trees grown so far and in all, over every fit; false stops.
  std::function<bool(std::uint64_t, std::uint64_t)> progress;
};

struct Forecaster {
  BoostedModel model;
  double half_width = 0;  // of the interval around a forecast, in the target's unit
  std::size_t rows = 0;   // trained on
  // Of every row the forecast by a model that had only seen what came before, NaN without one.
  std::vector<double> held_out;
};

// Rows that can train or measure: target, and what the forecast is made of, are known.
std::vector<std::size_t> usable_rows(const ForecastRows& rows, ForecastOf of);

// The steps that were read are cut by time; a usable row belongs to the side that the step it
// forecasts lies on, so that nothing of the test is trained on. Errors: kUsage for a share outside
// of (0, 1); kBadData where a side is empty.
Result<eval::Split> split_by_time(const ForecastRows& rows, ForecastOf of, double test_share);

// Fits on some rows; the interval is split-conformal from residuals of a rolling origin over the
// same rows. Errors: train_regression(), conformal_quantile().
Result<Forecaster> fit_forecaster(const ForecastRows& rows, std::span<const std::size_t> chosen,
                                  const ForecastOptions& options);

// How well parameters do by a rolling origin over some rows: the mean absolute error of each fold,
// in the target's unit, by models that had only seen what came before it. Errors:
// train_regression(), rolling_origin().
Result<std::vector<double>> cross_validate(const ForecastRows& rows,
                                           std::span<const std::size_t> chosen,
                                           const ForecastOptions& options);

// Forecasts of some rows, NaN where they lack what a forecast is made of.
std::vector<double> forecasts_of(const model::TreeEnsemble& ensemble, ForecastOf of,
                                 const ForecastRows& rows, std::span<const std::size_t> chosen);

// {rows, mae, rmse, r2, persistence_mae, persistence_rmse, mae_diff_mean, mae_ci [2], mae_diff_ci
// [2], mae_ci_iid [2], mae_diff_ci_iid [2], coverage, interval_half_width}: mae_diff is |error|
// minus persistence's |error|, below 0 where the forecast is the better one. Intervals are of the
// block bootstrap, those ending in _iid of single hours, which claims too much where errors depend
// on one another. `half_widths` of each forecast's interval; interval_half_width is their mean.
Result<json::Value> measure_forecasts(const ForecastRows& rows, std::span<const std::size_t> chosen,
                                      std::span<const double> forecasts,
                                      std::span<const double> half_widths,
                                      const eval::BootstrapOptions& bootstrap);

}  // namespace millrace::train
