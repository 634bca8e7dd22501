#include "series/persistence.h"

#include <cmath>
#include <limits>

#include "base/check.h"

namespace millrace::series {

std::optional<double> persistence(std::span<const double> past) {
  for (std::size_t i = past.size(); i-- > 0;) {
    if (!std::isnan(past[i])) return past[i];
  }
  return std::nullopt;
}

std::optional<double> seasonal_persistence(std::span<const double> past, std::size_t horizon,
                                           std::size_t season) {
  CHECK(horizon >= 1 && season >= 1);
  // Whole seasons back from past.size() - 1 + horizon, until it is known.
  const std::size_t into = (horizon - 1) % season;  // the season that starts behind the last value
  if (into + past.size() >= season) {
    const std::size_t place = into + past.size() - season;
    if (!std::isnan(past[place])) return past[place];
  }
  return persistence(past);
}

std::vector<double> persistence_forecasts(std::span<const double> series, std::size_t horizon) {
  CHECK(horizon >= 1);
  std::vector<double> forecasts(series.size(), std::numeric_limits<double>::quiet_NaN());
  double last = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t t = horizon; t < series.size(); ++t) {
    const double now = series[t - horizon];
    if (!std::isnan(now)) last = now;
    forecasts[t] = last;
  }
  return forecasts;
}

std::vector<double> seasonal_persistence_forecasts(std::span<const double> series,
                                                   std::size_t horizon, std::size_t season) {
  CHECK(season >= 1);
  std::vector<double> forecasts = persistence_forecasts(series, horizon);
  const std::size_t into = (horizon - 1) % season;
  for (std::size_t t = horizon; t < series.size(); ++t) {
    const std::size_t known = t - horizon + 1;
    if (into + known < season) continue;
    const double before = series[into + known - season];
    if (!std::isnan(before)) forecasts[t] = before;
  }
  return forecasts;
}

}  // namespace millrace::series
