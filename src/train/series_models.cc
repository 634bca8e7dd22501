#include "train/series_models.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "eval/conformal.h"
#include "eval/normal.h"

namespace millrace::train {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Every step of a series from its first reading to its last, NaN where nothing was observed.
struct Dense {
  std::optional<Timestamp> first;
  std::vector<double> values;
};

class DenseSeries {
 public:
  static Result<DenseSeries> make(const TargetSeries& series) {
    CHECK(series.step.count() > 0 && series.horizon >= 1);
    CHECK(series.observed.size() == series.key.size());
    DenseSeries out(series);
    // A key that was forgotten may begin anew before its first reading.
    for (std::size_t row = 0; row < series.key.size(); ++row) {
      std::optional<Timestamp>& first = out.of_key_.at(series.key[row]).first;
      if (!first || series.rows.read_at[row] < *first) first = series.rows.read_at[row];
    }
    std::size_t total = 0;
    for (std::size_t row = 0; row < series.key.size(); ++row) {
      Dense& dense = out.of_key_[series.key[row]];
      const std::size_t place = out.place_of(row);
      const std::size_t had = dense.values.size();
      if (place >= had) total += place + 1 - had;
      if (place >= series::kArimaObservationsMax || total > kSeriesStepsMax) {
        return Error(ErrorCode::kLimitExceeded,
                     "the readings span more steps than a model of their series can take (" +
                         std::to_string(series::kArimaObservationsMax) + " of one, " +
                         std::to_string(kSeriesStepsMax) +
                         " of all): take a part of the file, or longer steps (series.step)");
      }
      if (place >= had) dense.values.resize(place + 1, kNaN);
      dense.values[place] = series.observed[row];
    }
    return out;
  }

  std::span<const double> values(std::size_t key) const { return of_key_[key].values; }
  // Of the row's step in its series.
  std::size_t place_of(std::size_t row) const {
    const std::int64_t since =
        series_->rows.read_at[row].value() - of_key_[series_->key[row]].first->value();
    CHECK(since >= 0);
    return static_cast<std::size_t>(since / series_->step.count());
  }
  // Steps of a series before a time.
  std::size_t steps_before(std::size_t key, Timestamp until) const {
    const Dense& dense = of_key_[key];
    if (!dense.first || until <= *dense.first) return 0;
    const auto steps = static_cast<std::size_t>(
        (until.value() - dense.first->value() + series_->step.count() - 1) / series_->step.count());
    return std::min(steps, dense.values.size());
  }

 private:
  explicit DenseSeries(const TargetSeries& series) : series_(&series), of_key_(series.keys) {}
  const TargetSeries* series_;
  std::vector<Dense> of_key_;
};

// A key's filter that has taken every step before the present one, as the stream keeps it.
class Following {
 public:
  explicit Following(series::ArimaFilter fresh) : fresh_(std::move(fresh)), filter_(fresh_) {}

  // The next reading of the key: its step's number, and what was observed in it until now.
  void take(std::int64_t step, double observed, bool begins) {
    const bool goes_on =
        steps_ && !begins && step >= *steps_ && step - *steps_ <= series::kArimaStepsMissingMax;
    if (!goes_on) {
      filter_ = fresh_;
    } else if (step > *steps_) {
      filter_.update(observed_);
      for (std::int64_t missing = *steps_ + 1; missing < step; ++missing) filter_.update(kNaN);
    }
    steps_ = step;
    observed_ = observed;
  }

  // The present step may have more readings to come: the filter takes it when it is over.
  std::optional<series::ArimaForecast> forecast(std::size_t horizon) const {
    series::ArimaFilter present = filter_;
    present.update(observed_);
    return present.forecast(static_cast<int>(horizon));
  }

 private:
  series::ArimaFilter fresh_;
  series::ArimaFilter filter_;
  std::optional<std::int64_t> steps_;  // number of the present step
  double observed_ = kNaN;             // in it
};

Result<std::vector<std::optional<Following>>> followers(const ArimaOfKeys& models) {
  std::vector<std::optional<Following>> out(models.fits.size());
  for (std::size_t key = 0; key < models.fits.size(); ++key) {
    if (!models.fits[key]) continue;
    MILLRACE_ASSIGN(series::ArimaFilter filter,
                    series::ArimaFilter::make(models.order, models.fits[key]->parameters));
    out[key].emplace(std::move(filter));
  }
  return out;
}

// A naive forecast of each row, the last observed value where it is nothing, with its interval from
// the errors at the training rows.
template <class Forecast>
Result<SeriesForecasts> naive(const ForecastRows& rows, const eval::Split& split, double coverage,
                              const Forecast& forecast) {
  std::vector<double> off;
  for (const std::size_t row : split.train) {
    const double value = forecast(row).value_or(rows.last_observed[row]);
    off.push_back(std::abs(rows.target[row] - value));
  }
  MILLRACE_ASSIGN(const double half_width, eval::conformal_quantile(off, coverage));
  SeriesForecasts out;
  for (const std::size_t row : split.test) {
    const std::optional<double> value = forecast(row);
    if (!value) ++out.stood_in;
    out.values.push_back(value.value_or(rows.last_observed[row]));
  }
  out.half_widths.assign(out.values.size(), half_width);
  return out;
}

}  // namespace

