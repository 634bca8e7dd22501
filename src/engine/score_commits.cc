// How a scoring run commits, and what it forgets when a commit fails.
#include <utility>

#include "engine/score_run.h"
#include "env/crash_point.h"

namespace millrace::engine {
namespace {

// How long a window waits for the outcome of a commit; a stream waits for ever.
constexpr Milliseconds kCommitMax{30'000};
// How long whoever was asked to stop does.
constexpr Milliseconds kCommitMaxStopped{7'000};
constexpr Milliseconds kAwaitSlice{200};
constexpr Milliseconds kAwaitStopped{5};
// Between two looks at a log that cannot even be polled.
constexpr Milliseconds kPollRetry{100};

}  // namespace

// Commits what is pending and waits for the outcome; does nothing when nothing is pending.
Status ScoreRun::commit() {
  MILLRACE_TRY(await_commit());
  MILLRACE_TRY(ask_commit());
  return await_commit();
}

// Its outcome is an event; meanwhile one batch is scored ahead.
Status ScoreRun::ask_commit() {
  if (uncommitted_ == 0) return {};
  env::crash_point("score.before_commit");
  std::vector<log::Position> positions;
  for (const auto& [source, next] : positions_) positions.push_back({source, next});
  const Nanoseconds before = env::thread_cpu_time();
  asked_ = clock_.steady();
  if (state_ != nullptr) MILLRACE_TRY(state_->append(consumer_.transaction(), positions));
  Status request = consumer_.transaction().commit(positions);
  working_.stage_cpu_ns["commit"] += (env::thread_cpu_time() - before).count();
  MILLRACE_TRY(request);
  in_flight_ = true;
  return {};
}

Status ScoreRun::await_commit() {
  while (in_flight_) {
    if (const auto late = commit_is_late()) return *late;
    Result<log::Event> event = consumer_.poll(clock_.steady() + kAwaitSlice);
    if (!event && passes_by_itself(event.error())) {
      clock_.sleep_until(clock_.steady() + kPollRetry);
      continue;
    }
    if (!event) return event.error();
    // A stop request wakes each poll; the outcome is all that is waited for.
    if (stop_.requested() && std::holds_alternative<log::Nothing>(*event)) {
      clock_.sleep_until(clock_.steady() + kAwaitStopped);
    }
    MILLRACE_TRY(handle(std::move(*event)));
  }
  return {};
}

// Why nobody should wait for the outcome any longer.
std::optional<Error> ScoreRun::commit_is_late() {
  const SteadyTime now = clock_.steady();
  if (stop_.requested()) {
    if (!stop_seen_) stop_seen_ = now;
    if (now < *stop_seen_ + kCommitMaxStopped) return std::nullopt;
    return Error(ErrorCode::kTryAgain,
                 "stopped while the log was away; what was not committed is done again");
  }
  if (options_.mode == ScoreOptions::Mode::kStreaming || now < asked_ + kCommitMax) {
    return std::nullopt;
  }
  return Error(ErrorCode::kUnavailable,
               "the log did not answer a commit within 30 s; nothing is lost, start again");
}

Status ScoreRun::settle(const log::CommitOutcome& outcome) {
  in_flight_ = false;
  switch (outcome.result) {
    case log::CommitResult::kCommitted:
      break;
    case log::CommitResult::kAborted:
      if (outcome.cause) {
        drop_ahead();
        const Error cause(*outcome.cause, outcome.reason);
        return passes_by_itself(cause) ? wait_for_room(cause) : Status(cause);
      }
      logger_.warning("a commit was aborted and is done again: " + outcome.reason);
      tell([](RunMonitor& m) { m.on_aborted(); });
      drop_ahead();
      forget_uncommitted();
      return {};
    case log::CommitResult::kFenced:
      return Error(ErrorCode::kFenced, "another process took this scorer's place (" +
                                           outcome.reason +
                                           "); it goes on from the last commit, nothing is lost");
    case log::CommitResult::kUnknown:
      return Error(ErrorCode::kTryAgain, "the outcome of a commit is not known (" + outcome.reason +
                                             "); start again: the log knows what was committed");
  }
  env::crash_point("score.after_commit");
  if (state_ != nullptr) {
    state_->settle();
    tell([this](RunMonitor& m) { m.on_state(*state_); });
  }
  if (drift_ != nullptr && drift_->committed()) {
    tell([this](RunMonitor& m) { m.on_drift(drift_->monitor()); });
  }
  ++working_.commits;
  working_.duration_s = std::chrono::duration<double>(clock_.steady() - started_).count();
  fold_tally();
  committed_ = working_;
  for (const auto& [source, next] : positions_) {
    const auto held = held_.find(source);
    if (held != held_.end()) held->second = next;
  }
  positions_.clear();
  uncommitted_ = 0;
  go_on();
  const Nanoseconds took = clock_.steady() - asked_;
  tell([&](RunMonitor& m) { m.on_committed(committed_, took); });
  if (observer_) observer_(committed_);
  if (!std::exchange(has_ahead_, false)) return {};
  std::swap(now_, ahead_);
  return publish_work();
}

// What was scored while a commit was in flight comes again.
void ScoreRun::drop_ahead() {
  if (std::exchange(has_ahead_, false) && state_ != nullptr) state_->roll_back_ahead();
}

// Back to the state of the last commit; the log reads on from there by itself.
void ScoreRun::forget_uncommitted() {
  tell([](RunMonitor& m) { m.on_forgotten(); });
  if (state_ != nullptr) state_->roll_back();
  if (drift_ != nullptr) drift_->aborted();
  const std::uint64_t rebalances = working_.rebalances;
  fold_tally();
  working_ = committed_;
  working_.rebalances = rebalances;
  for (const auto& entry : positions_) {
    // The end of the window counts from the committed position again.
    const auto found = reached_.find(entry.first);
    if (found != reached_.end()) found->second = Offset(0);
  }
  positions_.clear();
  uncommitted_ = 0;
  last_message_ = clock_.steady();
}

}  // namespace millrace::engine
