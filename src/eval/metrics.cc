#include "eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"

namespace millrace::eval {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void check_input(std::span<const int> labels, std::span<const double> probabilities) {
  CHECK(!labels.empty() && labels.size() == probabilities.size());
}

// Positives and negatives that share one probability.
struct Step {
  double probability = 0;
  std::uint64_t positives = 0;
  std::uint64_t negatives = 0;
};

// The distinct probabilities, highest first.
std::vector<Step> steps_of(std::span<const int> labels, std::span<const double> probabilities) {
  check_input(labels, probabilities);
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
  std::vector<Step> steps;
  for (const std::size_t i : order) {
    if (steps.empty() || steps.back().probability != probabilities[i]) {
      steps.push_back({probabilities[i], 0, 0});
    }
    ++(labels[i] == 1 ? steps.back().positives : steps.back().negatives);
  }
  return steps;
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double roc_auc(std::span<const int> labels, std::span<const double> probabilities) {
  std::uint64_t positives = 0;
  std::uint64_t negatives = 0;
  double twice_area = 0;  // pairs that are ordered rightly count 2, ties 1: whole numbers, so exact
  for (const Step& step : steps_of(labels, probabilities)) {
    twice_area +=
        static_cast<double>(step.negatives) * static_cast<double>(2 * positives + step.positives);
    positives += step.positives;
    negatives += step.negatives;
  }
  if (positives == 0 || negatives == 0) return kNaN;
  return twice_area / 2 / (static_cast<double>(positives) * static_cast<double>(negatives));
}

double average_precision(std::span<const int> labels, std::span<const double> probabilities) {
  const std::vector<Step> steps = steps_of(labels, probabilities);
  std::uint64_t all = 0;
  for (const Step& step : steps) all += step.positives;
  if (all == 0) return kNaN;
  std::uint64_t positives = 0;
  std::uint64_t predicted = 0;
  double sum = 0;
  for (const Step& step : steps) {
    positives += step.positives;
    predicted += step.positives + step.negatives;
    sum += ratio(step.positives, all) * ratio(positives, predicted);
  }
  return sum;
}

double log_loss(std::span<const int> labels, std::span<const double> probabilities) {
  check_input(labels, probabilities);
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double p = labels[i] == 1 ? probabilities[i] : 1 - probabilities[i];
    sum -= std::log(std::clamp(p, kEpsilon, 1 - kEpsilon));
  }
  return sum / static_cast<double>(labels.size());
}

double brier_score(std::span<const int> labels, std::span<const double> probabilities) {
  check_input(labels, probabilities);
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double difference = probabilities[i] - labels[i];
    sum += difference * difference;
  }
  return sum / static_cast<double>(labels.size());
}

Confusion confusion(std::span<const int> labels, std::span<const double> probabilities,
                    double threshold) {
  check_input(labels, probabilities);
  Confusion c;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool predicted = probabilities[i] >= threshold;
    if (labels[i] == 1) {
      ++(predicted ? c.true_positive : c.false_negative);
    } else {
      ++(predicted ? c.false_positive : c.true_negative);
    }
  }
  return c;
}

double accuracy(const Confusion& c) {
  const std::uint64_t right = c.true_positive + c.true_negative;
  return ratio(right, right + c.false_positive + c.false_negative);
}

double precision(const Confusion& c) {
  return ratio(c.true_positive, c.true_positive + c.false_positive);
}

double recall(const Confusion& c) {
  return ratio(c.true_positive, c.true_positive + c.false_negative);
}

double f1(const Confusion& c) {
  return ratio(2 * c.true_positive, 2 * c.true_positive + c.false_positive + c.false_negative);
}

double specificity(const Confusion& c) {
  return ratio(c.true_negative, c.true_negative + c.false_positive);
}

double negative_predictive_value(const Confusion& c) {
  return ratio(c.true_negative, c.true_negative + c.false_negative);
}

std::vector<CalibrationBin> calibration(std::span<const int> labels,
                                        std::span<const double> probabilities, std::size_t bins) {
  check_input(labels, probabilities);
  CHECK(bins > 0);
  std::vector<CalibrationBin> out(bins);
  const auto width = static_cast<double>(bins);
  for (std::size_t b = 0; b < bins; ++b) {
    out[b].lower = static_cast<double>(b) / width;
    out[b].upper = static_cast<double>(b + 1) / width;
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double p = std::clamp(probabilities[i], 0.0, 1.0);
    auto b = std::min(static_cast<std::size_t>(p * width), bins - 1);
    // The product rounds; the printed edges decide.
    if (b + 1 < bins && p >= out[b].upper) ++b;
    if (p < out[b].lower) --b;
    ++out[b].count;
    out[b].mean_probability += p;
    out[b].positive_rate += labels[i] == 1 ? 1 : 0;
  }
  for (CalibrationBin& bin : out) {
    if (bin.count == 0) continue;
    bin.mean_probability /= static_cast<double>(bin.count);
    bin.positive_rate /= static_cast<double>(bin.count);
  }
  return out;
}

double expected_calibration_error(const std::vector<CalibrationBin>& bins) {
  std::uint64_t all = 0;
  double sum = 0;
  for (const CalibrationBin& bin : bins) {
    all += bin.count;
    sum += static_cast<double>(bin.count) * std::abs(bin.positive_rate - bin.mean_probability);
  }
  return all == 0 ? 0 : sum / static_cast<double>(all);
}

}  // namespace millrace::eval
