#include "log/testing/memory_state.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "log/append_rules.h"
#include "log/range_assignment.h"

namespace millrace::log::testing {

Offset MemoryPartition::first_at_or_after(Timestamp time) const {
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].timestamp >= time) return begin.plus(static_cast<std::int64_t>(i));
  }
  return end();
}

Result<std::shared_ptr<MemoryTopic>> MemoryState::find(const TopicName& name) const {
  const auto found = topics.find(name);
  if (found != topics.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, topic] : topics) names.push_back(known.value());
  return Error(ErrorCode::kUnknownTopic, "there is no topic '" + printable(name.value()) + "'" +
                                             did_you_mean(name.value(), names));
}

void MemoryState::rebalance(MemoryGroup& group) const {
  std::vector<Subscription> subscriptions;
  std::map<std::string, std::int64_t> epochs;
  std::map<TopicName, std::int32_t> counts;
  for (const auto& [epoch, member] : group.members) {
    subscriptions.push_back({member.id, member.topics});
    epochs[member.id] = epoch;
    for (const TopicName& name : member.topics) {
      const auto topic = topics.find(name);
      if (topic != topics.end()) counts[name] = topic->second->config.partitions;
    }
  }
  const auto wanted = range_assignment(subscriptions, counts);
  std::erase_if(group.ownership, [&](const auto& row) { return !wanted.contains(row.first); });
  for (const auto& [source, member] : wanted) {
    const std::int64_t epoch = epochs.at(member);
    MemoryGroup::Ownership& row = group.ownership[source];
    const bool was_moving = row.owner != row.wanted;
    row.wanted = epoch;
    if (!group.members.contains(row.owner)) row.owner = epoch;
    if (row.owner != row.wanted && !was_moving) row.since = clock->steady();
  }
}

void MemoryState::wake_all() const {
  const std::uint64_t one = 1;
  for (const int event : waiting) {
    [[maybe_unused]] const ssize_t ignored = ::write(event, &one, sizeof one);
  }
}

std::optional<MemoryState::Fault> MemoryState::next_fault() {
  auto due = faults.extract(++commits);
  return due.empty() ? std::nullopt : std::optional(due.mapped());
}

std::optional<Error> MemoryState::next_request_fault() {
  auto due = request_faults.extract(++requests);
  return due.empty() ? std::nullopt : std::optional(due.mapped());
}

Result<TopicHandle> MemoryAppender::open_topic(const TopicName& name) {
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    if (topics_[i].topic->name == name) return TopicHandle(static_cast<std::int32_t>(i));
  }
  const std::lock_guard lock(state_->mutex);
  MILLRACE_ASSIGN(auto topic, state_->find(name));
  topics_.push_back({std::move(topic), 0});
  return TopicHandle(static_cast<std::int32_t>(topics_.size() - 1));
}

Status MemoryAppender::append(TopicHandle handle, const NewRecord& record) {
  CHECK(handle.value() >= 0 && static_cast<std::size_t>(handle.value()) < topics_.size());
  Open& open = topics_[static_cast<std::size_t>(handle.value())];
  MILLRACE_TRY(check_record(open.topic->name, open.topic->config.message_bytes_max, record));
  MILLRACE_ASSIGN(
      const PartitionId partition,
      choose_partition(open.topic->name, open.topic->config.partitions, record, open.turn));
  StoredRecord stored;
  if (record.key) stored.key = std::string(*record.key);
  if (record.value) stored.value = std::string(*record.value);
  for (const Header& header : record.headers) {
    stored.headers.emplace_back(header.name, header.value);
  }
  stored.timestamp = record.timestamp;
  stored.bytes = record_bytes(record);
  pending_.push_back({open.topic, static_cast<std::size_t>(partition.value()), std::move(stored)});
  return {};
}

Status MemoryAppender::write() {
  for (const Pending& pending : pending_) {
    if (!pending.topic->deleted) continue;
    return Error(ErrorCode::kUnknownTopic,
                 "topic '" + pending.topic->name.value() + "' was deleted while it was in use");
  }
  for (Pending& pending : pending_) {
    pending.topic->partitions[pending.partition].records.push_back(std::move(pending.record));
  }
  pending_.clear();
  return {};
}

MemoryWaiter::MemoryWaiter(std::shared_ptr<MemoryState> state)
    : state_(std::move(state)), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(event_ >= 0);
  const std::lock_guard lock(state_->mutex);
  state_->waiting.insert(event_);
}

MemoryWaiter::~MemoryWaiter() {
  const std::lock_guard lock(state_->mutex);
  state_->waiting.erase(event_);
  ::close(event_);
}

bool MemoryWaiter::wait(SteadyTime until) {
  const SteadyTime now = state_->clock->steady();
  const bool real = state_->clock == &env::real_clock();
  constexpr Milliseconds kLookAfter{50};  // overdue partitions of other members
  const auto left = std::chrono::duration_cast<Milliseconds>(until - now);
  const int wait_ms =
      real ? static_cast<int>(std::clamp(left, Milliseconds(1), kLookAfter).count()) : 0;
  std::array<pollfd, 2> watched{{{event_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  const int ready = ::poll(watched.data(), watched.size(), wait_ms);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t ignored = ::read(event_, &count, sizeof count);
  if (watched[1].revents != 0 || take_interrupt()) return true;
  if (!real && ready == 0) state_->clock->sleep_until(until);
  return false;
}

void MemoryWaiter::interrupt() {
  interrupted_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(event_, &one, sizeof one);
}

void fill_batch(const MemoryPartition& partition, const TopicPartition& source, Offset from,
                std::size_t records_max, std::size_t bytes_max, Batch& out) {
  const auto first = static_cast<std::size_t>(from.value() - partition.begin.value());
  std::size_t count = 0;
  std::size_t headers = 0;
  for (std::size_t i = first; i < partition.records.size() && count < records_max; ++i) {
    const StoredRecord& record = partition.records[i];
    if (count > 0 && out.bytes + record.bytes > bytes_max) break;
    out.bytes += record.bytes;
    headers += record.headers.size();
    ++count;
  }
  out.source = source;
  out.headers.reserve(headers);
  for (std::size_t i = first; i < first + count; ++i) {
    const StoredRecord& stored = partition.records[i];
    Record record;
    record.offset = partition.begin.plus(static_cast<std::int64_t>(i));
    record.timestamp = stored.timestamp;
    if (stored.key) record.key = out.arena.copy(*stored.key);
    if (stored.value) record.value = out.arena.copy(*stored.value);
    const std::size_t at = out.headers.size();
    for (const auto& [name, value] : stored.headers) {
      Header header{out.arena.copy(name), std::nullopt};
      if (value) header.value = out.arena.copy(*value);
      out.headers.push_back(header);
    }
    record.headers = {out.headers.data() + at, stored.headers.size()};
    out.records.push_back(record);
  }
  out.next = from.plus(static_cast<std::int64_t>(count));
}

}  // namespace millrace::log::testing
