#include "engine/score_run.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "env/crash_point.h"

namespace millrace::engine {
namespace {

// How long an idle streaming run sleeps in poll() at most; a stop request ends the wait at once.
constexpr Milliseconds kPollMax{1000};
// While the disk is full, a stream tries again after waits that double from the first to the last.
constexpr Milliseconds kRoomWaitMin{250};
constexpr Milliseconds kRoomWaitMax{4'000};
// Between two looks at a log that cannot even be polled.
constexpr Milliseconds kPollRetry{100};
// Records whose keys are fetched into the cache ahead of their turn.
constexpr std::size_t kKeysAhead = 8;
// The consumer lag is told this often at most.
constexpr Milliseconds kLagInterval{1'000};

}  // namespace

ScoreRun::ScoreRun(const spec::Pipeline& pipeline, RecordScorer& scorer, log::Consumer& consumer,
                   env::Clock& clock, env::StopToken& stop, telemetry::Logger& logger,
                   ScoreOptions options)
    : pipeline_(pipeline),
      scorer_(scorer),
      consumer_(consumer),
      clock_(clock),
      stop_(stop),
      logger_(logger),
      options_(options),
      dead_letter_writer_(pipeline.dead_letter.format, pipeline.group) {
  working_.pipeline = pipeline.name;
  working_.model_version = scorer.model_version();
  working_.label_field = pipeline.output.label_field;
  if (pipeline.forecast) {
    working_.forecast_target = pipeline.forecast->target;
  } else {
    const auto& levels = pipeline.schema.field(*pipeline.schema.label()).values;
    working_.positive_label = levels.at(pipeline.positive_code());
    for (const std::string& level : levels) working_.by_label[level] = 0;
    positive_code_ = pipeline.positive_code();
  }
  working_.threshold = pipeline.model.threshold;
  working_.segment_fields = pipeline.report.segments;
  working_.risk_fields = pipeline.report.risk_fields;
  for (const std::string& name : pipeline.report.segments) {
    const std::size_t field = *pipeline.schema.find(name);  // spec checks that report fields exist
    tally_.segments.push_back({field, {}});
    tally_.segments.back().counts.resize(pipeline.schema.field(field).values.size() + 1);
  }
  committed_ = working_;
}

void ScoreRun::watch_drift(DriftWatch& drift) {
  drift_ = &drift;
  scorer_.watch(drift.columns());
}

Status ScoreRun::run(const ScoreObserver& observer) {
  observer_ = observer;
  started_ = clock_.steady();
  last_message_ = started_;
  working_.started = clock_.now();
  committed_.started = working_.started;
  consumer_.wake_on(stop_.descriptor());
  Status result = open_outputs();
  if (result) {
    tell([](RunMonitor& m) { m.on_started(); });
    result = loop();
  }
  committed_.duration_s = std::chrono::duration<double>(clock_.steady() - started_).count();
  committed_.stop_reason = result ? working_.stop_reason : "error";
  if (!result) return result;
  return consumer_.close();
}

Status ScoreRun::open_outputs() {
  log::Transaction& out = consumer_.transaction();
  MILLRACE_ASSIGN(predictions_, out.open_topic(pipeline_.output.topic.name));
  MILLRACE_ASSIGN(dead_letters_, out.open_topic(pipeline_.dead_letter.topic.name));
  if (state_ != nullptr) MILLRACE_TRY(state_->open(out));
  if (drift_ != nullptr) {
    MILLRACE_ASSIGN(alerts_, out.open_topic(pipeline_.alerts_topic));
  }
  dead_letter_bytes_max_ =
      options_.dead_letter_bytes_max.value_or(pipeline_.dead_letter.topic.config.message_bytes_max);
  return {};
}

std::uint64_t ScoreRun::remaining() const {
  if (!options_.messages_max) return UINT64_MAX;
  return *options_.messages_max - std::min(*options_.messages_max, working_.consumed);
}

Status ScoreRun::loop() {
  while (true) {
    if (stop_.requested()) MILLRACE_TRY(await_commit());
    if (!in_flight_) {
      if (postponed_) MILLRACE_TRY(on_revoked(*std::exchange(postponed_, std::nullopt)));
      if (const std::string reason = end_reason(); !reason.empty()) {
        MILLRACE_TRY(commit());
        working_.stop_reason = reason;
        // An aborted commit took the end of the window back: its records come again.
        if (end_reason() == reason) return {};
      }
      if (commit_due()) MILLRACE_TRY(ask_commit());
      tell_lag();
    } else if (const auto late = commit_is_late()) {
      return *late;
    }
    const Nanoseconds before = env::thread_cpu_time();
    Result<log::Event> event = consumer_.poll(next_deadline());
    if (!event && passes_by_itself(event.error())) {
      if (in_flight_) {
        clock_.sleep_until(clock_.steady() + kPollRetry);  // its outcome says what is to be done
      } else {
        MILLRACE_TRY(wait_for_room(event.error()));
      }
      continue;
    }
    if (!event) return event.error();
    const bool idle = !in_flight_ && uncommitted_ == 0;  // nothing waits to be written
    if (idle && std::holds_alternative<log::Nothing>(*event)) go_on();
    working_.stage_cpu_ns["poll"] += (env::thread_cpu_time() - before).count();
    MILLRACE_TRY(handle(std::move(*event)));
  }
}

// A stream waits for room; a window has an end that somebody waits for.
bool ScoreRun::passes_by_itself(const Error& error) const {
  return options_.mode == ScoreOptions::Mode::kStreaming && error.code() == ErrorCode::kDiskFull;
}

// Gives up what is uncommitted and waits a while: it is read, scored and committed again then. The
// group is served meanwhile.
Status ScoreRun::wait_for_room(const Error& full) {
  MILLRACE_TRY(consumer_.transaction().abort());
  forget_uncommitted();
  tell([&full](RunMonitor& m) { m.on_waiting(full); });
  waiting_ = true;
  if (room_lines_.allow(clock_.steady(), nullptr)) {
    logger_.warning("scoring waits until there is room again: " + full.message());
  }
  room_wait_ = std::clamp(room_wait_ * 2, kRoomWaitMin, kRoomWaitMax);
  const SteadyTime until = clock_.steady() + room_wait_;
  while (!stop_.requested() && clock_.steady() < until) {
    MILLRACE_TRY(pause_all());
    tell_lag();
    Result<log::Event> event = consumer_.poll(std::min(until, clock_.steady() + kLagInterval));
    if (event) {
      MILLRACE_TRY(handle(std::move(*event)));
    } else if (passes_by_itself(event.error())) {
      clock_.sleep_until(std::min(until, clock_.steady() + kPollRetry));
    } else {
      return event.error();
    }
  }
  if (stop_.requested()) {
    return Error(
        ErrorCode::kTryAgain,
        "stopped while the disk was full; nothing is lost, start again when there is room");
  }
  for (const log::TopicPartition& source : consumer_.assigned()) {
    MILLRACE_TRY(consumer_.resume(source));
  }
  return {};
}

Status ScoreRun::pause_all() {
  for (const log::TopicPartition& source : consumer_.assigned()) {
    MILLRACE_TRY(consumer_.pause(source));
  }
  return {};
}

void ScoreRun::go_on() {
  if (!waiting_) return;
  waiting_ = false;
  room_wait_ = Milliseconds(0);
  tell([](RunMonitor& m) { m.on_going_on(); });
  logger_.warning("there is room on the disk again, scoring goes on");
}

// Positions and ends agree only between a commit and the next batch.
void ScoreRun::tell_lag() {
  const SteadyTime now = clock_.steady();
  if (monitors_.empty() || uncommitted_ > 0 || held_.empty()) return;
  if (lag_told_ && now < *lag_told_ + kLagInterval) return;
  lag_told_ = now;
  const auto ends = consumer_.end_offsets();
  if (!ends) return;  // poll() will say what is wrong
  std::map<log::TopicPartition, std::int64_t> lag;
  for (const auto& [source, position] : held_) {
    const auto end = ends->find(source);
    if (end == ends->end()) continue;
    lag[source] = std::max(std::int64_t{0}, end->second.value() - position.value());
  }
  tell([&lag](RunMonitor& m) { m.on_lag(lag); });
}

// Why the run ends here, "" while it goes on.
std::string ScoreRun::end_reason() const {
  if (stop_.requested()) return "signal";
  if (remaining() == 0) return "max_messages";
  if (options_.mode != ScoreOptions::Mode::kWindow) return "";
  if (window_done()) return "caught_up";
  return clock_.steady() >= last_message_ + options_.idle_timeout ? "timeout" : "";
}

SteadyTime ScoreRun::next_deadline() const {
  SteadyTime deadline = clock_.steady() + kPollMax;
  if (in_flight_) return deadline;
  if (uncommitted_ > 0) deadline = std::min(deadline, first_uncommitted_ + commit_interval());
  if (options_.mode == ScoreOptions::Mode::kWindow) {
    deadline = std::min(deadline, last_message_ + options_.idle_timeout);
  }
  return deadline;
}

bool ScoreRun::commit_due() const {
  if (uncommitted_ == 0) return false;
  return uncommitted_ >= pipeline_.commit_records_max ||
         clock_.steady() >= first_uncommitted_ + commit_interval();
}

// The first commit of a run does not wait: whoever starts one sees at once that it works.
Nanoseconds ScoreRun::commit_interval() const {
  return working_.commits == 0 ? Nanoseconds(0) : Nanoseconds(pipeline_.commit_interval);
}

// Every assigned partition has been read up to the end it had when it was assigned.
bool ScoreRun::window_done() const {
  if (!ever_assigned_) return false;
  for (const auto& [source, end] : window_ends_) {
    if (reached_.at(source) < end && !consumer_.caught_up(source)) return false;
  }
  return !window_ends_.empty();
}

Status ScoreRun::handle(log::Event event) {
  if (auto* batch = std::get_if<log::Batch>(&event)) return on_batch(std::move(*batch));
  if (const auto* assigned = std::get_if<log::Assigned>(&event)) return on_assigned(*assigned);
  if (const auto* revoked = std::get_if<log::Revoked>(&event)) return on_revoked(*revoked);
  if (const auto* lost = std::get_if<log::Lost>(&event)) return on_lost(*lost);
  if (const auto* gap = std::get_if<log::Gap>(&event)) return on_gap(*gap);
  if (const auto* outcome = std::get_if<log::CommitOutcome>(&event)) return settle(*outcome);
  return {};
}

Status ScoreRun::on_assigned(const log::Assigned& assigned) {
  ever_assigned_ = true;
  for (const auto& partition : assigned.partitions) {
    if (state_ != nullptr) MILLRACE_TRY(state_->take_up(partition.source, partition.position));
    reached_[partition.source] = partition.position;
    held_[partition.source] = partition.position;
    window_ends_[partition.source] = partition.end;
  }
  if (state_ != nullptr) {
    state_->taken_up();
    tell([this](RunMonitor& m) { m.on_state(*state_); });
  }
  logger_.debug("assigned " + std::to_string(assigned.partitions.size()) + " partitions");
  return {};
}

// What retention took cannot be scored any more; it must not go by in silence.
Status ScoreRun::on_gap(const log::Gap& gap) {
  const std::int64_t records = gap.to.value() - gap.from.value();
  working_.skipped_by_retention += static_cast<std::uint64_t>(records);
  logger_.warning("up to " + std::to_string(records) + " records of " + gap.source.topic.value() +
                  "/" + std::to_string(gap.source.partition.value()) + " from offset " +
                  std::to_string(gap.from.value()) +
                  " on were deleted before they were read (retention); going on at offset " +
                  std::to_string(gap.to.value()));
  return {};
}

Status ScoreRun::on_revoked(const log::Revoked& revoked) {
  if (in_flight_) {
    postponed_ = revoked;  // given away once this commit has its outcome
    return {};
  }
  MILLRACE_TRY(commit());
  ++working_.rebalances;
  tell([](RunMonitor& m) { m.on_rebalance(); });
  for (const log::TopicPartition& source : revoked.partitions) {
    Status released = consumer_.release(source);
    // On a full disk it cannot be given away; the group takes it after the deadline.
    if (!released && !passes_by_itself(released.error())) return released;
    if (state_ != nullptr) state_->release(source);
    window_ends_.erase(source);
    reached_.erase(source);
    held_.erase(source);
  }
  if (state_ != nullptr) tell([this](RunMonitor& m) { m.on_state(*state_); });
  logger_.debug("gave " + std::to_string(revoked.partitions.size()) + " partitions away");
  return {};
}

Status ScoreRun::on_lost(const log::Lost& lost) {
  drop_ahead();
  postponed_.reset();
  // A commit in flight still gets its outcome, which says what is to be forgotten.
  if (!in_flight_) {
    MILLRACE_TRY(consumer_.transaction().abort());
    forget_uncommitted();
  }
  ++working_.rebalances;
  tell([](RunMonitor& m) { m.on_rebalance(); });
  for (const log::TopicPartition& source : lost.partitions) {
    if (state_ != nullptr) state_->release(source);
    window_ends_.erase(source);
    reached_.erase(source);
    held_.erase(source);
  }
  if (state_ != nullptr) tell([this](RunMonitor& m) { m.on_state(*state_); });
  logger_.warning("lost " + std::to_string(lost.partitions.size()) +
                  " partitions to another member; what was uncommitted is done again there");
  return {};
}

Status ScoreRun::on_batch(log::Batch batch) {
  env::crash_point("score.after_poll");
  last_message_ = clock_.steady();
  Work& work = in_flight_ ? ahead_ : now_;
  work.batch = std::move(batch);
  work.records = work.batch.records;
  work.next = work.batch.next;
  if (work.records.size() > remaining()) {
    work.records = work.records.first(remaining());
    work.next = work.records.empty() ? work.batch.records.front().offset
                                     : work.records.back().offset.next();
  }
  KeyedState* const keys = state_ == nullptr ? nullptr : state_->find(work.batch.source);
  scorer_.score(work.records, work.batch.arrived, work.scored, keys);
  env::crash_point("score.after_score");
  if (!in_flight_) return publish_work();
  CHECK(!has_ahead_);  // a consumer hands out one batch at most beside a commit
  has_ahead_ = true;
  return {};
}

// Appends what was scored.
Status ScoreRun::publish_work() {
  tell([this](RunMonitor& m) { m.on_scored(now_.batch.source, now_.records, now_.scored); });
  working_.stage_cpu_ns["decode"] += now_.scored.decode_cpu.count();
  working_.stage_cpu_ns["predict"] += now_.scored.predict_cpu.count();
  working_.stage_cpu_ns["encode"] += now_.scored.encode_cpu.count();
  working_.forecasts.compared += now_.scored.live.forecasts;
  working_.forecasts.absolute_error += now_.scored.live.absolute_error;
  working_.forecasts.error += now_.scored.live.error;
  working_.forecasts.covered += now_.scored.live.covered;
  if (uncommitted_ == 0) first_uncommitted_ = clock_.steady();
  const Nanoseconds before = env::thread_cpu_time();
  for (std::size_t i = 0; i < now_.records.size(); ++i) {
    // The batch is larger than the caches: its keys were written long ago.
    if (i + kKeysAhead < now_.records.size() && now_.records[i + kKeysAhead].key)
      __builtin_prefetch(now_.records[i + kKeysAhead].key->data());
    MILLRACE_TRY(publish(i));
    MILLRACE_TRY(check_flood(now_.scored.records[i].outcome));
  }
  working_.stage_cpu_ns["append"] += (env::thread_cpu_time() - before).count();
  if (drift_ != nullptr) {
    MILLRACE_TRY(drift_->append_alerts(consumer_.transaction(), alerts_, clock_.now()));
  }
  env::crash_point("score.after_append");
  working_.consumed += now_.records.size();
  uncommitted_ += now_.records.size();
  positions_[now_.batch.source] = now_.next;
  reached_[now_.batch.source] = now_.next;
  report_progress();
  return {};
}

Status ScoreRun::publish(std::size_t index) {
  ScoredRecord& scored = now_.scored.records[index];
  if (scored.outcome == Outcome::kSkipped) return {};
  if (scored.outcome == Outcome::kDeadLetter) {
    return publish_dead_letter(now_.batch, index, now_.scored.errors[scored.errors], "decode");
  }
  const log::Record& record = now_.batch.records[index];
  const log::NewRecord out{record.key, scored.message, {}, record.timestamp, std::nullopt};
  Status appended = consumer_.transaction().append(predictions_, out);
  if (appended) {
    count_prediction(index);
    if (drift_ != nullptr) observe(record, scored);
    return {};
  }
  if (appended.error().code() != ErrorCode::kRecordTooLarge) return appended;
  scored.outcome = Outcome::kDeadLetter;
  return publish_dead_letter(now_.batch, index,
                             {{data::RecordCode::kOutputTooLarge, "", appended.error().message()}},
                             "publish");
}

Status ScoreRun::publish_dead_letter(const log::Batch& batch, std::size_t index,
                                     const data::RecordErrors& errors, std::string_view stage) {
  const log::NewRecord letter =
      dead_letter_writer_.compose(batch.source, batch.records[index], errors, stage, clock_.now());
  Status appended = consumer_.transaction().append(dead_letters_, letter);
  if (!appended && appended.error().code() == ErrorCode::kRecordTooLarge) {
    appended = consumer_.transaction().append(dead_letters_,
                                              dead_letter_writer_.cut(dead_letter_bytes_max_));
  }
  if (!appended) return appended;
  ++working_.dead_lettered;
  const data::RecordCode code = errors.empty() ? data::RecordCode::kUnknown : errors.front().code;
  ++working_.dead_letters_by_code[std::string(data::to_string(code))];
  for (const data::RecordError& error : errors) {
    // Only names of the schema: names from outside would grow the map without bound.
    if (pipeline_.schema.find(error.field)) ++working_.dead_letters_by_field[error.field];
  }
  return {};
}

void ScoreRun::observe(const log::Record& record, const ScoredRecord& scored) {
  const std::size_t columns = drift_->columns().size();
  const std::span<const double> watched(now_.scored.watched.data() + scored.watched * columns,
                                        columns);
  const double score =
      scored.has_value ? scored.probability : std::numeric_limits<double>::quiet_NaN();
  drift_->observe(now_.batch.source.partition, record.offset, scored.event_time, watched, score);
}

void ScoreRun::count_prediction(std::size_t index) {
  const ScoredRecord& scored = now_.scored.records[index];
  if (pipeline_.forecast) {
    count_forecast(scored);
    return;
  }
  ++working_.predicted;
  working_.probability_sum += scored.probability;
  const std::size_t bins = working_.probability_histogram.size();
  const auto bin = static_cast<std::size_t>(scored.probability * static_cast<double>(bins));
  ++working_.probability_histogram.at(std::min(bin, bins - 1));
  working_.latency_ms.add(scored.latency_ms);
  ++(scored.positive ? tally_.positive : tally_.negative);
  for (std::size_t s = 0; s < tally_.segments.size(); ++s) {
    const std::int16_t code = now_.scored.segment_codes[index * tally_.segments.size() + s];
    auto& counts = tally_.segments[s].counts;
    data::SegmentCount& count = code < 0 ? counts.back() : counts[static_cast<std::size_t>(code)];
    ++count.total;
    count.positive += scored.positive ? 1 : 0;
    count.probability_sum += scored.probability;
  }
  count_risk(now_.batch.records[index], scored);
}

void ScoreRun::count_forecast(const ScoredRecord& scored) {
  ++working_.predicted;
  working_.latency_ms.add(scored.latency_ms);
  if (!scored.has_value) ++working_.forecasts.warming_up;
  std::optional<Timestamp>& newest = working_.forecasts.newest;
  if (!newest || *newest < scored.event_time) newest = scored.event_time;
}

void ScoreRun::fold_tally() {
  if (pipeline_.forecast) return;
  const data::Schema& schema = pipeline_.schema;
  const auto& levels = schema.field(*schema.label()).values;
  working_.by_label[levels[positive_code_]] += std::exchange(tally_.positive, 0);
  working_.by_label[levels[1 - positive_code_]] += std::exchange(tally_.negative, 0);
  for (Tally::Segment& segment : tally_.segments) {
    const data::Field& field = schema.field(segment.field);
    for (std::size_t code = 0; code < segment.counts.size(); ++code) {
      const data::SegmentCount count = std::exchange(segment.counts[code], {});
      if (count.total == 0) continue;
      const std::string level = code < field.values.size() ? field.values[code] : "(missing)";
      data::SegmentCount& sum = working_.segments[field.name][level];
      sum.total += count.total;
      sum.positive += count.positive;
      sum.probability_sum += count.probability_sum;
    }
  }
}

void ScoreRun::count_risk(const log::Record& record, const ScoredRecord& scored) {
  auto& top = working_.top_risk;
  const std::size_t size = pipeline_.report.top_risk;
  if (size == 0 || (top.size() == size && scored.probability <= top.back().probability)) return;
  data::RiskRow row;
  const auto key_field = pipeline_.schema.find(pipeline_.output.key_field);
  const bool hidden = key_field && pipeline_.schema.field(*key_field).pii;
  row.key = hidden ? "(redacted)" : std::string(record.key.value_or(scored.key_text));
  row.probability = scored.probability;
  row.values = scorer_.field_texts(record, working_.risk_fields);
  const auto at = std::upper_bound(
      top.begin(), top.end(), row,
      [](const data::RiskRow& a, const data::RiskRow& b) { return a.probability > b.probability; });
  top.insert(at, std::move(row));
  if (top.size() > size) top.pop_back();
}

Status ScoreRun::check_flood(Outcome outcome) {
  const auto& breaker = pipeline_.dead_letter.stop_above;
  if (!breaker) return {};
  const bool dead = outcome == Outcome::kDeadLetter;
  recent_dead_.push_back(dead);
  recent_dead_count_ += dead ? 1 : 0;
  if (recent_dead_.size() > breaker->window_records) {
    recent_dead_count_ -= recent_dead_.front() ? 1 : 0;
    recent_dead_.pop_front();
  }
  if (recent_dead_.size() < breaker->window_records) return {};
  const double ratio =
      static_cast<double>(recent_dead_count_) / static_cast<double>(recent_dead_.size());
  if (ratio <= breaker->ratio) return {};
  MILLRACE_TRY(consumer_.transaction().abort());
  return Error(
      ErrorCode::kFlood,
      std::to_string(recent_dead_count_) + " of the last " + std::to_string(recent_dead_.size()) +
          " records were bad, more than dead_letter.stop_above allows (" +
          std::to_string(breaker->ratio) +
          "); stopped before they were set aside. Look at the input (millrace topics dump " +
          pipeline_.input.topic.name.value() + " --last 5), then start again");
}

void ScoreRun::report_progress() {
  if (options_.progress_every == 0) return;
  if (working_.consumed / options_.progress_every == progress_reported_ / options_.progress_every)
    return;
  progress_reported_ = working_.consumed;
  logger_.info("consumed " + std::to_string(working_.consumed) + ", predicted " +
               std::to_string(working_.predicted) + ", dead letters " +
               std::to_string(working_.dead_lettered));
}

}  // namespace millrace::engine
