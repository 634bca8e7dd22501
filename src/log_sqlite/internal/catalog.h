// Topics and their partitions as rows of the file, verified as they are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "log_sqlite/internal/database.h"

namespace millrace::log_sqlite::internal {

struct TopicRow {
  std::int64_t id = 0;
  TopicName name;
  std::string incarnation;
  log::TopicConfig config;
  Timestamp created;
};

struct PartitionRow {
  std::int64_t id = 0;  // never used again, also not by a topic of the same name
  std::int64_t topic_id = 0;
  PartitionId number;
  Offset begin;
  Offset end;
  std::int64_t bytes = 0;  // of its stored batches
};

// kCorrupt, naming topic and partition (and offset, where known).
Error damaged(const env::Path& file, const log::TopicPartition& source, std::string_view what);
Error damaged(const env::Path& file, std::string_view what);

// kUnknownTopic with the nearest name.
Result<TopicRow> find_topic(Database& database, const TopicName& name);
Result<std::vector<TopicRow>> all_topics(Database& database);
// nullopt when the name is taken.
Result<std::optional<TopicRow>> insert_topic(Database& database, const TopicName& name,
                                             const log::TopicConfig& config, Timestamp now);

Result<std::vector<PartitionRow>> partitions_of(Database& database, const TopicRow& topic);
// nullopt when its topic was deleted.
Result<std::optional<PartitionRow>> partition_by_id(Database& database, std::int64_t id);
Status update_partition(Database& database, const PartitionRow& row);
// Takes the partition away from its topic; its row stays until its batches are gone, so that a
// deletion that was cut short can go on.
Status doom_partition(Database& database, PartitionRow row);
Result<std::vector<std::int64_t>> doomed_partitions(Database& database);

}  // namespace millrace::log_sqlite::internal
