// The engine: consume, score, publish, commit, until told to stop or a window is full.
// Single-threaded and deterministic: all input comes through Consumer::poll() and the Clock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "data/run_summary.h"
#include "engine/dead_letter.h"
#include "engine/drift_watch.h"
#include "engine/record_scorer.h"
#include "engine/run_monitor.h"
#include "engine/state_keeper.h"
#include "env/clock.h"
#include "env/stop.h"
#include "log/log.h"
#include "spec/pipeline.h"
#include "telemetry/logger.h"

namespace millrace::engine {

struct ScoreOptions {
  enum class Mode { kStreaming, kWindow } mode = Mode::kStreaming;
  std::optional<std::uint64_t> messages_max;  // consumed, dead letters included
  Milliseconds idle_timeout{10'000};          // window mode: ends after this long without a message
  std::uint64_t progress_every = 0;           // messages between progress log lines, 0 = none
  // What the dead-letter topic takes, where that is known; the pipeline's setting is what a topic
  // made for it would take.
  std::optional<std::size_t> dead_letter_bytes_max;
};

// Called after each commit with the summary of all that is committed.
using ScoreObserver = std::function<void(const data::RunSummary&)>;

// One run over one consumer. What the summary counts is committed; what was not committed is not
// counted.
class ScoreRun {
 public:
  // All references must outlive the run. `scorer` and `consumer` belong to the run's thread.
  ScoreRun(const spec::Pipeline& pipeline, RecordScorer& scorer, log::Consumer& consumer,
           env::Clock& clock, env::StopToken& stop, telemetry::Logger& logger,
           ScoreOptions options);

  // Tells `monitor` what happens, beside others; it must outlive the run. Before run().
  void watch(RunMonitor& monitor) { monitors_.push_back(&monitor); }

  // Keeps the state of keys, which pipelines that forecast need; it must outlive the run. Before
  // run().
  void keep_state(StateKeeper& state) { state_ = &state; }

  // Watches the stream for drift; alerts go to the pipeline's alerts topic. It must outlive the
  // run. Before run().
  void watch_drift(DriftWatch& drift);

  // Runs to the end: the window is full or caught up, or stop was requested (then drained and
  // committed). Errors: kFenced, kFlood (dead letters above the breaker's ratio; nothing of the
  // last batch is committed), kUnknownTopic, and what the log returns. A stream (not a window)
  // waits for ever while the disk is full; stopped meanwhile it ends with kTryAgain. summary() is
  // valid after an error as well.
  Status run(const ScoreObserver& observer = {});

  const data::RunSummary& summary() const { return committed_; }

 private:
  Status open_outputs();
  Status loop();
  Status handle(log::Event event);
  Status on_batch(log::Batch batch);
  Status on_assigned(const log::Assigned& assigned);
  Status on_revoked(const log::Revoked& revoked);
  Status on_lost(const log::Lost& lost);
  Status on_gap(const log::Gap& gap);
  Status publish_work();
  Status publish(std::size_t index);
  Status publish_dead_letter(const log::Batch& batch, std::size_t index,
                             const data::RecordErrors& errors, std::string_view stage);
  void count_prediction(std::size_t index);
  void count_risk(const log::Record& record, const ScoredRecord& scored);
  Status check_flood(Outcome outcome);
  Status commit();
  Status ask_commit();
  Status await_commit();
  std::optional<Error> commit_is_late();
  Status settle(const log::CommitOutcome& outcome);
  bool passes_by_itself(const Error& error) const;
  Status wait_for_room(const Error& full);
  Status pause_all();
  void go_on();
  void tell_lag();
  void drop_ahead();
  void forget_uncommitted();
  void count_forecast(const ScoredRecord& scored);
  void observe(const log::Record& record, const ScoredRecord& scored);
  void fold_tally();
  // Calls `what` with each monitor.
  template <class What>
  void tell(const What& what) {
    for (RunMonitor* const monitor : monitors_) what(*monitor);
  }
  bool window_done() const;
  std::string end_reason() const;
  bool commit_due() const;
  Nanoseconds commit_interval() const;
  SteadyTime next_deadline() const;
  std::uint64_t remaining() const;
  void report_progress();

  // Log lines about a full disk.
  static constexpr Milliseconds kRoomLineInterval{60'000};

  // What is counted for every prediction, in flat memory: folded into the summary's maps once a
  // commit.
  struct Tally {
    std::uint64_t positive = 0;
    std::uint64_t negative = 0;
    struct Segment {
      std::size_t field = 0;                   // of the schema
      std::vector<data::SegmentCount> counts;  // by level code, the last for missing
    };
    std::vector<Segment> segments;
  };

  const spec::Pipeline& pipeline_;
  RecordScorer& scorer_;
  log::Consumer& consumer_;
  env::Clock& clock_;
  env::StopToken& stop_;
  telemetry::Logger& logger_;
  ScoreOptions options_;
  ScoreObserver observer_;

  log::TopicHandle predictions_;
  log::TopicHandle dead_letters_;
  log::TopicHandle alerts_;  // with a watch
  std::size_t dead_letter_bytes_max_ = 0;
  DeadLetterWriter dead_letter_writer_;

  // A batch and what became of it. `now_` is being published; `ahead_` was scored while a commit
  // was in flight, and is published after its outcome or forgotten.
  struct Work {
    log::Batch batch;
    std::span<const log::Record> records;  // of the batch, as far as the window goes
    Offset next;
    ScoredBatch scored;
  };
  Work now_;
  Work ahead_;
  bool has_ahead_ = false;
  bool in_flight_ = false;  // a commit was asked for and has no outcome yet
  SteadyTime asked_{};
  std::optional<SteadyTime> stop_seen_;

  data::RunSummary working_;  // with what is not committed yet
  data::RunSummary committed_;
  std::map<log::TopicPartition, Offset> positions_;  // to commit next
  std::map<log::TopicPartition, Offset> reached_;    // next offset after the last record handed out
  std::map<log::TopicPartition, Offset> window_ends_;  // end offsets seen when assigned
  std::uint64_t uncommitted_ = 0;
  SteadyTime first_uncommitted_{};
  SteadyTime started_{};
  SteadyTime last_message_{};
  bool ever_assigned_ = false;
  std::deque<bool> recent_dead_;  // the breaker's window, true = dead letter
  std::uint64_t recent_dead_count_ = 0;
  std::uint64_t progress_reported_ = 0;
  std::optional<log::Revoked> postponed_;       // came while a commit was in flight
  Tally tally_;                                 // of predictions since the last commit
  std::map<log::TopicPartition, Offset> held_;  // committed positions of what is assigned
  StateKeeper* state_ = nullptr;
  DriftWatch* drift_ = nullptr;
  std::vector<RunMonitor*> monitors_;
  std::optional<SteadyTime> lag_told_;
  bool waiting_ = false;       // for room on the disk
  Milliseconds room_wait_{0};  // the last wait
  telemetry::RateLimit room_lines_{kRoomLineInterval};
  std::size_t positive_code_ = 0;
};

}  // namespace millrace::engine
