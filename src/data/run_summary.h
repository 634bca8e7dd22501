// What a run of `score` did, for --json, the summary report and the dashboard. A plain value;
// report draws it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "data/forecast_figures.h"

namespace millrace::data {

// Counts in fixed logarithmic steps (about 4 % wide), for latencies in milliseconds: constant
// memory, exact counts.
class Histogram {
 public:
  void add(double value);
  std::uint64_t count() const { return count_; }
  double max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  // Upper bound of the step that holds the q-quantile, 0 <= q <= 1; 0 when empty.
  double quantile(double q) const;

 private:
  static constexpr std::size_t kSteps =
      400;  // 1e-3 ... about 6e3 by factors of 1.04, the last step open
  std::array<std::uint64_t, kSteps> counts_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double max_ = 0;
  double last_value_ = -1;
  std::size_t last_step_ = 0;
};

struct SegmentCount {
  std::uint64_t total = 0;
  std::uint64_t positive = 0;
  double probability_sum = 0;
};

struct RiskRow {
  std::string key;
  double probability = 0;
  std::vector<std::string> values;  // of RunSummary::risk_fields
};

struct RunSummary {
  std::string pipeline;
  std::string model_version;
  std::string label_field;  // name of the predicted label in the output message
  std::string positive_label;
  std::string stop_reason;  // caught_up, max_messages, timeout, signal
  Timestamp started;
  double duration_s = 0;
  std::uint64_t consumed = 0;
  std::uint64_t predicted = 0;
  std::uint64_t dead_lettered = 0;
  // Offsets that retention took before they were read: at most that many records.
  std::uint64_t skipped_by_retention = 0;
  std::uint64_t commits = 0;
  std::uint64_t rebalances = 0;
  double threshold = 0.5;
  // Of a pipeline that forecasts; label and probability mean nothing there.
  std::optional<std::string> forecast_target;
  struct Forecasts {
    std::uint64_t warming_up = 0;     // readings without a forecast
    std::uint64_t compared = 0;       // forecasts whose hour came
    double absolute_error = 0;        // sum over those
    double error = 0;                 // the same, forecast less what came
    std::uint64_t covered = 0;        // of those, within their interval
    std::optional<Timestamp> newest;  // event time of the newest reading
  } forecasts;
  // For the report, at the end of a run.
  std::optional<ForecastFigures> figures;  // of a pipeline that forecasts
  std::optional<AlertRows> alerts;         // where drift is watched
  std::map<std::string, std::uint64_t> by_label;
  std::map<std::string, std::uint64_t> dead_letters_by_code;
  std::map<std::string, std::uint64_t> dead_letters_by_field;
  double probability_sum = 0;
  std::array<std::uint64_t, 20>
      probability_histogram{};              // of equal width over [0, 1], the last closed
  std::vector<std::string> segment_fields;  // Contract, InternetService
  std::map<std::string, std::map<std::string, SegmentCount>> segments;  // field -> level -> counts
  std::vector<std::string> risk_fields;
  std::vector<RiskRow> top_risk;  // highest probability first
  Histogram latency_ms;           // a batch's arrival to the end of its scoring, one entry a record

  // Keys: poll, decode, predict, encode, append, commit.
  std::map<std::string, std::int64_t> stage_cpu_ns;

  double rate_per_s() const {
    return duration_s > 0 ? static_cast<double>(consumed) / duration_s : 0;
  }
  double mean_probability() const {
    return predicted == 0 ? 0 : probability_sum / static_cast<double>(predicted);
  }
};

}  // namespace millrace::data
