// One member of a consumer group: its slot, its place among the rows, its duties towards the
// others.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/file.h"
#include "log/log.h"
#include "log_sqlite/internal/catalog.h"
#include "log_sqlite/internal/group.h"
#include "log_sqlite/internal/heart.h"
#include "log_sqlite/internal/log_file.h"

namespace millrace::log_sqlite::internal {

// One thread at a time; heartbeats are LogFile's thread's. The slot's lock goes with the object.
class Membership {
 public:
  // Members of one group on one host.
  static constexpr std::int64_t kSlotsMax = 256;

  // Takes the lowest free slot and joins: partitions that nobody owns are its own at once.
  static Result<std::unique_ptr<Membership>> join(LogFile& log, Database& database,
                                                  const log::ConsumerOptions& options);

  const std::string& id() const { return row_.id; }
  std::int64_t group() const { return row_.group; }

  struct Owned {
    std::int64_t partition = 0;  // row
    log::TopicPartition source;
    bool wanted_by_other = false;
    std::int64_t since_ms = 0;
  };
  // What is ours now, inside a read or write scope. kFenced when this member has no row any more.
  Result<std::vector<Owned>> owned();
  // kFenced as above, inside a scope of `database`. These two may be called from another thread
  // with a connection of its own.
  Status check_member(Database& database) const;
  Result<bool> owns(Database& database, std::int64_t partition) const;

  // Gives a partition to whom it is wanted for.
  Status release(std::int64_t partition);
  // Evicts members that are dead or hung and takes what was to be released long ago. Cheap when
  // there is nothing to do; looks only every so often.
  // True when it changed who owns what: our own connection does not see that as news.
  Result<bool> look_after_others();
  // Leaves the group.
  Status leave();
  // A partition that is wanted by another is taken away after this.
  Milliseconds session_timeout() const { return row_.session_timeout; }

 private:
  Membership(LogFile& log, Database& database) : log_(&log), database_(&database) {}
  Status take_slot();
  Status enter();
  // Epochs of members that neither hold their lock nor beat.
  Result<std::vector<std::int64_t>> dead_members();
  // The first partition that another member should have released by now.
  Result<std::optional<OwnershipRow>> overdue_handover(std::int64_t now_ms);
  Status evict_and_rebalance();

  LogFile* log_;
  Database* database_;
  MemberRow row_;
  std::map<std::int64_t, log::TopicPartition> sources_;  // of the subscribed topics
  std::shared_ptr<env::FileLock> slot_;
  std::optional<Heart::Beating> beating_;
  SteadyTime looked_{};
};

// Where the lock of a member's slot is.
env::Path slot_file(const LogFile& log, std::int64_t group, std::int64_t slot);
// Whether the member in this slot lives, by lock and heartbeat.
bool member_lives(const LogFile& log, const MemberRow& member, std::int64_t now_ms);

}  // namespace millrace::log_sqlite::internal
