#include "report/internal/summary_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/human.h"
#include "report/internal/plot.h"

namespace millrace::report {
namespace {

// "0.25", "0.5", "0.333": a share without trailing zeros.
std::string short_number(double value) { return fmt::format("{:.4g}", value); }

// Where percentile `q` stands on an axis that gives every further nine the same room.
double nines(double q) { return -std::log10(1 - q); }

// The last percentile that `count` samples can tell from their maximum, at least 99 %, at most
// 99.99 %.
double nines_max(std::uint64_t count) {
  return std::clamp(std::floor(std::log10(static_cast<double>(std::max<std::uint64_t>(count, 1)))),
                    2.0, 4.0);
}

}  // namespace

std::string score_histogram(const data::RunSummary& s, const SummaryWords& words) {
  const auto& bins = s.probability_histogram;
  const std::uint64_t tallest = *std::max_element(bins.begin(), bins.end());
  Plot plot({}, share_axis(), count_axis(static_cast<double>(tallest), 4));
  plot.draw_axes("probability", words.records);
  const double width = 1.0 / static_cast<double>(bins.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins.at(i) == 0) continue;
    const double from = static_cast<double>(i) * width;
    const double to = from + width;
    const std::string hint = fmt::format(
        "{} to {}: {} {}, {} of all", short_number(from), short_number(to), human_count(bins.at(i)),
        bins.at(i) == 1 ? words.record : words.records,
        human_percent(static_cast<double>(bins.at(i)) / static_cast<double>(s.predicted)));
    const auto height = static_cast<double>(bins.at(i));
    // A threshold inside a bar splits its colour, not its count.
    constexpr double kSame = 1e-9;
    const double split = std::clamp(s.threshold, from, to);
    if (split - from > kSame) plot.bar(from, split, height, "base", hint);
    if (to - split > kSame) plot.bar(split, to, height, "pos", hint);
  }
  plot.marker(s.threshold, "threshold " + short_number(s.threshold));
  return plot.finish(
      fmt::format("Histogram of the probabilities of {} {}, mean {}. The threshold is {}.",
                  human_count(s.predicted), words.records, human_number(s.mean_probability(), 3),
                  short_number(s.threshold)));
}

std::string latency_curve(const data::Histogram& latency_ms) {
  const double end = nines_max(latency_ms.count());
  Axis x{0, end, {{0, "0"}, {nines(0.5), "50"}, {1, "90"}, {2, "99"}}};
  if (end >= 3) x.ticks.push_back({3, "99.9"});
  if (end >= 4) x.ticks.push_back({4, "99.99"});
  const double slowest = latency_ms.quantile(1 - std::pow(10, -end));
  Plot plot({}, std::move(x), nice_axis(0, slowest, 4));
  std::vector<Point> curve;
  constexpr int kSteps = 48;
  for (int i = 0; i <= kSteps; ++i) {
    const double at = end * i / kSteps;
    curve.push_back({at, latency_ms.quantile(1 - std::pow(10, -at))});
  }
  plot.area(curve, "area");
  plot.draw_axes("percentile of records", "ms");
  plot.line(curve, "curve");
  for (const double q : {0.5, 0.95, 0.99}) {
    const double ms = latency_ms.quantile(q);
    plot.dot({nines(q), ms}, "dot", fmt::format("p{:g}: {}", q * 100, human_seconds(ms / 1e3)));
  }
  return plot.finish(fmt::format(
      "Latency by percentile: half within {}, 95 % within {}, 99 % within {}.",
      human_seconds(latency_ms.quantile(0.5) / 1e3), human_seconds(latency_ms.quantile(0.95) / 1e3),
      human_seconds(latency_ms.quantile(0.99) / 1e3)));
}

}  // namespace millrace::report
