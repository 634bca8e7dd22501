// Consumer groups as rows: who is a member, who owns which partition, how far each was consumed.
// docs/adr/0003-embedded-log-format.md tells the protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "log_sqlite/internal/database.h"
#include "log_sqlite/internal/log_file.h"

namespace millrace::log_sqlite::internal {

struct GroupRow {
  std::int64_t id = 0;
  GroupId name;
  std::int64_t generation = 0;  // grows with every change of members or owners
};

// Epochs number the members of a group in the order of joining, from 1, and are never used again:
// whoever holds an epoch that has no row any more is fenced.
struct MemberRow {
  std::int64_t group = 0;
  std::int64_t epoch = 0;
  std::string id;
  std::int64_t slot = 0;
  std::string client;
  std::vector<TopicName> topics;
  Milliseconds session_timeout{0};
};

struct OwnershipRow {
  std::int64_t group = 0;
  std::int64_t partition = 0;
  std::int64_t owner = 0;     // epoch
  std::int64_t wanted = 0;    // epoch of who it goes to; the owner's own when nothing moves
  std::int64_t since_ms = 0;  // boot time at which `wanted` became another than the owner
  bool operator==(const OwnershipRow&) const = default;
};

Result<std::optional<GroupRow>> find_group(Database& database, const GroupId& name);
Result<std::vector<GroupRow>> all_groups(Database& database);
Result<GroupRow> find_or_insert_group(Database& database, const GroupId& name);
// Moves the generation on and gives the new one.
Result<std::int64_t> next_generation(Database& database, std::int64_t group);

Result<std::vector<MemberRow>> members_of(Database& database, std::int64_t group);
Result<std::optional<MemberRow>> find_member(Database& database, std::int64_t group,
                                             std::int64_t epoch);
Status insert_member(Database& database, const MemberRow& row);
Status delete_member(Database& database, std::int64_t group, std::int64_t epoch);

Result<std::vector<OwnershipRow>> ownership_of(Database& database, std::int64_t group);
Result<std::optional<OwnershipRow>> find_ownership(Database& database, std::int64_t group,
                                                   std::int64_t partition);
Status put_ownership(Database& database, const OwnershipRow& row);

Result<std::optional<Offset>> find_position(Database& database, std::int64_t group,
                                            std::int64_t partition);
Result<std::vector<std::pair<std::int64_t, Offset>>> positions_of(Database& database,
                                                                  std::int64_t group);
Status put_position(Database& database, std::int64_t group, std::int64_t partition, Offset next);
// The group with all that is stored of it.
Status drop_group(Database& database, std::int64_t group);

// Deals the partitions out anew over the members that have rows: free ones at once, owned ones as
// wishes that their owners see. Inside a write scope.
Status rebalance(Database& database, std::int64_t group, std::int64_t now_ms);

}  // namespace millrace::log_sqlite::internal
