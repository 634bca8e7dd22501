#include "report/internal/curves.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace millrace::report {

std::vector<CurveStep> curve_steps(std::span<const int> labels,
                                   std::span<const double> probabilities) {
  CHECK(labels.size() == probabilities.size());
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
  std::vector<CurveStep> steps;
  CurveStep now;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (labels[order[i]] == 1 ? now.true_positives : now.false_positives) += 1;
    now.probability = probabilities[order[i]];
    const bool last_of_value =
        i + 1 == order.size() || probabilities[order[i + 1]] != now.probability;
    if (last_of_value) steps.push_back(now);
  }
  return steps;
}

std::vector<Point> roc_points(const std::vector<CurveStep>& steps) {
  if (steps.empty()) return {};
  const CurveStep& all = steps.back();
  if (all.true_positives == 0 || all.false_positives == 0) return {};
  std::vector<Point> points = {{0, 0}};
  for (const CurveStep& step : steps) {
    points.push_back(
        {step.false_positives / all.false_positives, step.true_positives / all.true_positives});
  }
  return points;
}

std::vector<Point> precision_recall_points(const std::vector<CurveStep>& steps) {
  if (steps.empty() || steps.back().true_positives == 0) return {};
  std::vector<Point> points;
  for (const CurveStep& step : steps) {
    points.push_back({step.true_positives / steps.back().true_positives,
                      step.true_positives / (step.true_positives + step.false_positives)});
  }
  return points;
}

std::vector<Point> thinned(const std::vector<Point>& points, std::size_t points_max) {
  CHECK(points_max >= 2);
  if (points.size() <= points_max) return points;
  std::vector<Point> out;
  for (std::size_t i = 0; i < points_max; ++i) {
    out.push_back(points[i * (points.size() - 1) / (points_max - 1)]);
  }
  return out;
}

}  // namespace millrace::report
