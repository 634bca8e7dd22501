#include <algorithm>
#include <deque>
#include <set>

#include "base/check.h"
#include "log/testing/memory_state.h"

namespace millrace::log::testing {
namespace {

class MemoryConsumer final : public Consumer {
 public:
  MemoryConsumer(std::shared_ptr<MemoryState> state, const ConsumerOptions& options)
      : state_(std::move(state)),
        options_(options),
        waiter_(state_),
        appender_(state_),
        transaction_(*this) {}
  ~MemoryConsumer() override { (void)close(); }

  // Takes a slot; the mutex is held.
  void join();

  Result<Event> poll(SteadyTime until) override;
  void interrupt() override { waiter_.interrupt(); }
  void wake_on(int descriptor) override { waiter_.wake_on(descriptor); }
  bool caught_up(const TopicPartition& source) const override;
  std::vector<TopicPartition> assigned() const override;
  Status pause(const TopicPartition& source) override { return set_paused(source, true); }
  Status resume(const TopicPartition& source) override { return set_paused(source, false); }
  Status seek(const TopicPartition& source, Offset position) override;
  Result<std::map<TopicPartition, Offset>> end_offsets() override;
  Result<std::map<TopicPartition, Offset>> offsets_for_time(Timestamp time) override;
  Status release(const TopicPartition& source) override;
  Transaction& transaction() override { return transaction_; }
  std::string member_id() const override { return id_; }
  Status close() override;

 private:
  class MemoryTransaction final : public Transaction {
   public:
    explicit MemoryTransaction(MemoryConsumer& consumer) : consumer_(&consumer) {}
    Result<TopicHandle> open_topic(const TopicName& topic) override {
      return consumer_->appender_.open_topic(topic);
    }
    Status append(TopicHandle topic, const NewRecord& record) override {
      CHECK(!consumer_->outcome_);
      return consumer_->appender_.append(topic, record);
    }
    Status commit(const std::vector<Position>& positions) override {
      return consumer_->commit(positions);
    }
    Status abort() override {
      CHECK(!consumer_->outcome_);
      consumer_->appender_.clear();
      consumer_->rewind();
      return {};
    }

   private:
    MemoryConsumer* consumer_;
  };

  struct Part {
    std::shared_ptr<MemoryTopic> topic;
    Offset position;
    Offset rewind_to;
    Offset seen_end;
    bool paused = false;
    bool revoked = false;
  };

  MemoryPartition& stored(const TopicPartition& source, const Part& part) const {
    return part.topic->partitions[static_cast<std::size_t>(source.partition.value())];
  }
  // These expect the mutex to be held.
  MemoryGroup& group() const { return state_->groups[options_.group]; }
  Status refresh();
  void take_overdue();
  void take_up(const TopicPartition& source, Assigned& assigned);
  std::optional<Batch> next_batch();
  Result<CommitOutcome> try_commit(const std::vector<Position>& positions);

  Status set_paused(const TopicPartition& source, bool paused);
  Status commit(const std::vector<Position>& positions);
  Error fenced() const;
  void rewind();

