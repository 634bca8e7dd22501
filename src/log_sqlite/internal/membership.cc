#include "log_sqlite/internal/membership.h"

#include <unistd.h>

#include <algorithm>

#include "log/member_id.h"

namespace millrace::log_sqlite::internal {
namespace {

Error fenced(const std::string& member) {
  return {ErrorCode::kFenced,
          "member '" + member +
              "' was put out of its consumer group: another process has taken its place. Nothing "
              "of what it had not committed is visible; start it again"};
}

}  // namespace

env::Path slot_file(const LogFile& log, std::int64_t group, std::int64_t slot) {
  return log.locks() / ("group-" + std::to_string(group) + "." + std::to_string(slot));
}

bool member_lives(const LogFile& log, const MemberRow& member, std::int64_t now_ms) {
  const env::Path file = slot_file(log, member.group, member.slot);
  if (!env::FileLock::is_held(file)) return false;
  const auto beat = last_heartbeat_ms(file);
  // Without a readable heartbeat the lock alone counts.
  return !beat || now_ms - *beat <= member.session_timeout.count();
}

Result<std::unique_ptr<Membership>> Membership::join(LogFile& log, Database& database,
                                                     const log::ConsumerOptions& options) {
  if (!is_legal_topic_name(options.group.value())) {
    return Error(ErrorCode::kConfig, "'" + options.group.value() +
                                         "' is no legal consumer group: 1 to 249 characters of "
                                         "a-z A-Z 0-9 . _ -");
  }
  std::unique_ptr<Membership> member(new Membership(log, database));
  member->row_.topics = options.topics;
  member->row_.session_timeout = options.session_timeout;
  {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(database, Scope::Kind::kWrite));
    for (const TopicName& name : options.topics) {
      MILLRACE_ASSIGN(const TopicRow topic, find_topic(database, name));
      MILLRACE_ASSIGN(const auto partitions, partitions_of(database, topic));
      for (const auto& row : partitions) member->sources_[row.id] = {name, row.number};
    }
    MILLRACE_ASSIGN(const GroupRow group, find_or_insert_group(database, options.group));
    member->row_.group = group.id;
    MILLRACE_TRY(scope.commit());
  }
  MILLRACE_TRY(member->take_slot());
  member->row_.id = log::member_id(options.group, log.identity().id, member->row_.slot);
  member->row_.client = log::host_name() + " process " + std::to_string(::getpid());
  MILLRACE_TRY(member->enter());
  return member;
}

Status Membership::take_slot() {
  for (std::int64_t slot = 0; slot < kSlotsMax; ++slot) {
    auto lock = env::FileLock::acquire(slot_file(*log_, row_.group, slot));
    if (!lock && lock.error().code() == ErrorCode::kLockHeld) continue;
    if (!lock) return lock.error();
    row_.slot = slot;
    slot_ = std::make_shared<env::FileLock>(std::move(*lock));
    MILLRACE_ASSIGN(Heart::Beating beating, log_->heart().beat(slot_, row_.session_timeout));
    beating_.emplace(std::move(beating));
    return {};
  }
  return Error(ErrorCode::kLockHeld, "the consumer group has " + std::to_string(kSlotsMax) +
                                         " members on this host already");
}

Status Membership::enter() {
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(row_.epoch, next_generation(*database_, row_.group));
  // Whoever has a row for our slot died without leaving: we hold its lock.
  MILLRACE_TRY(database_->run("DELETE FROM member WHERE group_id = ?1 AND slot = ?2", row_.group,
                              row_.slot));
  MILLRACE_ASSIGN(const auto dead, dead_members());
  for (const std::int64_t epoch : dead) {
    MILLRACE_TRY(delete_member(*database_, row_.group, epoch));
  }
  MILLRACE_TRY(insert_member(*database_, row_));
  MILLRACE_TRY(rebalance(*database_, row_.group, env::boottime_ms()));
  return scope.commit();
}

Status Membership::check_member(Database& database) const {
  MILLRACE_ASSIGN(const auto row, find_member(database, row_.group, row_.epoch));
  if (!row) return fenced(row_.id);
  return {};
}

