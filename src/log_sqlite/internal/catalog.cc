#include "log_sqlite/internal/catalog.h"

#include <utility>

#include "base/text.h"
#include "env/random.h"
#include "json/json.h"

namespace millrace::log_sqlite::internal {
namespace {

constexpr std::int64_t kNoTopic = 0;

std::string config_text(const log::TopicConfig& config) {
  json::Value value;
  value["partitions"] = config.partitions;
  value["replication"] = config.replication;
  if (config.retention) value["retention_ms"] = config.retention->count();
  value["message_bytes_max"] = config.message_bytes_max;
  if (!config.other.empty()) value["other"] = config.other;
  return json::to_line(value);
}

Result<log::TopicConfig> parse_config(std::string_view text) {
  MILLRACE_ASSIGN(const json::Value value, json::parse(text, "topic"));
  log::TopicConfig config;
  MILLRACE_ASSIGN(config.partitions, json::get<std::int32_t>(value, "partitions"));
  MILLRACE_ASSIGN(config.replication, json::get<std::int16_t>(value, "replication"));
  MILLRACE_ASSIGN(config.message_bytes_max, json::get<std::size_t>(value, "message_bytes_max"));
  if (value.contains("retention_ms")) {
    MILLRACE_ASSIGN(const auto ms, json::get<std::int64_t>(value, "retention_ms"));
    config.retention = Milliseconds(ms);
  }
  if (value.contains("other")) {
    using Map = std::map<std::string, std::string>;
    MILLRACE_ASSIGN(config.other, json::get<Map>(value, "other"));
  }
  return config;
}

std::int64_t topic_crc(std::int64_t id, std::string_view name, std::string_view incarnation,
                       std::string_view config, std::int64_t created) {
  return RowCrc().add(id).add(name).add(incarnation).add(config).add(created).value();
}

std::int64_t partition_crc(const PartitionRow& row) {
  return RowCrc()
      .add(row.id)
      .add(row.topic_id)
      .add(row.number.value())
      .add(row.begin.value())
      .add(row.end.value())
      .add(row.bytes)
      .value();
}

constexpr const char* kTopicByName =
    "SELECT id, name, incarnation, config, created_ms, crc FROM topic WHERE name = ?1";
constexpr const char* kTopics =
    "SELECT id, name, incarnation, config, created_ms, crc FROM topic ORDER BY name";

Result<TopicRow> topic_of(Database& database, const Query& row) {
  const std::string shown = printable(row.text(1));
  if (row.integer(5) !=
      topic_crc(row.integer(0), row.text(1), row.text(2), row.text(3), row.integer(4))) {
    return damaged(database.file(), "the row of topic '" + shown + "' is bad");
  }
  auto config = parse_config(row.text(3));
  if (!config) {
    return damaged(database.file(),
                   "the row of topic '" + shown + "': " + config.error().message());
  }
  return TopicRow{row.integer(0), TopicName(std::string(row.text(1))), std::string(row.text(2)),
                  std::move(*config), Timestamp(row.integer(4))};
}

Result<PartitionRow> partition_of(Database& database, const Query& row) {
  const PartitionRow partition{row.integer(0),
                               row.integer(1),
                               PartitionId(static_cast<std::int32_t>(row.integer(2))),
                               Offset(row.integer(3)),
                               Offset(row.integer(4)),
                               row.integer(5)};
  if (row.integer(6) != partition_crc(partition) || partition.begin.value() < 0 ||
      partition.begin > partition.end) {
    return damaged(database.file(), "the row of partition " +
                                        std::to_string(partition.number.value()) + " of topic " +
                                        std::to_string(partition.topic_id) + " is bad");
  }
  return partition;
}

}  // namespace

Error damaged(const env::Path& file, std::string_view what) {
  return {ErrorCode::kCorrupt, "the log '" + file.string() + "' is damaged: " + std::string(what) +
                                   "; `millrace log check` lists all damage"};
}

Error damaged(const env::Path& file, const log::TopicPartition& source, std::string_view what) {
  return damaged(file, "topic '" + source.topic.value() + "', partition " +
                           std::to_string(source.partition.value()) + ": " + std::string(what));
}

Result<TopicRow> find_topic(Database& database, const TopicName& name) {
  {
    MILLRACE_ASSIGN(Query row, database.query(kTopicByName, name));
    MILLRACE_ASSIGN(const bool found, row.step());
    if (found) return topic_of(database, row);
  }
  std::vector<std::string> names;
  MILLRACE_ASSIGN(const auto topics, all_topics(database));
  for (const TopicRow& topic : topics) names.push_back(topic.name.value());
  return Error(ErrorCode::kUnknownTopic, "there is no topic '" + printable(name.value()) +
                                             "' in the log '" + database.file().string() + "'" +
                                             did_you_mean(name.value(), names));
}

Result<std::vector<TopicRow>> all_topics(Database& database) {
  std::vector<TopicRow> topics;
  MILLRACE_ASSIGN(Query row, database.query(kTopics));
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) return topics;
    MILLRACE_ASSIGN(TopicRow topic, topic_of(database, row));
    topics.push_back(std::move(topic));
  }
}

