// What a ScoreRun tells while it runs: for metrics and readiness.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "base/error.h"
#include "base/time.h"
#include "data/run_summary.h"
#include "drift/monitor.h"
#include "engine/record_scorer.h"
#include "engine/state_keeper.h"
#include "log/record.h"

namespace millrace::engine {

// Called on the run's thread, in the middle of the record's path: must be quick, and never wait.
// What is told by on_scored() may come again, when its commit is aborted.
class RunMonitor {
 public:
  virtual ~RunMonitor() = default;
  // The outputs are open, and the run begins to poll.
  virtual void on_started() {}
  // Records of one partition were scored; nothing of it is committed yet.
  virtual void on_scored(const log::TopicPartition& /*source*/,
                         std::span<const log::Record> /*records*/, const ScoredBatch& /*batch*/) {}
  // Everything that is committed, and how long the last commit took.
  virtual void on_committed(const data::RunSummary& /*all*/, Nanoseconds /*took*/) {}
  // The state of keys after a commit, or after partitions came or went.
  virtual void on_state(const StateKeeper& /*state*/) {}
  // Windows were compared with the training data, and that is committed.
  virtual void on_drift(const drift::DriftMonitor& /*drift*/) {}
  // What was uncommitted was given up and is done again.
  virtual void on_aborted() {}
  // What on_scored() told since the last commit is forgotten, for whatever reason.
  virtual void on_forgotten() {}
  // Partitions went to another member of the group.
  virtual void on_rebalance() {}
  // Messages between the committed position and the end of each partition held, now and then.
  virtual void on_lag(const std::map<log::TopicPartition, std::int64_t>& /*lag*/) {}
  // The run cannot go on and waits for this to pass (a full disk); told at each vain attempt.
  virtual void on_waiting(const Error& /*trouble*/) {}
  // It has passed.
  virtual void on_going_on() {}
};

}  // namespace millrace::engine
