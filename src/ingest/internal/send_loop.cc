#include "ingest/internal/send_loop.h"

#include <algorithm>

#include "env/crash_point.h"

namespace millrace::ingest {

SendLoop::SendLoop(RowSource& source, Sink& sink, const SendLimits& limits, env::Clock& clock,
                   env::StopToken& stop, telemetry::Logger& logger)
    : source_(source),
      sink_(sink),
      limits_(limits),
      clock_(clock),
      stop_(stop),
      logger_(logger),
      next_row_(limits.first_row) {}

void SendLoop::check_with(codec::RecordDecoder decoder, std::size_t fields) {
  decoder_.emplace(std::move(decoder));
  cells_.resize(fields);
}

Status SendLoop::run(ProduceSummary& summary) {
  started_ = clock_.steady();
  if (limits_.events_per_sec) {
    pacer_.emplace(*limits_.events_per_sec, started_);
    group_start_ = started_ - kGroupInterval;
  }
  Status status = loop(summary);
  summary.next_row = next_row_;
  summary.duration_s = std::chrono::duration<double>(clock_.steady() - started_).count();
  summary.bytes_read = source_.bytes_read();
  return status;
}

Status SendLoop::loop(ProduceSummary& summary) {
  SourceRow row;
  while (true) {
    if (stop_.requested()) {
      summary.stop = ProduceStop::kSignal;
      summary.signal = stop_.signal();
      return commit(summary, Sink::Ending::kStopped);
    }
    if (limits_.count && summary.sent + pending_.sent >= *limits_.count) {
      summary.stop = ProduceStop::kCount;
      return commit(summary, Sink::Ending::kStopped);
    }
    if (pacer_) {
      MILLRACE_ASSIGN(const bool may_send, paced(summary));
      if (!may_send) continue;
    }
    refresh_stamp();
    const Result<bool> more = source_.next({stamp_.data(), stamp_.size()}, row);
    if (!more) {
      if (more.error().code() == ErrorCode::kInterrupted && stop_.requested()) continue;
      return more.error();
    }
    if (!*more) {
      summary.stop = ProduceStop::kEndOfData;
      summary.finished = true;
      return commit(summary, Sink::Ending::kFinished);
    }
    MILLRACE_TRY(send(row, summary));
    next_row_ = row.row.next();
    if (++pending_.rows >= limits_.batch_rows) {
      MILLRACE_TRY(commit(summary, Sink::Ending::kMore));
    }
  }
}

Result<bool> SendLoop::paced(ProduceSummary& summary) {
  if (slots_used_ < slots_due_) return true;
  if (pending_.rows > 0) MILLRACE_TRY(commit(summary, Sink::Ending::kMore));
  const SteadyTime now = clock_.steady();
  SteadyTime wake = group_start_ + kGroupInterval;
  if (limits_.count) {  // the last group does not wait for others
    wake = std::min(wake, pacer_->time_of(slots_used_ + *limits_.count - summary.sent - 1));
  }
  wake = std::max(wake, pacer_->time_of(slots_used_));
  if (wake > now) {
    clock_.sleep_until(std::min<SteadyTime>(wake, now + kWaitMax));
    return false;
  }
  catch_up(now);
  group_start_ = now;
  slots_due_ = pacer_->due(now);
  return true;
}

void SendLoop::catch_up(SteadyTime now) {
  if (now - pacer_->time_of(slots_used_) <= kCatchUpMax) return;
  const std::uint64_t missed = pacer_->due(now) - slots_used_;
  logger_.warning("Sending fell behind by " + std::to_string(missed) +
                  " events; they are not caught up.");
  pacer_->restart_at(slots_used_, now);
}

Status SendLoop::send(const SourceRow& row, ProduceSummary& summary) {
  std::string problem;
  if (!row.problem.empty()) [[unlikely]] {
    set_aside(row, row.problem, summary);
    return {};
  }
  // From here on the row uses its turn, also when it is not sent: a stream of bad rows must not
  // spin.
  ++slots_used_;
  if (decoder_ && !satisfies_schema(row, problem)) {
    set_aside(row, problem, summary);
    return {};
  }
  log::NewRecord record;
  record.key = row.key;
  record.value = row.value;
  record.timestamp = row.event_time.value_or(now_);
  const Status status = sink_.append(record);
  if (!status) {
    if (status.error().code() != ErrorCode::kRecordTooLarge) return status.error();
    set_aside(row, status.error().message(), summary);
    return {};
  }
  env::crash_point("produce.after_append");
  ++pending_.sent;
  pending_.bytes += row.value.size() + (row.key ? row.key->size() : 0);
  return {};
}

bool SendLoop::satisfies_schema(const SourceRow& row, std::string& problem) {
  errors_.clear();
  if (decoder_->decode_copy(row.value, cells_, errors_)) return true;
  problem = problem_of(errors_);
  return false;
}

void SendLoop::set_aside(const SourceRow& row, const std::string& problem,
                         ProduceSummary& summary) {
  ++summary.bad_rows;
  if (summary.bad.size() < kBadRowsKeptMax) summary.bad.push_back({row.line, problem});
}

Status SendLoop::commit(ProduceSummary& summary, Sink::Ending ending) {
  const SteadyTime asked = clock_.steady();
  if (pending_.rows > 0 || ending != Sink::Ending::kMore) {
    MILLRACE_TRY(sink_.commit(next_row_, ending));
  }
  summary.last_commit_took = clock_.steady() - asked;
  if (pending_.sent > 0) ++summary.commits;
  summary.sent += pending_.sent;
  summary.bytes += pending_.bytes;
  pending_ = {};
  if (progress_ != nullptr && *progress_) {
    summary.next_row = next_row_;
    summary.bytes_read = source_.bytes_read();
    summary.duration_s = std::chrono::duration<double>(clock_.steady() - started_).count();
    (*progress_)(summary);
  }
  return {};
}

void SendLoop::refresh_stamp() {
  const Timestamp now = clock_.now();
  if (now == now_) return;
  now_ = now;
  env::format_rfc3339(now, stamp_.data());
}

}  // namespace millrace::ingest
