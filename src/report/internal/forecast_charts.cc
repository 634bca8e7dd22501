#include "report/internal/forecast_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/human.h"
#include "env/clock.h"
#include "report/internal/page.h"
#include "report/internal/plot.h"

namespace millrace::report {
namespace {

using data::ForecastFigures;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;

double ms(Timestamp time) { return static_cast<double>(time.value()); }

std::string tick_text(std::int64_t at, std::int64_t step) {
  const std::string time = env::format_rfc3339(Timestamp(at));  // 2005-02-10T06:00:00.000Z
  if (step >= 28 * kDayMs) return time.substr(0, 7);
  const bool midnight = at % kDayMs == 0;
  return step >= kDayMs || midnight ? time.substr(5, 5) : time.substr(11, 5);
}

// Runs of points without a gap, so that a line does not claim what nobody measured.
std::vector<std::vector<ForecastFigures::Point>> runs_of(const ForecastFigures& figures) {
  std::vector<std::vector<ForecastFigures::Point>> runs;
  for (const ForecastFigures::Point& point : figures.course) {
    const bool goes_on = !runs.empty() && point.time.value() - runs.back().back().time.value() <=
                                              figures.step.count();
    if (!goes_on) runs.emplace_back();
    runs.back().push_back(point);
  }
  return runs;
}

template <class Value>
std::vector<Point> points_of(const std::vector<ForecastFigures::Point>& run, const Value& value) {
  std::vector<Point> out;
  for (const ForecastFigures::Point& point : run) out.push_back({ms(point.time), value(point)});
  return out;
}

// One value a span where there is one, in runs of neighbours, at the middle of the span.
template <class Value>
std::vector<std::vector<Point>> span_runs(const ForecastFigures& figures, const Value& value) {
  std::vector<std::vector<Point>> runs;
  bool goes_on = false;
  const auto width = static_cast<double>(figures.span.count());
  for (std::size_t i = 0; i < figures.spans.size(); ++i) {
    const data::ForecastScore& score = figures.spans[i];
    if (score.compared == 0) {
      goes_on = false;
      continue;
    }
    if (!std::exchange(goes_on, true)) runs.emplace_back();
    runs.back().push_back(
        {ms(figures.spans_from) + (static_cast<double>(i) + 0.5) * width, value(score)});
  }
  return runs;
}

Axis axis_of_spans(const ForecastFigures& figures) {
  const auto length = static_cast<std::int64_t>(figures.spans.size()) * figures.span.count();
  return time_axis(figures.spans_from, Timestamp(figures.spans_from.value() + length), 4);
}

// A line a run; a run of one point is a dot.
void draw_runs(Plot& plot, const std::vector<std::vector<Point>>& runs) {
  for (const std::vector<Point>& run : runs) {
    if (run.size() == 1) {
      plot.dot(run.front(), "dot", "");
    } else {
      plot.line(run, "curve");
    }
  }
}

}  // namespace

std::string span_text(Milliseconds span) {
  const std::int64_t length = span.count();
  if (length > 0 && length % kDayMs == 0) return std::to_string(length / kDayMs) + " d";
  if (length > 0 && length % kHourMs == 0) return std::to_string(length / kHourMs) + " h";
  if (length > 0 && length % kMinuteMs == 0) return std::to_string(length / kMinuteMs) + " min";
  return human_seconds(static_cast<double>(length) / 1e3);
}

Axis time_axis(Timestamp low, Timestamp high, int ticks_max) {
  CHECK(ticks_max >= 2);
  constexpr std::array<std::int64_t, 20> kSteps = {
      1'000,        10'000,       kMinuteMs,    5 * kMinuteMs, 15 * kMinuteMs,
      kHourMs,      3 * kHourMs,  6 * kHourMs,  12 * kHourMs,  kDayMs,
      2 * kDayMs,   7 * kDayMs,   14 * kDayMs,  28 * kDayMs,   56 * kDayMs,
      112 * kDayMs, 365 * kDayMs, 730 * kDayMs, 1825 * kDayMs, 3650 * kDayMs};
  Axis axis;
  axis.low = ms(low);
  axis.high = high > low ? ms(high) : ms(low) + static_cast<double>(kHourMs);
  const double range = axis.high - axis.low;
  std::int64_t step = kSteps.back();
  for (const std::int64_t candidate : kSteps) {
    if (static_cast<double>(candidate) * ticks_max < range) continue;
    step = candidate;
    break;
  }
  const auto first = static_cast<std::int64_t>(std::ceil(axis.low / static_cast<double>(step)));
  for (std::int64_t at = first * step; static_cast<double>(at) <= axis.high; at += step) {
    if (axis.ticks.size() > static_cast<std::size_t>(2 * ticks_max)) break;  // of absurd ranges
    axis.ticks.push_back({static_cast<double>(at), tick_text(at, step)});
  }
  return axis;
}

std::string course_plot(const ForecastFigures& figures, const std::string& target) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const ForecastFigures::Point& p : figures.course) {
    low = std::min({low, p.measured, p.forecast - p.half_width});
    high = std::max({high, p.measured, p.forecast + p.half_width});
  }
  PlotSize size;
  size.width = 1120;
  size.height = 300;
  size.wide = true;
  Plot plot(size, time_axis(figures.course.front().time, figures.course.back().time, 10),
            nice_axis(low, high, 5));
  const auto runs = runs_of(figures);
  const auto forecast = [](const ForecastFigures::Point& p) { return p.forecast; };
  const auto measured = [](const ForecastFigures::Point& p) { return p.measured; };
  const auto lower = [](const ForecastFigures::Point& p) { return p.forecast - p.half_width; };
  const auto upper = [](const ForecastFigures::Point& p) { return p.forecast + p.half_width; };
  for (const auto& run : runs) plot.band(points_of(run, lower), points_of(run, upper), "area");
  plot.draw_axes("time (UTC)", target);
  for (const auto& run : runs) plot.line(points_of(run, forecast), "curve");
  for (const auto& run : runs) plot.line(points_of(run, measured), "curve second");
  return plot.finish(fmt::format("Measured and forecast {} from {} to {}.", target,
                                 page_time(figures.course.front().time),
                                 page_time(figures.course.back().time)));
}

std::string error_plot(const ForecastFigures& figures, const std::string& target) {
  const auto runs =
      span_runs(figures, [](const data::ForecastScore& score) { return score.mae(); });
  double high = 0;
  for (const auto& run : runs)
    for (const Point& point : run) high = std::max(high, point.y);
  Plot plot({}, axis_of_spans(figures), nice_axis(0, high, 4));
  for (const auto& run : runs) plot.area(run, "area");
  plot.draw_axes("time (UTC)", "mean absolute error of " + target);
  draw_runs(plot, runs);
  return plot.finish(fmt::format("Mean absolute error of {} by {}, at most {}.", target,
                                 span_text(figures.span), human_number(high, 3)));
}

std::string coverage_plot(const ForecastFigures& figures) {
  const auto runs =
      span_runs(figures, [](const data::ForecastScore& score) { return score.coverage(); });
  Axis x = axis_of_spans(figures);
  const std::vector<Point> wanted = {{x.low, figures.coverage}, {x.high, figures.coverage}};
  Plot plot({}, std::move(x), share_axis());
  plot.draw_axes("time (UTC)", "share within the interval");
  plot.line(wanted, "diagonal");
  draw_runs(plot, runs);
  return plot.finish(fmt::format("Share of measurements within the interval by {}; wanted {}.",
                                 span_text(figures.span), human_percent(figures.coverage)));
}

}  // namespace millrace::report
