// Metrics of binary classification, equal to scikit-learn's within 1e-9. Inputs: labels 0/1,
// probabilities of the positive class, optional weights (empty: all 1). All spans have the same
// length n > 0, else CHECK.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace millrace::eval {

// Area under the ROC curve by ranks with ties counted half; NaN when a class is absent.
double roc_auc(std::span<const int> labels, std::span<const double> probabilities);
// Average precision: sum of (R_k - R_{k-1}) P_k over distinct thresholds; NaN without positives.
double average_precision(std::span<const int> labels, std::span<const double> probabilities);
// Mean of -log p of the true class, p clipped to [eps, 1 - eps] with eps of double.
double log_loss(std::span<const int> labels, std::span<const double> probabilities);
// Mean squared difference of probability and label.
double brier_score(std::span<const int> labels, std::span<const double> probabilities);

struct Confusion {
  std::uint64_t true_negative = 0;
  std::uint64_t false_positive = 0;
  std::uint64_t false_negative = 0;
  std::uint64_t true_positive = 0;
};
// Predicted positive: probability >= threshold.
Confusion confusion(std::span<const int> labels, std::span<const double> probabilities,
                    double threshold);
double accuracy(const Confusion& c);
double precision(const Confusion& c);  // 0 when nothing was predicted positive
double recall(const Confusion& c);     // 0 without positives
double f1(const Confusion& c);
double specificity(const Confusion& c);
double negative_predictive_value(const Confusion& c);

struct CalibrationBin {
  double lower = 0;
  double upper = 0;
  std::uint64_t count = 0;
  double mean_probability = 0;
  double positive_rate = 0;
};
// Equal-width bins over [0, 1] (the last closed); empty bins are kept with zeros.
std::vector<CalibrationBin> calibration(std::span<const int> labels,
                                        std::span<const double> probabilities,
                                        std::size_t bins = 10);
// Sum over bins of count/n * |positive_rate - mean_probability|.
double expected_calibration_error(const std::vector<CalibrationBin>& bins);

}  // namespace millrace::eval
