#include "log_sqlite/internal/group.h"

#include <algorithm>
#include <map>
#include <set>

#include "json/json.h"
#include "log/range_assignment.h"
#include "log_sqlite/internal/catalog.h"

namespace millrace::log_sqlite::internal {
namespace {

std::string topics_text(const std::vector<TopicName>& topics) {
  json::Value list = json::Value::array();
  for (const TopicName& topic : topics) list.push_back(topic.value());
  return json::to_line(list);
}

std::int64_t group_crc(const GroupRow& row) {
  return RowCrc().add(row.id).add(row.name.value()).add(row.generation).value();
}

std::int64_t member_crc(const MemberRow& row, std::string_view topics) {
  return RowCrc()
      .add(row.group)
      .add(row.epoch)
      .add(row.id)
      .add(row.slot)
      .add(row.client)
      .add(topics)
      .add(row.session_timeout.count())
      .value();
}

std::int64_t ownership_crc(const OwnershipRow& row) {
  return RowCrc()
      .add(row.group)
      .add(row.partition)
      .add(row.owner)
      .add(row.wanted)
      .add(row.since_ms)
      .value();
}

std::int64_t position_crc(std::int64_t group, std::int64_t partition, std::int64_t next) {
  return RowCrc().add(group).add(partition).add(next).value();
}

Result<GroupRow> group_of(Database& database, const Query& row) {
  GroupRow group{row.integer(0), GroupId(std::string(row.text(1))), row.integer(2)};
  if (row.integer(3) != group_crc(group)) {
    return damaged(database.file(),
                   "the row of consumer group '" + group.name.value() + "' is bad");
  }
  return group;
}

Result<MemberRow> member_of(Database& database, const Query& row) {
  MemberRow member{row.integer(0),
                   row.integer(1),
                   std::string(row.text(2)),
                   row.integer(3),
                   std::string(row.text(4)),
                   {},
                   Milliseconds(row.integer(6))};
  auto topics = json::parse(row.text(5), "member");
  if (row.integer(7) != member_crc(member, row.text(5)) || !topics || !topics->is_array()) {
    return damaged(database.file(), "the row of member '" + member.id + "' is bad");
  }
  for (const json::Value& topic : *topics) {
    if (topic.is_string()) member.topics.emplace_back(topic.get<std::string>());
  }
  return member;
}

Result<OwnershipRow> ownership_row(Database& database, const Query& row) {
  const OwnershipRow ownership{row.integer(0), row.integer(1), row.integer(2), row.integer(3),
                               row.integer(4)};
  if (row.integer(5) != ownership_crc(ownership)) {
    return damaged(database.file(),
                   "an ownership row of group " + std::to_string(ownership.group) + " is bad");
  }
  return ownership;
}

constexpr const char* kGroupByName =
    "SELECT id, name, generation, crc FROM consumer_group WHERE name = ?1";
constexpr const char* kGroupById =
    "SELECT id, name, generation, crc FROM consumer_group WHERE id = ?1";

}  // namespace

Result<std::optional<GroupRow>> find_group(Database& database, const GroupId& name) {
  MILLRACE_ASSIGN(Query row, database.query(kGroupByName, name));
  MILLRACE_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<GroupRow>();
  MILLRACE_ASSIGN(GroupRow group, group_of(database, row));
  return std::optional<GroupRow>(std::move(group));
}

Result<std::vector<GroupRow>> all_groups(Database& database) {
  std::vector<GroupRow> groups;
  MILLRACE_ASSIGN(Query row, database.query("SELECT id, name, generation, crc FROM consumer_group "
                                            "ORDER BY name"));
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) return groups;
    MILLRACE_ASSIGN(GroupRow group, group_of(database, row));
    groups.push_back(std::move(group));
  }
}

Result<GroupRow> find_or_insert_group(Database& database, const GroupId& name) {
  MILLRACE_ASSIGN(auto found, find_group(database, name));
  if (found) return std::move(*found);
  MILLRACE_TRY(database.run("INSERT INTO consumer_group VALUES (NULL, ?1, 0, 0)", name));
  GroupRow row{database.last_row(), name, 0};
  MILLRACE_TRY(
      database.run("UPDATE consumer_group SET crc = ?2 WHERE id = ?1", row.id, group_crc(row)));
  return row;
}

