// The plots of a report about forecasts.
#pragma once

#include <string>

#include "data/forecast_figures.h"
#include "report/internal/axis.h"

namespace millrace::report {

// An axis of time in milliseconds since 1970, with at most `ticks_max` (>= 2) + 1 ticks at whole
// hours, days or multiples of them, UTC. An empty range becomes an hour.
Axis time_axis(Timestamp low, Timestamp high, int ticks_max);

// Measured, forecast and interval of one key's last comparisons; wide.
std::string course_plot(const data::ForecastFigures& figures, const std::string& target);
// The mean absolute error and the share within the interval, by spans of event time.
std::string error_plot(const data::ForecastFigures& figures, const std::string& target);
std::string coverage_plot(const data::ForecastFigures& figures);

// "1 h", "7 d": of a span of time.
std::string span_text(Milliseconds span);

}  // namespace millrace::report
