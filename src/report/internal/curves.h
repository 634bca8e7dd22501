// The curves of a binary classifier, ready to be drawn.
#pragma once

#include <span>
#include <vector>

#include "report/internal/plot.h"

namespace millrace::report {

// One entry for each distinct probability, from the highest: counts at or above it.
struct CurveStep {
  double probability = 0;
  double true_positives = 0;
  double false_positives = 0;
};
std::vector<CurveStep> curve_steps(std::span<const int> labels,
                                   std::span<const double> probabilities);

// False positive rate against true positive rate, from (0, 0) to (1, 1). Empty when a class is
// absent.
std::vector<Point> roc_points(const std::vector<CurveStep>& steps);
// Recall against precision. Empty without positives.
std::vector<Point> precision_recall_points(const std::vector<CurveStep>& steps);

// At most `points_max` (>= 2) of the points, first and last among them.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t points_max);

}  // namespace millrace::report