Result<std::int64_t> next_generation(Database& database, std::int64_t group) {
  GroupRow row;
  {
    MILLRACE_ASSIGN(Query query, database.query(kGroupById, group));
    MILLRACE_ASSIGN(const bool found, query.step());
    if (!found) return damaged(database.file(), "a consumer group is missing");
    MILLRACE_ASSIGN(row, group_of(database, query));
  }
  ++row.generation;
  MILLRACE_TRY(database.run("UPDATE consumer_group SET generation = ?2, crc = ?3 WHERE id = ?1",
                            group, row.generation, group_crc(row)));
  return row.generation;
}

Result<std::vector<MemberRow>> members_of(Database& database, std::int64_t group) {
  std::vector<MemberRow> members;
  MILLRACE_ASSIGN(Query row, database.query("SELECT group_id, epoch, id, slot, client, topics, "
                                            "session_ms, crc FROM member WHERE group_id = ?1",
                                            group));
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) return members;
    MILLRACE_ASSIGN(MemberRow member, member_of(database, row));
    members.push_back(std::move(member));
  }
}

Result<std::optional<MemberRow>> find_member(Database& database, std::int64_t group,
                                             std::int64_t epoch) {
  MILLRACE_ASSIGN(Query row,
                  database.query("SELECT group_id, epoch, id, slot, client, topics, session_ms, "
                                 "crc FROM member WHERE group_id = ?1 AND epoch = ?2",
                                 group, epoch));
  MILLRACE_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<MemberRow>();
  MILLRACE_ASSIGN(MemberRow member, member_of(database, row));
  return std::optional<MemberRow>(std::move(member));
}

Status insert_member(Database& database, const MemberRow& row) {
  const std::string topics = topics_text(row.topics);
  return database.run("INSERT INTO member VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", row.group,
                      row.epoch, row.id, row.slot, row.client, topics,
                      std::int64_t{row.session_timeout.count()}, member_crc(row, topics));
}

Status delete_member(Database& database, std::int64_t group, std::int64_t epoch) {
  return database.run("DELETE FROM member WHERE group_id = ?1 AND epoch = ?2", group, epoch);
}

Status drop_group(Database& database, std::int64_t group) {
  MILLRACE_TRY(database.run("DELETE FROM member WHERE group_id = ?1", group));
  MILLRACE_TRY(database.run("DELETE FROM ownership WHERE group_id = ?1", group));
  MILLRACE_TRY(database.run("DELETE FROM position WHERE group_id = ?1", group));
  return database.run("DELETE FROM consumer_group WHERE id = ?1", group);
}

Result<std::vector<OwnershipRow>> ownership_of(Database& database, std::int64_t group) {
  std::vector<OwnershipRow> rows;
  MILLRACE_ASSIGN(Query row, database.query("SELECT group_id, partition_id, owner, wanted, "
                                            "since_ms, crc FROM ownership WHERE group_id = ?1",
                                            group));
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) return rows;
    MILLRACE_ASSIGN(const OwnershipRow ownership, ownership_row(database, row));
    rows.push_back(ownership);
  }
}

Result<std::optional<OwnershipRow>> find_ownership(Database& database, std::int64_t group,
                                                   std::int64_t partition) {
  MILLRACE_ASSIGN(Query row,
                  database.query("SELECT group_id, partition_id, owner, wanted, since_ms, crc FROM "
                                 "ownership WHERE group_id = ?1 AND partition_id = ?2",
                                 group, partition));
  MILLRACE_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<OwnershipRow>();
  MILLRACE_ASSIGN(const OwnershipRow ownership, ownership_row(database, row));
  return std::optional<OwnershipRow>(ownership);
}

Status put_ownership(Database& database, const OwnershipRow& row) {
  return database.run("INSERT OR REPLACE INTO ownership VALUES (?1, ?2, ?3, ?4, ?5, ?6)", row.group,
                      row.partition, row.owner, row.wanted, row.since_ms, ownership_crc(row));
}

