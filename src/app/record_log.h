// One line of the log a record, for programs (`score --log-records`, docs/logging.md).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/run_monitor.h"
#include "json/json.h"
#include "spec/pipeline.h"
#include "telemetry/logger.h"

namespace millrace::app {

// Tells what was scored once it is committed: a record has one line, whatever is aborted and done
// again. Until then lines wait in memory, as many as a commit has records. Keys and values of
// records are not told: they may be anybody's. Not thread-safe; the logger outlives it.
class RecordLog final : public engine::RunMonitor {
 public:
  // `algorithm`: of the model, the name of its prediction.
  RecordLog(telemetry::Logger& logger, const spec::Pipeline& pipeline, std::string algorithm);

  void on_scored(const log::TopicPartition& source, std::span<const log::Record> records,
                 const engine::ScoredBatch& batch) override;
  void on_committed(const data::RunSummary& all, Nanoseconds took) override;
  void on_forgotten() override { waiting_.clear(); }
  void on_drift(const drift::DriftMonitor& drift) override;

 private:
  struct Line {
    telemetry::Level level = telemetry::Level::kInfo;
    const char* event = "";
    json::Value fields;
  };

  void tell_prediction(const log::TopicPartition& source, const log::Record& record,
                       const engine::ScoredRecord& scored);
  void tell_dead_letter(const log::TopicPartition& source, const log::Record& record,
                        const data::RecordErrors& errors);

  telemetry::Logger& logger_;
  std::string algorithm_;
  bool forecasts_;
  std::string positive_label_;  // of a pipeline that predicts a label
  std::string negative_label_;
  std::vector<Line> waiting_;   // for their commit
  std::vector<bool> drifting_;  // by watched column
  bool any_drifting_ = false;
};

}  // namespace millrace::app