Result<std::optional<TopicRow>> insert_topic(Database& database, const TopicName& name,
                                             const log::TopicConfig& config, Timestamp now) {
  {
    MILLRACE_ASSIGN(Query row, database.query(kTopicByName, name));
    MILLRACE_ASSIGN(const bool found, row.step());
    if (found) return std::optional<TopicRow>();
  }
  TopicRow topic{0, name, env::random_hex(8), config, now};
  const std::string text = config_text(config);
  MILLRACE_TRY(database.run("INSERT INTO topic VALUES (NULL, ?1, ?2, ?3, ?4, 0)", name,
                            topic.incarnation, text, now));
  topic.id = database.last_row();
  const std::int64_t crc = topic_crc(topic.id, name.value(), topic.incarnation, text, now.value());
  MILLRACE_TRY(database.run("UPDATE topic SET crc = ?2 WHERE id = ?1", topic.id, crc));
  for (std::int32_t number = 0; number < config.partitions; ++number) {
    PartitionRow row{0, topic.id, PartitionId(number), Offset(0), Offset(0), 0};
    MILLRACE_TRY(database.run("INSERT INTO partition VALUES (NULL, ?1, ?2, 0, 0, 0, 0)", topic.id,
                              row.number));
    row.id = database.last_row();
    MILLRACE_TRY(update_partition(database, row));
  }
  return std::optional<TopicRow>(std::move(topic));
}

Result<std::vector<PartitionRow>> partitions_of(Database& database, const TopicRow& topic) {
  std::vector<PartitionRow> partitions;
  MILLRACE_ASSIGN(Query row,
                  database.query("SELECT id, topic_id, number, begin, end, bytes, crc FROM "
                                 "partition WHERE topic_id = ?1 ORDER BY number",
                                 topic.id));
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) break;
    MILLRACE_ASSIGN(PartitionRow partition, partition_of(database, row));
    partitions.push_back(partition);
  }
  if (partitions.size() != static_cast<std::size_t>(topic.config.partitions)) {
    return damaged(database.file(), "topic '" + topic.name.value() + "' lacks partitions");
  }
  return partitions;
}

Result<std::optional<PartitionRow>> partition_by_id(Database& database, std::int64_t id) {
  MILLRACE_ASSIGN(Query row,
                  database.query("SELECT id, topic_id, number, begin, end, bytes, crc FROM "
                                 "partition WHERE id = ?1",
                                 id));
  MILLRACE_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<PartitionRow>();
  MILLRACE_ASSIGN(const PartitionRow partition, partition_of(database, row));
  if (partition.topic_id == kNoTopic) return std::optional<PartitionRow>();
  return std::optional<PartitionRow>(partition);
}

Status update_partition(Database& database, const PartitionRow& row) {
  return database.run(
      "UPDATE partition SET begin = ?2, end = ?3, bytes = ?4, crc = ?5 WHERE id = ?1", row.id,
      row.begin, row.end, row.bytes, partition_crc(row));
}

Status doom_partition(Database& database, PartitionRow row) {
  row.topic_id = kNoTopic;
  row.number = PartitionId(static_cast<std::int32_t>(-row.id));  // unique, and no topic's
  return database.run("UPDATE partition SET topic_id = ?2, number = ?3, crc = ?4 WHERE id = ?1",
                      row.id, row.topic_id, row.number, partition_crc(row));
}

Result<std::vector<std::int64_t>> doomed_partitions(Database& database) {
  std::vector<std::int64_t> ids;
  MILLRACE_ASSIGN(Query row,
                  database.query("SELECT id FROM partition WHERE topic_id = ?1", kNoTopic));
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) return ids;
    ids.push_back(row.integer(0));
  }
}

}  // namespace millrace::log_sqlite::internal