Result<std::optional<Offset>> find_position(Database& database, std::int64_t group,
                                            std::int64_t partition) {
  MILLRACE_ASSIGN(Query row,
                  database.query("SELECT next, crc FROM position WHERE group_id = ?1 AND "
                                 "partition_id = ?2",
                                 group, partition));
  MILLRACE_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<Offset>();
  if (row.integer(1) != position_crc(group, partition, row.integer(0))) {
    return damaged(database.file(), "a committed position of group " + std::to_string(group) +
                                        " in partition row " + std::to_string(partition) +
                                        " is bad");
  }
  return std::optional<Offset>(Offset(row.integer(0)));
}

Result<std::vector<std::pair<std::int64_t, Offset>>> positions_of(Database& database,
                                                                  std::int64_t group) {
  std::vector<std::pair<std::int64_t, Offset>> positions;
  MILLRACE_ASSIGN(Query row, database.query("SELECT partition_id, next, crc FROM position WHERE "
                                            "group_id = ?1 ORDER BY partition_id",
                                            group));
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) return positions;
    if (row.integer(2) != position_crc(group, row.integer(0), row.integer(1))) {
      return damaged(database.file(), "a committed position of group " + std::to_string(group) +
                                          " in partition row " + std::to_string(row.integer(0)) +
                                          " is bad");
    }
    positions.emplace_back(row.integer(0), Offset(row.integer(1)));
  }
}

Status put_position(Database& database, std::int64_t group, std::int64_t partition, Offset next) {
  return database.run("INSERT OR REPLACE INTO position VALUES (?1, ?2, ?3, ?4)", group, partition,
                      next, position_crc(group, partition, next.value()));
}

namespace {

// What the members' subscriptions say should be: partition row -> epoch.
Result<std::map<std::int64_t, std::int64_t>> wanted_owners(Database& database,
                                                           const std::vector<MemberRow>& members) {
  std::vector<log::Subscription> subscriptions;
  std::map<std::string, std::int64_t> epochs;
  std::set<TopicName> names;
  for (const MemberRow& member : members) {
    subscriptions.push_back({member.id, member.topics});
    epochs[member.id] = member.epoch;
    names.insert(member.topics.begin(), member.topics.end());
  }
  std::map<TopicName, std::int32_t> counts;
  std::map<log::TopicPartition, std::int64_t> rows;
  for (const TopicName& name : names) {
    auto topic = find_topic(database, name);
    if (!topic && topic.error().code() == ErrorCode::kUnknownTopic) continue;
    if (!topic) return topic.error();
    MILLRACE_ASSIGN(const auto partitions, partitions_of(database, *topic));
    counts[name] = static_cast<std::int32_t>(partitions.size());
    for (const PartitionRow& partition : partitions) rows[{name, partition.number}] = partition.id;
  }
  std::map<std::int64_t, std::int64_t> wanted;
  for (const auto& [source, member] : log::range_assignment(subscriptions, counts)) {
    wanted[rows.at(source)] = epochs.at(member);
  }
  return wanted;
}

}  // namespace

Status rebalance(Database& database, std::int64_t group, std::int64_t now_ms) {
  MILLRACE_ASSIGN(const auto members, members_of(database, group));
  MILLRACE_ASSIGN(const auto wanted, wanted_owners(database, members));
  std::set<std::int64_t> living;
  for (const MemberRow& member : members) living.insert(member.epoch);
  std::map<std::int64_t, OwnershipRow> before;
  MILLRACE_ASSIGN(const auto rows, ownership_of(database, group));
  for (const OwnershipRow& row : rows) {
    before[row.partition] = row;
    if (wanted.contains(row.partition)) continue;
    MILLRACE_TRY(database.run("DELETE FROM ownership WHERE group_id = ?1 AND partition_id = ?2",
                              group, row.partition));
  }
  for (const auto& [partition, epoch] : wanted) {
    const auto known = before.find(partition);
    OwnershipRow row{group, partition, epoch, epoch, 0};
    if (known != before.end() && living.contains(known->second.owner)) {
      row.owner = known->second.owner;
      const bool waiting = known->second.wanted != known->second.owner;
      if (row.owner != row.wanted) row.since_ms = waiting ? known->second.since_ms : now_ms;
    }
    if (known == before.end() || known->second != row) MILLRACE_TRY(put_ownership(database, row));
  }
  return {};
}

}  // namespace millrace::log_sqlite::internal
