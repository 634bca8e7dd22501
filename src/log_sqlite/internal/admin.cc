#include "log_sqlite/internal/admin.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/text.h"
#include "env/clock.h"
#include "log/append_rules.h"
#include "log/group_rules.h"
#include "log_sqlite/internal/membership.h"
#include "log_sqlite/internal/time_search.h"

namespace millrace::log_sqlite::internal {

Result<bool> SqliteAdmin::create_topic(const TopicName& name, const log::TopicConfig& config) {
  MILLRACE_TRY(log::check_topic(name, config));
  const std::lock_guard lock(mutex_);
  {
    // The usual case needs no write lock.
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
    auto known = find_topic(*database_, name);
    if (known) return false;
    if (known.error().code() != ErrorCode::kUnknownTopic) return known.error();
  }
  MILLRACE_TRY(log_->check_not_swapped());
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(const auto topic, insert_topic(*database_, name, config, log_->clock().now()));
  MILLRACE_TRY(scope.commit());
  return topic.has_value();
}

Result<std::vector<log::TopicInfo>> SqliteAdmin::topics() {
  const std::lock_guard lock(mutex_);
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  std::vector<log::TopicInfo> infos;
  MILLRACE_ASSIGN(const auto rows, all_topics(*database_));
  for (const TopicRow& topic : rows) {
    MILLRACE_ASSIGN(log::TopicInfo info, info_of(topic));
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<log::TopicInfo> SqliteAdmin::describe_topic(const TopicName& name) {
  const std::lock_guard lock(mutex_);
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  MILLRACE_ASSIGN(const TopicRow topic, find_topic(*database_, name));
  return info_of(topic);
}

Result<log::TopicInfo> SqliteAdmin::info_of(const TopicRow& topic) {
  log::TopicInfo info{topic.name, topic.incarnation, topic.config, topic.created, {}, 0};
  MILLRACE_ASSIGN(const auto partitions, partitions_of(*database_, topic));
  for (const PartitionRow& row : partitions) {
    info.partitions.push_back({row.number, row.begin, row.end, std::nullopt});
    info.bytes += static_cast<std::uint64_t>(row.bytes);
  }
  return info;
}

Status SqliteAdmin::delete_topic(const TopicName& name) {
  const std::lock_guard lock(mutex_);
  {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
    MILLRACE_ASSIGN(const TopicRow topic, find_topic(*database_, name));
    MILLRACE_ASSIGN(const auto partitions, partitions_of(*database_, topic));
    for (const PartitionRow& row : partitions) {
      MILLRACE_TRY(database_->run("DELETE FROM position WHERE partition_id = ?1", row.id));
      MILLRACE_TRY(database_->run("DELETE FROM ownership WHERE partition_id = ?1", row.id));
      MILLRACE_TRY(doom_partition(*database_, row));
    }
    MILLRACE_TRY(database_->run("DELETE FROM producer WHERE topic_id = ?1", topic.id));
    MILLRACE_TRY(database_->run("DELETE FROM topic WHERE id = ?1", topic.id));
    MILLRACE_TRY(scope.commit());
  }
  return clean_up();
}

Status SqliteAdmin::trim(const log::TopicPartition& source, Offset before) {
  const std::lock_guard lock(mutex_);
  std::int64_t partition = 0;
  {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
    MILLRACE_ASSIGN(const TopicRow topic, find_topic(*database_, source.topic));
    MILLRACE_ASSIGN(auto rows, partitions_of(*database_, topic));
    const std::int32_t number = source.partition.value();
    if (number < 0 || static_cast<std::size_t>(number) >= rows.size()) {
      return Error(ErrorCode::kConfig, "topic '" + source.topic.value() + "' has no partition " +
                                           std::to_string(number));
    }
    PartitionRow& row = rows[static_cast<std::size_t>(number)];
    before = std::clamp(before, row.begin, row.end);
    partition = row.id;
    row.begin = before;
    MILLRACE_TRY(update_partition(*database_, row));
    MILLRACE_TRY(scope.commit());
  }
  MILLRACE_TRY(delete_batches(partition, before));
  // Giving a page back moves one from the end of the file to its place, which costs more than what
  // comes next being written there; and what is trimmed once is trimmed again.
  return give_back(kPagesKept);
}

Status SqliteAdmin::delete_batches(std::int64_t partition, Offset before) {
  struct Doomed {
    std::int64_t id;
    std::int64_t bytes;
  };
  while (true) {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
    std::vector<Doomed> doomed;
    {
      MILLRACE_ASSIGN(Query row,
                      database_->query("SELECT id, length(data) FROM batch WHERE partition_id = ?1 "
                                       "AND next <= ?2 ORDER BY base LIMIT ?3",
                                       partition, before, kDeletedAtOnce));
      while (true) {
        MILLRACE_ASSIGN(const bool more, row.step());
        if (!more) break;
        doomed.push_back({row.integer(0), row.integer(1)});
      }
    }
    if (doomed.empty()) return {};
    MILLRACE_ASSIGN(auto row, partition_by_id(*database_, partition));
    for (const Doomed& batch : doomed) {
      MILLRACE_TRY(database_->run("DELETE FROM batch WHERE id = ?1", batch.id));
      if (row) row->bytes -= batch.bytes;
    }
    if (row) MILLRACE_TRY(update_partition(*database_, *row));
    MILLRACE_TRY(scope.commit());
  }
}

Status SqliteAdmin::clean_up() {
  MILLRACE_ASSIGN(const auto doomed, doomed_partitions(*database_));
  for (const std::int64_t partition : doomed) {
    MILLRACE_TRY(delete_batches(partition, Offset(std::numeric_limits<std::int64_t>::max())));
    MILLRACE_TRY(database_->run("DELETE FROM partition WHERE id = ?1", partition));
  }
  return give_back(0);
}

// Until no more than so many unused pages are left in the file.
Status SqliteAdmin::give_back(std::int64_t pages_kept) {
  // A step at a time, each a transaction of its own, so that writers come in between.
  while (true) {
    std::int64_t unused = 0;
    {
      MILLRACE_ASSIGN(Query row, database_->query("PRAGMA freelist_count"));
      MILLRACE_TRY(row.step());
      unused = row.integer(0);
    }
    if (unused <= pages_kept) return {};
    MILLRACE_TRY(database_->run("PRAGMA incremental_vacuum(256)"));
  }
}

Result<std::vector<log::GroupInfo>> SqliteAdmin::groups() {
  const std::lock_guard lock(mutex_);
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  std::vector<log::GroupInfo> infos;
  MILLRACE_ASSIGN(const auto rows, all_groups(*database_));
  for (const GroupRow& group : rows) {
    MILLRACE_ASSIGN(log::GroupInfo info, info_of(group));
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<log::GroupInfo> SqliteAdmin::describe_group(const GroupId& id) {
  const std::lock_guard lock(mutex_);
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  MILLRACE_ASSIGN(const GroupRow group, known_group(id));
  return info_of(group);
}

Result<GroupRow> SqliteAdmin::known_group(const GroupId& id) {
  MILLRACE_ASSIGN(auto group, find_group(*database_, id));
  if (group) return std::move(*group);
  std::vector<std::string> names;
  MILLRACE_ASSIGN(const auto rows, all_groups(*database_));
  for (const GroupRow& row : rows) names.push_back(row.name.value());
  return Error(ErrorCode::kNoInput, "there is no consumer group '" + printable(id.value()) + "'" +
                                        did_you_mean(id.value(), names));
}

// A member joins in a write scope: in one, none can between this look and the commit.
Result<GroupRow> SqliteAdmin::group_without_members(const GroupId& id) {
  MILLRACE_ASSIGN(const GroupRow group, known_group(id));
  MILLRACE_ASSIGN(const log::GroupInfo info, info_of(group));
  MILLRACE_TRY(log::check_no_members(id, info.members));
  return group;
}

Status SqliteAdmin::reset_group(const GroupId& id, const std::vector<log::Position>& positions) {
  const std::lock_guard lock(mutex_);
  MILLRACE_TRY(log_->check_not_swapped());
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(const GroupRow group, group_without_members(id));
  MILLRACE_TRY(forget_members(group));
  for (const log::Position& position : positions) {
    MILLRACE_ASSIGN(const std::int64_t partition, checked_partition(position));
    MILLRACE_TRY(put_position(*database_, group.id, partition, position.next));
  }
  return scope.commit();
}

Status SqliteAdmin::delete_group(const GroupId& id) {
  const std::lock_guard lock(mutex_);
  MILLRACE_TRY(log_->check_not_swapped());
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(const GroupRow group, group_without_members(id));
  MILLRACE_TRY(drop_group(*database_, group.id));
  return scope.commit();
}

Status SqliteAdmin::forget_members(const GroupRow& group) {
  MILLRACE_ASSIGN(const auto members, members_of(*database_, group.id));
  if (members.empty()) return {};
  for (const MemberRow& member : members) {
    MILLRACE_TRY(delete_member(*database_, group.id, member.epoch));
  }
  MILLRACE_TRY(next_generation(*database_, group.id));
  return rebalance(*database_, group.id, env::boottime_ms());
}

Result<std::int64_t> SqliteAdmin::checked_partition(const log::Position& position) {
  MILLRACE_ASSIGN(const TopicRow topic, find_topic(*database_, position.source.topic));
  MILLRACE_ASSIGN(const auto rows, partitions_of(*database_, topic));
  for (const PartitionRow& row : rows) {
    if (row.number != position.source.partition) continue;
    MILLRACE_TRY(log::check_position(position, row.begin, row.end));
    return row.id;
  }
  return log::no_such_partition(position.source);
}

Result<std::map<PartitionId, Offset>> SqliteAdmin::offsets_for_time(const TopicName& name,
                                                                    Timestamp time) {
  const std::lock_guard lock(mutex_);
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  MILLRACE_ASSIGN(const TopicRow topic, find_topic(*database_, name));
  MILLRACE_ASSIGN(const auto rows, partitions_of(*database_, topic));
  std::map<PartitionId, Offset> offsets;
  for (const PartitionRow& row : rows) {
    MILLRACE_ASSIGN(offsets[row.number],
                    first_at_or_after(*database_, row, {name, row.number}, time));
  }
  return offsets;
}

Result<log::GroupInfo> SqliteAdmin::info_of(const GroupRow& group) {
  log::GroupInfo info{group.name, "stable", {}, {}};
  MILLRACE_ASSIGN(const auto members, members_of(*database_, group.id));
  MILLRACE_ASSIGN(const auto ownership, ownership_of(*database_, group.id));
  MILLRACE_ASSIGN(const auto committed, positions_of(*database_, group.id));
  const std::map<std::int64_t, Offset> positions(committed.begin(), committed.end());
  std::map<std::int64_t, std::size_t> living;
  const std::int64_t now_ms = env::boottime_ms();
  for (const MemberRow& member : members) {
    if (!member_lives(*log_, member, now_ms)) {
      info.state = "rebalancing";
      continue;
    }
    living[member.epoch] = info.members.size();
    info.members.push_back({member.id, member.client, {}});
  }
  std::map<std::int64_t, std::int64_t> owners;
  for (const OwnershipRow& row : ownership) {
    owners[row.partition] = row.owner;
    if (row.owner != row.wanted) info.state = "rebalancing";
  }
  MILLRACE_ASSIGN(const auto topics, all_topics(*database_));
  for (const TopicRow& topic : topics) {
    MILLRACE_ASSIGN(const auto partitions, partitions_of(*database_, topic));
    const bool concerned =
        std::any_of(partitions.begin(), partitions.end(), [&](const PartitionRow& row) {
          return positions.contains(row.id) || owners.contains(row.id);
        });
    for (const PartitionRow& row : partitions) {
      if (!concerned) break;
      const log::TopicPartition source{topic.name, row.number};
      const auto position = positions.find(row.id);
      info.positions.push_back(
          {source,
           position == positions.end() ? std::nullopt : std::optional<Offset>(position->second),
           row.begin, row.end});
      const auto owner = owners.find(row.id);
      if (owner == owners.end() || !living.contains(owner->second)) continue;
      info.members[living.at(owner->second)].assigned.push_back(source);
    }
  }
  if (info.members.empty()) info.state = "empty";
  return info;
}

}  // namespace millrace::log_sqlite::internal
