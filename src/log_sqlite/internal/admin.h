// Topics and groups for people.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "log/log.h"
#include "log_sqlite/internal/catalog.h"
#include "log_sqlite/internal/group.h"
#include "log_sqlite/internal/log_file.h"

namespace millrace::log_sqlite::internal {

// Thread-safe: one connection, one caller at a time.
class SqliteAdmin final : public log::Admin {
 public:
  // Batches deleted in one transaction, so that writers need not wait for long.
  static constexpr std::int64_t kDeletedAtOnce = 64;
  // What a trim leaves unused in the file, at most: 256 MiB.
  static constexpr std::int64_t kPagesKept = 16'384;

  SqliteAdmin(LogFile& log, std::unique_ptr<Database> database)
      : log_(&log), database_(std::move(database)) {}

  Result<bool> create_topic(const TopicName& name, const log::TopicConfig& config) override;
  Result<std::vector<log::TopicInfo>> topics() override;
  Result<log::TopicInfo> describe_topic(const TopicName& name) override;
  Status delete_topic(const TopicName& name) override;
  Status trim(const log::TopicPartition& source, Offset before) override;
  Result<std::vector<log::GroupInfo>> groups() override;
  Result<log::GroupInfo> describe_group(const GroupId& id) override;
  Status reset_group(const GroupId& id, const std::vector<log::Position>& positions) override;
  Status delete_group(const GroupId& id) override;
  Result<std::map<PartitionId, Offset>> offsets_for_time(const TopicName& name,
                                                         Timestamp time) override;

 private:
  Result<log::TopicInfo> info_of(const TopicRow& topic);
  Result<log::GroupInfo> info_of(const GroupRow& group);
  // kNoInput with the nearest name where there is none.
  Result<GroupRow> known_group(const GroupId& id);
  Result<GroupRow> group_without_members(const GroupId& id);
  // The row, once the position is found to lie inside of it.
  Result<std::int64_t> checked_partition(const log::Position& position);
  // Removes members that ended without leaving, so that none comes back and commits.
  Status forget_members(const GroupRow& group);
  // Removes batches below `before` of a partition row; the row itself is the caller's.
  Status delete_batches(std::int64_t partition, Offset before);
  // Removes what deleted topics left, and gives free pages back to the file system.
  Status clean_up();
  Status give_back(std::int64_t pages_kept);

  LogFile* log_;
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace millrace::log_sqlite::internal
