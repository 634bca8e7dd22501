// Forecasts of a series from nothing but its own past, for the very readings that boosted trees are
// measured on: ARIMA, what was seen last, and what was seen a season ago. From typed parts; nothing
// here knows a pipeline file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "eval/splits.h"
#include "series/arima.h"
#include "train/forecaster.h"

namespace millrace::train {

// Steps of all series together, first to last reading.
inline constexpr std::size_t kSeriesStepsMax = 20'000'000;

// What the readings say of the target, one series a key. The spans are as long as there are rows.
struct TargetSeries {
  const ForecastRows& rows;
  std::span<const double> observed;      // at the reading's step, as known then; NaN = missing
  std::span<const std::uint32_t> key;    // below `keys`
  std::span<const std::uint8_t> begins;  // 1 where a key begins, or begins anew
  std::size_t keys = 0;
  Milliseconds step{0};
  std::size_t horizon = 1;  // steps
};

// One ARIMA a series, each fitted on its own past.
struct ArimaOfKeys {
  series::ArimaOrder order;
  std::vector<std::optional<series::ArimaFit>> fits;  // by key; nothing where a series is too short
  std::vector<std::size_t> observations;              // that a fit saw, by key
  std::size_t rows = 0;                               // their sum
};

// Asked between fits; true stops with kInterrupted.
using StopAsked = std::function<bool()>;

// Fits each series on its steps before `until`, or on all of them. A mean is estimated where d is
// 0. Errors: kBadData where no series is long enough; kLimitExceeded for more than
// kArimaObservationsMax steps of one series or kSeriesStepsMax of all; kInterrupted.
Result<ArimaOfKeys> fit_arima_of_keys(const TargetSeries& series, const series::ArimaOrder& order,
                                      std::optional<Timestamp> until, const StopAsked& stop);

// Forecasts of some rows, and half of each one's interval.
struct SeriesForecasts {
  std::vector<double> values;
  std::vector<double> half_widths;
  std::size_t stood_in = 0;  // rows without a forecast of their own: persistence's was taken
};

// The filter goes over every observation up to a row's reading, without a refit, as the stream's
// does (engine/arima_path.h): it begins anew where its key does, and after more than
// kArimaStepsMissingMax steps without a reading. Intervals are
// those of the model, Gaussian, of the given coverage; where persistence stands in, those of
// `persistence_half_width`. Errors: as fit_arima_of_keys().
Result<SeriesForecasts> arima_forecasts(const TargetSeries& series, const ArimaOfKeys& models,
                                        std::span<const std::size_t> chosen, double coverage,
                                        double persistence_half_width);

// The mean absolute error of each fold of a rolling origin over some rows, by models that were
// fitted on what came before it. Errors: rolling_origin(), fit_arima_of_keys().
Result<std::vector<double>> cross_validate_arima(const TargetSeries& series,
                                                 const series::ArimaOrder& order,
                                                 std::span<const std::size_t> chosen,
                                                 std::size_t folds, std::size_t gap,
                                                 const StopAsked& stop);

// The last observed value, and the one observed `season` steps before the step that is forecast (or
// as many whole seasons as are needed for it to be known; the last observed one where that hour is
// missing). Nothing is learned but the intervals: split-conformal, from the errors at the training
// rows. Errors: conformal_quantile(); as fit_arima_of_keys().
Result<SeriesForecasts> persistence_forecasts(const TargetSeries& series, const eval::Split& split,
                                              double coverage);
Result<SeriesForecasts> seasonal_forecasts(const TargetSeries& series, const eval::Split& split,
                                           std::size_t season, double coverage);

}  // namespace millrace::train