Result<std::vector<Membership::Owned>> Membership::owned() {
  MILLRACE_TRY(check_member(*database_));
  MILLRACE_ASSIGN(const auto rows, ownership_of(*database_, row_.group));
  std::vector<Owned> mine;
  for (const OwnershipRow& row : rows) {
    if (row.owner != row_.epoch) continue;
    const auto source = sources_.find(row.partition);
    if (source == sources_.end()) continue;  // of a topic made anew under its name
    mine.push_back({row.partition, source->second, row.wanted != row.owner, row.since_ms});
  }
  return mine;
}

Result<bool> Membership::owns(Database& database, std::int64_t partition) const {
  MILLRACE_ASSIGN(const auto row, find_ownership(database, row_.group, partition));
  return row && row->owner == row_.epoch;
}

Status Membership::release(std::int64_t partition) {
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(auto row, find_ownership(*database_, row_.group, partition));
  if (!row || row->owner != row_.epoch || row->wanted == row_.epoch) return {};
  row->owner = row->wanted;
  row->since_ms = 0;
  MILLRACE_TRY(put_ownership(*database_, *row));
  MILLRACE_TRY(next_generation(*database_, row_.group));
  return scope.commit();
}

Result<std::vector<std::int64_t>> Membership::dead_members() {
  const std::int64_t now_ms = env::boottime_ms();
  std::vector<std::int64_t> dead;
  MILLRACE_ASSIGN(const auto members, members_of(*database_, row_.group));
  for (const MemberRow& member : members) {
    if (member.epoch != row_.epoch && !member_lives(*log_, member, now_ms)) {
      dead.push_back(member.epoch);
    }
  }
  return dead;
}

Result<bool> Membership::look_after_others() {
  const SteadyTime now = log_->clock().steady();
  constexpr Milliseconds kOften{500};
  const Milliseconds interval = std::min(kOften, row_.session_timeout / 4);
  if (now < looked_ + interval) return false;
  // Who was not running itself (a suspended machine) must not judge by the others' heartbeats:
  // they get time for the next one.
  const bool was_away = now > looked_ + row_.session_timeout / 2 && looked_ != SteadyTime{};
  looked_ = now;
  if (was_away) return false;

  bool work = false;
  {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
    MILLRACE_ASSIGN(const auto dead, dead_members());
    MILLRACE_ASSIGN(const auto overdue, overdue_handover(env::boottime_ms()));
    work = !dead.empty() || overdue;
  }
  if (!work) return false;
  MILLRACE_TRY(evict_and_rebalance());
  return true;
}

Result<std::optional<OwnershipRow>> Membership::overdue_handover(std::int64_t now_ms) {
  MILLRACE_ASSIGN(const auto rows, ownership_of(*database_, row_.group));
  for (const OwnershipRow& row : rows) {
    if (row.owner == row.wanted || row.owner == row_.epoch) continue;
    if (now_ms - row.since_ms <= row_.session_timeout.count()) continue;
    return std::optional<OwnershipRow>(row);
  }
  return std::optional<OwnershipRow>();
}

Status Membership::evict_and_rebalance() {
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_TRY(check_member(*database_));
  MILLRACE_ASSIGN(const auto dead, dead_members());
  for (const std::int64_t epoch : dead) {
    MILLRACE_TRY(delete_member(*database_, row_.group, epoch));
  }
  const std::int64_t now_ms = env::boottime_ms();
  while (true) {
    MILLRACE_ASSIGN(auto row, overdue_handover(now_ms));
    if (!row) break;
    row->owner = row->wanted;
    row->since_ms = 0;
    MILLRACE_TRY(put_ownership(*database_, *row));
  }
  MILLRACE_TRY(next_generation(*database_, row_.group));
  MILLRACE_TRY(rebalance(*database_, row_.group, now_ms));
  return scope.commit();
}

Status Membership::leave() {
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_TRY(delete_member(*database_, row_.group, row_.epoch));
  MILLRACE_TRY(next_generation(*database_, row_.group));
  MILLRACE_TRY(rebalance(*database_, row_.group, env::boottime_ms()));
  return scope.commit();
}

}  // namespace millrace::log_sqlite::internal