Result<ArimaOfKeys> fit_arima_of_keys(const TargetSeries& series, const series::ArimaOrder& order,
                                      std::optional<Timestamp> until, const StopAsked& stop) {
  MILLRACE_TRY(series::check_order(order));
  MILLRACE_ASSIGN(const DenseSeries dense, DenseSeries::make(series));
  ArimaOfKeys out;
  out.order = order;
  const auto mean = order.d == 0 ? series::ArimaMean::kEstimate : series::ArimaMean::kNone;
  std::optional<Error> refused;
  for (std::size_t key = 0; key < series.keys; ++key) {
    if (stop && stop()) return Error(ErrorCode::kInterrupted, "stopped while fitting ARIMA");
    const std::span<const double> all = dense.values(key);
    const auto past = until ? all.first(dense.steps_before(key, *until)) : all;
    const auto missing =
        std::count_if(past.begin(), past.end(), [](double v) { return std::isnan(v); });
    out.observations.push_back(past.size() - static_cast<std::size_t>(missing));
    auto fit = series::fit_arima(past, order, mean);
    if (!fit && fit.error().code() != ErrorCode::kBadData) return fit.error();
    if (fit) {
      out.rows += out.observations.back();
      out.fits.emplace_back(std::move(*fit));
    } else {
      if (!refused) refused = fit.error();
      out.fits.emplace_back();
    }
  }
  if (out.rows == 0 && refused)
    return Error(ErrorCode::kBadData, "no series can be fitted: " + refused->message());
  return out;
}

Result<SeriesForecasts> arima_forecasts(const TargetSeries& series, const ArimaOfKeys& models,
                                        std::span<const std::size_t> chosen, double coverage,
                                        double persistence_half_width) {
  CHECK(models.fits.size() == series.keys && std::is_sorted(chosen.begin(), chosen.end()));
  CHECK(series.begins.size() == series.key.size());
  MILLRACE_ASSIGN(auto following, followers(models));
  const double z = eval::normal_quantile(0.5 + coverage / 2);
  SeriesForecasts out;
  std::size_t row = 0;
  for (const std::size_t wanted : chosen) {
    for (; row <= wanted; ++row) {
      std::optional<Following>& follower = following[series.key[row]];
      if (!follower) continue;
      follower->take(series.rows.read_at[row].value() / series.step.count(), series.observed[row],
                     series.begins[row] != 0);
    }
    std::optional<series::ArimaForecast> forecast;
    if (const auto& follower = following[series.key[wanted]])
      forecast = follower->forecast(series.horizon);
    if (!forecast) ++out.stood_in;
    out.values.push_back(forecast ? forecast->mean : series.rows.last_observed[wanted]);
    out.half_widths.push_back(forecast ? z * std::sqrt(forecast->variance)
                                       : persistence_half_width);
  }
  return out;
}

Result<std::vector<double>> cross_validate_arima(const TargetSeries& series,
                                                 const series::ArimaOrder& order,
                                                 std::span<const std::size_t> chosen,
                                                 std::size_t folds, std::size_t gap,
                                                 const StopAsked& stop) {
  MILLRACE_ASSIGN(const std::vector<eval::Split> splits,
                  eval::rolling_origin(chosen.size(), folds, gap));
  constexpr double kAnyCoverage = 0.9;  // intervals are not looked at
  std::vector<double> out;
  for (const eval::Split& split : splits) {
    std::vector<std::size_t> after;
    for (const std::size_t at : split.test) after.push_back(chosen[at]);
    Timestamp border = series.rows.forecast_for[after.front()];
    for (const std::size_t row : after) border = std::min(border, series.rows.forecast_for[row]);
    MILLRACE_ASSIGN(const ArimaOfKeys fitted, fit_arima_of_keys(series, order, border, stop));
    MILLRACE_ASSIGN(const SeriesForecasts made,
                    arima_forecasts(series, fitted, after, kAnyCoverage, 0));
    double sum = 0;
    for (std::size_t i = 0; i < after.size(); ++i)
      sum += std::abs(series.rows.target[after[i]] - made.values[i]);
    out.push_back(sum / static_cast<double>(after.size()));
  }
  return out;
}

Result<SeriesForecasts> persistence_forecasts(const TargetSeries& series, const eval::Split& split,
                                              double coverage) {
  return naive(series.rows, split, coverage, [&series](std::size_t row) {
    return std::optional<double>(series.rows.last_observed[row]);
  });
}

Result<SeriesForecasts> seasonal_forecasts(const TargetSeries& series, const eval::Split& split,
                                           std::size_t season, double coverage) {
  CHECK(season >= 1);
  MILLRACE_ASSIGN(const DenseSeries dense, DenseSeries::make(series));
  // Whole seasons back from the step that is forecast, until it is not after the present one.
  const std::size_t back = ((series.horizon + season - 1) / season) * season;
  const auto forecast = [&](std::size_t row) -> std::optional<double> {
    const std::size_t now = dense.place_of(row);
    if (now + series.horizon < back) return std::nullopt;
    const std::size_t place = now + series.horizon - back;
    const double value = place == now ? series.observed[row] : dense.values(series.key[row])[place];
    return std::isnan(value) ? std::nullopt : std::optional(value);
  };
  return naive(series.rows, split, coverage, forecast);
}

}  // namespace millrace::train