  std::shared_ptr<MemoryState> state_;
  const ConsumerOptions options_;
  MemoryWaiter waiter_;
  MemoryAppender appender_;
  MemoryTransaction transaction_;
  std::string id_;
  std::int64_t epoch_ = 0;
  std::map<TopicPartition, Part> parts_;
  std::deque<Event> events_;
  std::optional<CommitOutcome> outcome_;
  TopicPartition last_served_;
  bool closed_ = false;
};

void MemoryConsumer::join() {
  MemoryGroup& own = group();
  std::set<std::int64_t> slots;
  for (const auto& [epoch, member] : own.members) slots.insert(member.slot);
  std::int64_t slot = 0;
  while (slots.contains(slot)) ++slot;
  epoch_ = ++own.last_epoch;
  id_ = options_.group.value() + ".localhost.memory." + std::to_string(slot);
  own.members[epoch_] = {id_, slot, options_.topics, options_.session_timeout};
  state_->rebalance(own);
  state_->wake_all();
}

Error MemoryConsumer::fenced() const {
  return {ErrorCode::kFenced, "member '" + id_ + "' was put out of its consumer group"};
}

Result<Event> MemoryConsumer::poll(SteadyTime until) {
  CHECK(!closed_);
  while (true) {
    if (waiter_.take_interrupt()) return Event(Nothing{});
    if (outcome_) {
      CommitOutcome outcome = std::move(*outcome_);
      outcome_.reset();
      return Event(std::move(outcome));
    }
    {
      const std::lock_guard lock(state_->mutex);
      MILLRACE_TRY(refresh());
      if (!events_.empty()) {
        Event event = std::move(events_.front());
        events_.pop_front();
        return event;
      }
      if (auto batch = next_batch()) return Event(std::move(*batch));
      if (!events_.empty()) continue;
    }
    if (state_->clock->steady() >= until) return Event(Nothing{});
    if (waiter_.wait(until)) return Event(Nothing{});
  }
}

void MemoryConsumer::take_overdue() {
  const SteadyTime now = state_->clock->steady();
  for (auto& [source, row] : group().ownership) {
    if (row.owner != row.wanted && row.owner != epoch_ &&
        now - row.since > options_.session_timeout) {
      row.owner = row.wanted;
      state_->wake_all();
    }
  }
}

Status MemoryConsumer::refresh() {
  if (!group().members.contains(epoch_)) return fenced();
  take_overdue();
  Assigned assigned;
  Revoked revoked;
  Lost lost;
  for (auto& [source, part] : parts_) {
    if (part.topic->deleted) {
      return Error(ErrorCode::kUnknownTopic,
                   "topic '" + source.topic.value() + "' was deleted while it was being read");
    }
    part.seen_end = stored(source, part).end();
  }
  for (auto& [source, row] : group().ownership) {
    if (row.owner != epoch_) continue;
    const bool leaving = row.wanted != epoch_;
    const auto known = parts_.find(source);
    if (known == parts_.end() && leaving) {
      row.owner = row.wanted;  // never begun: given at once
      state_->wake_all();
    } else if (known == parts_.end()) {
      take_up(source, assigned);
    } else if (leaving && !known->second.revoked) {
      known->second.revoked = true;
      revoked.partitions.push_back(source);
      revoked.deadline = state_->clock->steady() + options_.session_timeout;
    }
  }
  for (auto it = parts_.begin(); it != parts_.end();) {
    const auto row = group().ownership.find(it->first);
    if (row != group().ownership.end() && row->second.owner == epoch_) {
      ++it;
      continue;
    }
    lost.partitions.push_back(it->first);
    it = parts_.erase(it);
  }
  if (!lost.partitions.empty()) events_.emplace_back(std::move(lost));
  if (!revoked.partitions.empty()) events_.emplace_back(std::move(revoked));
  if (!assigned.partitions.empty()) events_.emplace_back(std::move(assigned));
  return {};
}

void MemoryConsumer::take_up(const TopicPartition& source, Assigned& assigned) {
  const auto topic = state_->topics.find(source.topic);
  if (topic == state_->topics.end()) return;
  Part part;
  part.topic = topic->second;
  const MemoryPartition& partition = stored(source, part);
  const auto committed = group().positions.find(source);
  if (committed != group().positions.end()) {
    part.position = committed->second;
  } else if (options_.start == StartAt::kEarliest) {
    part.position = partition.begin;
  } else {
    part.position = options_.start == StartAt::kLatest
                        ? partition.end()
                        : partition.first_at_or_after(options_.start_time);
    group().positions[source] = part.position;
  }
  part.rewind_to = part.position;
  part.seen_end = partition.end();
  assigned.partitions.push_back({source, part.position, part.seen_end});
  parts_.emplace(source, std::move(part));
}

std::optional<Batch> MemoryConsumer::next_batch() {
  auto at = parts_.upper_bound(last_served_);
  for (std::size_t tried = 0; tried < parts_.size(); ++tried, ++at) {
    if (at == parts_.end()) at = parts_.begin();
    auto& [source, part] = *at;
    const MemoryPartition& partition = stored(source, part);
    if (part.paused || part.revoked) continue;
    if (part.position < partition.begin) {
      events_.emplace_back(Gap{source, part.position, partition.begin});
      part.position = partition.begin;
      return std::nullopt;
    }
    const Offset from = part.position;
    if (from >= partition.end()) continue;
    Batch batch;
    fill_batch(partition, source, from, options_.batch_records_max, options_.batch_bytes_max,
               batch);
    batch.arrived = state_->clock->steady();
    part.position = batch.next;
    last_served_ = source;
    return batch;
  }
  return std::nullopt;
}

bool MemoryConsumer::caught_up(const TopicPartition& source) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = parts_.find(source);
  if (found == parts_.end()) return false;
  const Part& part = found->second;
  return std::max(part.position, stored(source, part).begin) >= part.seen_end;
}

std::vector<TopicPartition> MemoryConsumer::assigned() const {
  std::vector<TopicPartition> sources;
  for (const auto& [source, part] : parts_) sources.push_back(source);
  return sources;
}

Status MemoryConsumer::set_paused(const TopicPartition& source, bool paused) {
  const auto found = parts_.find(source);
  if (found == parts_.end())
    return Error(ErrorCode::kAborted, "the partition is not assigned here");
  found->second.paused = paused;
  return {};
}

Status MemoryConsumer::seek(const TopicPartition& source, Offset position) {
  const auto found = parts_.find(source);
  if (found == parts_.end())
    return Error(ErrorCode::kAborted, "the partition is not assigned here");
  const std::lock_guard lock(state_->mutex);
  if (position.value() < 0 || position > stored(source, found->second).end()) {
    return Error(ErrorCode::kUsage,
                 "offset " + std::to_string(position.value()) + " is outside of the partition");
  }
  found->second.position = position;
  return {};
}

Result<std::map<TopicPartition, Offset>> MemoryConsumer::end_offsets() {
  const std::lock_guard lock(state_->mutex);
  std::map<TopicPartition, Offset> ends;
  for (const auto& [source, part] : parts_) ends[source] = stored(source, part).end();
  return ends;
}

Result<std::map<TopicPartition, Offset>> MemoryConsumer::offsets_for_time(Timestamp time) {
  const std::lock_guard lock(state_->mutex);
  std::map<TopicPartition, Offset> offsets;
  for (const auto& [source, part] : parts_) {
    offsets[source] = stored(source, part).first_at_or_after(time);
  }
  return offsets;
}

Status MemoryConsumer::release(const TopicPartition& source) {
  const std::lock_guard lock(state_->mutex);
  if (parts_.erase(source) == 0) return {};
  const auto row = group().ownership.find(source);
  if (row != group().ownership.end() && row->second.owner == epoch_) {
    row->second.owner = row->second.wanted;
    state_->wake_all();
  }
  return {};
}

void MemoryConsumer::rewind() {
  for (auto& [source, part] : parts_) part.position = part.rewind_to;
}

Status MemoryConsumer::commit(const std::vector<Position>& positions) {
  CHECK(!outcome_ && !closed_);
  const std::lock_guard lock(state_->mutex);
  Result<CommitOutcome> tried = try_commit(positions);
  CommitOutcome outcome =
      tried ? std::move(*tried)
            : CommitOutcome{CommitResult::kAborted, tried.error().message(), tried.error().code()};
  appender_.clear();
  if (outcome.result == CommitResult::kCommitted) {
    for (const Position& position : positions) {
      parts_.at(position.source).rewind_to = position.next;
    }
  } else {
    rewind();
  }
  outcome_ = std::move(outcome);
  state_->wake_all();
  return {};
}

Result<CommitOutcome> MemoryConsumer::try_commit(const std::vector<Position>& positions) {
  if (!group().members.contains(epoch_)) {
    return CommitOutcome{CommitResult::kFenced, fenced().message()};
  }
  if (auto error = state_->next_request_fault()) return *error;
  const auto fault = state_->next_fault();
  if (fault && fault->effect == MemoryLog::Effect::kNothing) {
    if (fault->result == CommitResult::kFenced) {
      group().members.erase(epoch_);
      state_->rebalance(group());
    }
    return CommitOutcome{fault->result, "the test wanted it so"};
  }
  for (const Position& position : positions) {
    const auto row = group().ownership.find(position.source);
    if (!parts_.contains(position.source) || row == group().ownership.end() ||
        row->second.owner != epoch_) {
      return CommitOutcome{CommitResult::kAborted,
                           "a partition has gone to another member of the group"};
    }
    CHECK(position.next <= stored(position.source, parts_.at(position.source)).end());
  }
  MILLRACE_TRY(appender_.write());
  for (const Position& position : positions) group().positions[position.source] = position.next;
  return fault ? CommitOutcome{fault->result, "the test wanted it so"} : CommitOutcome{};
}

Status MemoryConsumer::close() {
  if (closed_) return {};
  closed_ = true;
  appender_.clear();
  parts_.clear();
  const std::lock_guard lock(state_->mutex);
  group().members.erase(epoch_);
  state_->rebalance(group());
  state_->wake_all();
  return {};
}

}  // namespace

Result<std::unique_ptr<Consumer>> open_memory_consumer(std::shared_ptr<MemoryState> state,
                                                       const ConsumerOptions& options) {
  {
    const std::lock_guard lock(state->mutex);
    for (const TopicName& name : options.topics) MILLRACE_TRY(state->find(name));
    if (!is_legal_topic_name(options.group.value())) {
      return Error(ErrorCode::kConfig,
                   "'" + options.group.value() + "' is no legal consumer group");
    }
  }
  auto consumer = std::make_unique<MemoryConsumer>(state, options);
  const std::lock_guard lock(state->mutex);
  consumer->join();
  return std::unique_ptr<Consumer>(std::move(consumer));
}

}  // namespace millrace::log::testing
