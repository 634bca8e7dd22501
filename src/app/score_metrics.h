// The metrics of a score run, and its say in readiness.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "app/monitoring.h"
#include "engine/run_monitor.h"
#include "spec/pipeline.h"

namespace millrace::app {

// Not thread-safe; the metrics it sets are. `monitoring` must outlive it.
class ScoreMetrics final : public engine::RunMonitor {
 public:
  ScoreMetrics(Monitoring& monitoring, const spec::Pipeline& pipeline, env::Clock& clock);

  void on_started() override;
  void on_scored(const log::TopicPartition& source, std::span<const log::Record> records,
                 const engine::ScoredBatch& batch) override;
  void on_committed(const data::RunSummary& all, Nanoseconds took) override;
  void on_state(const engine::StateKeeper& state) override;
  void on_drift(const drift::DriftMonitor& drift) override;
  void on_aborted() override;
  void on_rebalance() override;
  void on_lag(const std::map<log::TopicPartition, std::int64_t>& lag) override;
  void on_waiting(const Error& trouble) override;
  void on_going_on() override;

 private:
  struct Code {
    telemetry::Counter ours;
    telemetry::Counter reference;
    std::uint64_t counted = 0;
  };
  // Of a pipeline that forecasts; of others the handles do nothing.
  struct Forecasts {
    telemetry::Counter made;
    telemetry::Counter warming_up;
    telemetry::Counter compared;
    telemetry::Counter covered;
    telemetry::Counter error;
    telemetry::Gauge newest;
    telemetry::Gauge state_keys;
    telemetry::Gauge state_bytes;
    telemetry::Counter state_records;
    telemetry::Counter state_written;
    telemetry::Counter reference_readings;
    telemetry::Counter reference_failed;
    telemetry::Counter reference_predictions;
    telemetry::Counter reference_errors;
    telemetry::Summary reference_latency;
  };
  static Forecasts forecasts_of(telemetry::MetricRegistry& metrics, const spec::Pipeline& pipeline);

  void count_forecasts(const data::RunSummary& all);
  void count_dead_letters(const data::RunSummary& all);
  void count_probabilities(const data::RunSummary& all);

  Monitoring& monitoring_;
  telemetry::MetricRegistry& metrics_;
  env::Clock& clock_;
  std::string topic_;
  telemetry::Counter consumed_;
  telemetry::Counter skipped_;
  telemetry::Counter commits_;
  telemetry::Counter aborted_;
  telemetry::Counter rebalances_;
  telemetry::Counter succeeded_;
  telemetry::Counter failed_;
  telemetry::Histogram latency_;
  telemetry::Histogram commit_;
  telemetry::Histogram probability_;
  telemetry::Histogram validation_;
  telemetry::Histogram transformation_;
  telemetry::Histogram inference_;
  telemetry::Histogram total_;
  telemetry::Gauge last_commit_;
  Forecasts forecasts_;
  std::map<std::string, telemetry::Counter> labels_;
  std::map<std::string, telemetry::Counter> stages_;
  std::map<std::string, Code> codes_;
  std::map<log::TopicPartition, std::int64_t> lag_;  // as last told
  decltype(data::RunSummary::probability_histogram) bins_{};
  double probability_sum_ = 0;
};

}  // namespace millrace::app
