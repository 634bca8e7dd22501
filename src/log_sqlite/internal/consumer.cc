#include "log_sqlite/internal/consumer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "log_sqlite/internal/time_search.h"

namespace millrace::log_sqlite::internal {
namespace {

std::string name_of(const log::TopicPartition& source) {
  return source.topic.value() + "/" + std::to_string(source.partition.value());
}

}  // namespace

SqliteConsumer::SqliteConsumer(LogFile& log, std::unique_ptr<Database> database,
                               const log::ConsumerOptions& options)
    : log_(&log),
      database_(std::move(database)),
      options_(options),
      waiter_(log),
      writer_(*database_),
      transaction_(*this) {}

Result<std::unique_ptr<log::Consumer>> SqliteConsumer::open(LogFile& log,
                                                            const log::ConsumerOptions& options) {
  CHECK(options.batch_records_max > 0 && options.session_timeout > Milliseconds(0));
  MILLRACE_ASSIGN(auto database, log.connect());
  std::unique_ptr<SqliteConsumer> consumer(new SqliteConsumer(log, std::move(database), options));
  MILLRACE_ASSIGN(consumer->member_, Membership::join(log, *consumer->database_, options));
  MILLRACE_ASSIGN(auto second, log.connect());
  consumer->committer_ = std::make_unique<Committer>(
      log, std::move(second), consumer->writer_, *consumer->member_,
      options.exactly_once ? Committer::Mode::kTogether : Committer::Mode::kApart,
      consumer->waiter_);
  return std::unique_ptr<log::Consumer>(std::move(consumer));
}

SqliteConsumer::~SqliteConsumer() { (void)close(); }

Status SqliteConsumer::close() {
  if (closed_ || !member_) return {};
  closed_ = true;
  committer_.reset();
  writer_.clear();
  partitions_.clear();
  return fenced_ ? Status() : member_->leave();
}

Result<log::Event> SqliteConsumer::poll(SteadyTime until) {
  CHECK(!closed_);
  while (true) {
    if (waiter_.take_interrupt()) return log::Event(log::Nothing{});
    if (auto outcome = take_outcome()) return log::Event(std::move(*outcome));
    if (fenced_) return *fenced_;
    MILLRACE_ASSIGN(const bool rebalanced, member_->look_after_others());
    stale_ = stale_ || rebalanced;
    MILLRACE_ASSIGN(const std::int64_t version, database_->data_version());
    if (stale_ || version != seen_version_) {
      MILLRACE_TRY(refresh());
      seen_version_ = version;
      stale_ = false;
    }
    if (!events_.empty()) {
      log::Event event = std::move(events_.front());
      events_.pop_front();
      return event;
    }
    MILLRACE_ASSIGN(auto batch, next_batch());
    if (batch) return log::Event(std::move(*batch));
    if (!events_.empty()) continue;
    if (log_->clock().steady() >= until) return log::Event(log::Nothing{});
    if (waiter_.wait(until) == Waiter::Woken::kAsked) {
      waiter_.take_interrupt();
      return log::Event(log::Nothing{});
    }
  }
}

Status SqliteConsumer::refresh() {
  {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
    auto owned = member_->owned();
    if (!owned && owned.error().code() == ErrorCode::kFenced) fenced_ = owned.error();
    if (!owned) return owned.error();
    MILLRACE_TRY(refresh_ends());
    MILLRACE_TRY(refresh_owned(*owned));
  }
  for (const std::int64_t partition : std::exchange(unbegun_, {})) {
    MILLRACE_TRY(member_->release(partition));
  }
  return store_starts();
}

Status SqliteConsumer::refresh_owned(const std::vector<Membership::Owned>& owned) {
  log::Assigned assigned;
  log::Revoked revoked;
  log::Lost lost;
  std::set<log::TopicPartition> ours;
  for (const Membership::Owned& one : owned) {
    ours.insert(one.source);
    if (!partitions_.contains(one.source)) {
      // Wanted by another before we have begun: given at once, since nobody is told to release it.
      if (one.wanted_by_other) {
        unbegun_.push_back(one.partition);
      } else {
        MILLRACE_TRY(take_up(one, assigned));
      }
      continue;
    }
    Partition& partition = partitions_.at(one.source);
    if (!one.wanted_by_other || partition.revoked) continue;
    partition.revoked = true;
    revoked.partitions.push_back(one.source);
    revoked.deadline = log_->clock().steady() + member_->session_timeout();
  }
  for (auto it = partitions_.begin(); it != partitions_.end();) {
    if (ours.contains(it->first)) {
      ++it;
      continue;
    }
    lost.partitions.push_back(it->first);
    it = partitions_.erase(it);
  }
  if (!lost.partitions.empty()) events_.emplace_back(std::move(lost));
  if (!revoked.partitions.empty()) events_.emplace_back(std::move(revoked));
  if (!assigned.partitions.empty()) events_.emplace_back(std::move(assigned));
  return {};
}

Status SqliteConsumer::take_up(const Membership::Owned& owned, log::Assigned& assigned) {
  MILLRACE_ASSIGN(const auto row, partition_by_id(*database_, owned.partition));
  if (!row) return {};  // deleted before it was taken up
  MILLRACE_ASSIGN(const auto committed, find_position(*database_, member_->group(), row->id));
  if (committed && *committed > row->end) {
    return damaged(database_->file(), owned.source,
                   "committed position " + std::to_string(committed->value()) +
                       " is beyond the end at offset " + std::to_string(row->end.value()));
  }
  Offset position = row->begin;
  if (committed) {
    position = *committed;
  } else {
    MILLRACE_ASSIGN(position, start_of(*row, owned.source));
    if (options_.start != log::StartAt::kEarliest) new_starts_.push_back(owned.source);
  }
  partitions_.emplace(owned.source, Partition{row->id, position, position, row->begin, row->end,
                                              /*paused=*/false, /*revoked=*/false,
                                              PartitionReader(owned.source, row->id)});
  assigned.partitions.push_back({owned.source, position, row->end});
  return {};
}

Result<Offset> SqliteConsumer::start_of(const PartitionRow& row,
                                        const log::TopicPartition& source) {
  switch (options_.start) {
    case log::StartAt::kEarliest:
      return row.begin;
    case log::StartAt::kLatest:
      return row.end;
    case log::StartAt::kTime:
      return first_at_or_after(*database_, row, source, options_.start_time);
  }
  return row.begin;
}

Status SqliteConsumer::refresh_ends() {
  for (auto& [source, partition] : partitions_) {
    MILLRACE_ASSIGN(const auto row, partition_by_id(*database_, partition.row));
    if (!row) {
      return Error(ErrorCode::kUnknownTopic,
                   "topic '" + source.topic.value() + "' was deleted while it was being read");
    }
    partition.begin = row->begin;
    partition.end = row->end;
  }
  return {};
}

Status SqliteConsumer::store_starts() {
  if (new_starts_.empty()) return {};
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  for (const log::TopicPartition& source : new_starts_) {
    const auto found = partitions_.find(source);
    if (found == partitions_.end()) continue;
    MILLRACE_ASSIGN(const bool still, member_->owns(*database_, found->second.row));
    if (!still) continue;
    MILLRACE_TRY(
        put_position(*database_, member_->group(), found->second.row, found->second.position));
  }
  MILLRACE_TRY(scope.commit());
  new_starts_.clear();
  return {};
}

Result<std::optional<log::Batch>> SqliteConsumer::next_batch() {
  if (partitions_.empty() || handed_ahead_) return std::optional<log::Batch>();
  // Partitions take turns: the one behind the last served comes first.
  auto at = partitions_.upper_bound(last_served_);
  for (std::size_t tried = 0; tried < partitions_.size(); ++tried, ++at) {
    if (at == partitions_.end()) at = partitions_.begin();
    auto& [source, partition] = *at;
    if (partition.paused || partition.revoked) continue;
    if (partition.position < partition.begin) {
      events_.emplace_back(log::Gap{source, partition.position, partition.begin});
      partition.position = partition.begin;
      return std::optional<log::Batch>();
    }
    const Offset from = partition.position;
    if (from >= partition.end) continue;
    log::Batch batch;
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
    Status read = partition.reader.read(
        *database_, from, {options_.batch_records_max, options_.batch_bytes_max}, batch);
    if (!read) {
      // Trimmed or deleted since the last refresh is news, not damage.
      MILLRACE_ASSIGN(const auto row, partition_by_id(*database_, partition.row));
      if (row && row->begin <= from) return read.error();
      stale_ = true;
      return std::optional<log::Batch>();
    }
    batch.arrived = log_->clock().steady();
    partition.position = batch.next;
    // Others may have written since the last refresh.
    partition.end = std::max(partition.end, batch.next);
    last_served_ = source;
    handed_ahead_ = in_flight_.has_value();
    return std::optional<log::Batch>(std::move(batch));
  }
  return std::optional<log::Batch>();
}

bool SqliteConsumer::caught_up(const log::TopicPartition& source) const {
  const auto found = partitions_.find(source);
  if (found == partitions_.end()) return false;
  const Partition& partition = found->second;
  return std::max(partition.position, partition.begin) >= partition.end;
}

std::vector<log::TopicPartition> SqliteConsumer::assigned() const {
  std::vector<log::TopicPartition> sources;
  for (const auto& [source, partition] : partitions_) sources.push_back(source);
  return sources;
}

Result<SqliteConsumer::Partition*> SqliteConsumer::find(const log::TopicPartition& source) {
  const auto found = partitions_.find(source);
  if (found != partitions_.end()) return &found->second;
  return Error(ErrorCode::kAborted, "partition " + name_of(source) + " is not assigned here");
}

Status SqliteConsumer::pause(const log::TopicPartition& source) {
  MILLRACE_ASSIGN(Partition * partition, find(source));
  partition->paused = true;
  return {};
}

Status SqliteConsumer::resume(const log::TopicPartition& source) {
  MILLRACE_ASSIGN(Partition * partition, find(source));
  partition->paused = false;
  return {};
}

Status SqliteConsumer::seek(const log::TopicPartition& source, Offset position) {
  MILLRACE_ASSIGN(Partition * partition, find(source));
  {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
    MILLRACE_TRY(refresh_ends());
  }
  if (position.value() < 0 || position > partition->end) {
    return Error(ErrorCode::kUsage, "offset " + std::to_string(position.value()) +
                                        " is outside of partition " + name_of(source));
  }
  partition->position = position;
  return {};
}

Result<std::map<log::TopicPartition, Offset>> SqliteConsumer::end_offsets() {
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  MILLRACE_TRY(refresh_ends());
  std::map<log::TopicPartition, Offset> ends;
  for (const auto& [source, partition] : partitions_) ends[source] = partition.end;
  return ends;
}

Result<std::map<log::TopicPartition, Offset>> SqliteConsumer::offsets_for_time(Timestamp time) {
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  MILLRACE_TRY(refresh_ends());
  std::map<log::TopicPartition, Offset> offsets;
  for (const auto& [source, partition] : partitions_) {
    MILLRACE_ASSIGN(const auto row, partition_by_id(*database_, partition.row));
    MILLRACE_ASSIGN(offsets[source], first_at_or_after(*database_, *row, source, time));
  }
  return offsets;
}

Status SqliteConsumer::release(const log::TopicPartition& source) {
  const auto found = partitions_.find(source);
  if (found == partitions_.end()) return {};  // lost meanwhile
  MILLRACE_TRY(member_->release(found->second.row));
  partitions_.erase(found);
  stale_ = true;
  return {};
}

Result<log::TopicHandle> SqliteConsumer::GroupTransaction::open_topic(const TopicName& topic) {
  return consumer_->writer_.open_topic(topic);
}

Status SqliteConsumer::GroupTransaction::append(log::TopicHandle topic,
                                                const log::NewRecord& record) {
  CHECK(!consumer_->in_flight_);
  return consumer_->writer_.append(topic, record);
}

Status SqliteConsumer::GroupTransaction::commit(const std::vector<log::Position>& positions) {
  consumer_->commit(positions);
  return {};
}

Status SqliteConsumer::GroupTransaction::abort() {
  CHECK(!consumer_->in_flight_);
  consumer_->writer_.clear();
  consumer_->rewind();
  return {};
}

void SqliteConsumer::commit(std::vector<log::Position> positions) {
  CHECK(!in_flight_ && !closed_);
  std::vector<Committer::Advance> advances;
  for (const log::Position& position : positions) {
    const auto found = partitions_.find(position.source);
    if (found == partitions_.end()) {
      refused_ = gone_to_another(position.source);
      continue;
    }
    CHECK(position.next <= found->second.end);
    advances.push_back({found->second.row, position.source, position.next});
  }
  if (fenced_) refused_ = log::CommitOutcome{log::CommitResult::kFenced, fenced_->message()};
  in_flight_ = std::move(positions);
  if (refused_) {
    writer_.clear();
  } else {
    committer_->ask(std::move(advances));
  }
}

std::optional<log::CommitOutcome> SqliteConsumer::take_outcome() {
  if (!in_flight_) return std::nullopt;
  auto outcome = refused_ ? std::exchange(refused_, std::nullopt) : committer_->take_outcome();
  if (!outcome) return std::nullopt;
  const std::vector<log::Position> positions = *std::exchange(in_flight_, std::nullopt);
  handed_ahead_ = false;
  if (outcome->result == log::CommitResult::kCommitted) {
    for (const log::Position& position : positions) {
      // Lost meanwhile is no matter: it was ours when it was committed.
      const auto found = partitions_.find(position.source);
      if (found != partitions_.end()) found->second.rewind_to = position.next;
    }
  } else {
    rewind();
  }
  if (outcome->result == log::CommitResult::kFenced && !fenced_) {
    fenced_ = Error(ErrorCode::kFenced, outcome->reason);
  }
  return outcome;
}

void SqliteConsumer::rewind() {
  for (auto& [source, partition] : partitions_) partition.position = partition.rewind_to;
}

}  // namespace millrace::log_sqlite::internal
