// How good a model is on rows with known labels, as one HTML page for people.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace millrace::report {

struct ModelReport {
  std::string pipeline;
  std::string model_version;  // may be empty: a model that was not kept
  std::string rows_note;      // which rows these are: "hold-out: 1,409 of 7,043 rows, seed 42"
  std::string outcome;        // "Churn = Yes"
  std::string program;        // for the footer
  double threshold = 0.5;
  // Beside each other, not empty: 0/1, and the published probability of 1.
  std::vector<int> labels;
  std::vector<double> probabilities;
  std::vector<std::pair<std::string, double>> importances;  // share of all gain, any order
  std::vector<std::pair<std::string, std::string>> facts;   // parameters and the like, as they are
};

// A page like summary_to_html's. Curves are thinned to kCurvePointsMax points. Everything is
// computed from labels and probabilities by eval, so the page cannot disagree with the metrics.
std::string model_to_html(const ModelReport& report, Timestamp written);

inline constexpr std::size_t kCurvePointsMax = 240;

}  // namespace millrace::report
