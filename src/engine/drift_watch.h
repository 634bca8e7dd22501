// Drift of a pipeline: what training keeps in the manifest for it, and the watch over the stream
// that a score run owns (docs/drift.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "data/feature_batch.h"
#include "drift/monitor.h"
#include "json/fwd.h"
#include "log/log.h"
#include "model/registry.h"
#include "spec/pipeline.h"

namespace millrace::engine {

// What a model was trained on.
struct DriftTraining {
  const std::vector<std::string>& columns;  // of the model, in order
  const data::FeatureBatch& rows;           // as the model saw them
  std::span<const Timestamp> event_times;   // one a row; may be empty when windows are of records
  // What the model answers, one a row, best by a model that did not see the row; NaN where there is
  // none. Empty: the score is not watched.
  std::span<const double> scores;
};

// For Manifest::drift_reference; null where the pipeline watches nothing. Errors: kConfig for names
// in `drift.features` that are neither columns nor fields (with the nearest), and where the data
// has too few windows; kBadData without rows.
Result<json::Value> drift_reference(const spec::Pipeline& pipeline, const DriftTraining& training);

// Compares each window of the stream with the manifest's reference. Everything goes with the run's
// transactions: what was observed since the last commit is forgotten when it is aborted, and alerts
// are appended beside the predictions. Not thread-safe; outlives neither pipeline nor log.
class DriftWatch {
 public:
  // Nothing where the pipeline watches nothing. Errors: kBadModel when the model was trained
  // without `drift`, or with another window or other columns, with what to do.
  static Result<std::optional<DriftWatch>> make(const spec::Pipeline& pipeline,
                                                const model::Manifest& manifest);

  // Columns of the model that are watched, in the order in which observe() wants their values.
  const std::vector<std::size_t>& columns() const { return columns_; }
  // Picks them from a whole row of features.
  void pick(std::span<const double> features, std::vector<double>& watched) const;

  // One scored record. `watched`: values of columns(); `score`: what was predicted. Alerts of
  // windows that it closed wait for append_alerts().
  void observe(PartitionId partition, Offset offset, Timestamp event_time,
               std::span<const double> watched, double score);
  // Appends the alerts that wait, as JSON (docs/drift.md) with the feature as key, and the record
  // times `now`. What could not be appended still waits. Errors: those of the appender.
  Status append_alerts(log::Appender& appender, log::TopicHandle alerts, Timestamp now);

  // What was observed is committed: a later abort goes back to here. True when a window was judged
  // since the last commit, so that readings() are news.
  bool committed();
  // Back to the last commit.
  void aborted();

  const drift::DriftMonitor& monitor() const { return monitor_; }
  // The first kAlertsKeptMax alerts that were committed, oldest first, and how many there were.
  static constexpr std::size_t kAlertsKeptMax = 200;
  const std::vector<drift::Alert>& told() const { return told_; }
  std::uint64_t told_count() const { return told_count_; }
  // Whether anything was observed since the last commit.
  bool changed() const { return observed_; }
  // All that was observed until now, to be committed with it and to go on with after a restart; and
  // back. Errors of restore(): kBadData, also for what a watch with another model's reference
  // saved; nothing is changed then.
  std::string save() const;
  Status restore(std::string_view saved);

  // An alert as it stands on the topic, one line of JSON.
  std::string message(const drift::Alert& alert) const;

 private:
  DriftWatch(drift::DriftMonitor monitor, std::vector<std::size_t> columns)
      : columns_(std::move(columns)), monitor_(monitor), kept_(std::move(monitor)) {}

  std::string pipeline_;
  std::string model_version_;
  std::string source_topic_;
  std::string fingerprint_;  // of the reference
  std::vector<std::size_t> columns_;
  drift::DriftMonitor monitor_;
  drift::DriftMonitor kept_;  // as of the last commit
  bool observed_ = false;     // since then
  std::vector<drift::Alert> waiting_;
  std::vector<drift::Alert> appended_;  // since the last commit
  std::vector<drift::Alert> told_;
  std::uint64_t told_count_ = 0;
};

}  // namespace millrace::engine
