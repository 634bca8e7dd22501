#include "log/append_rules.h"

#include "base/hash.h"
#include "base/text.h"

namespace millrace::log {

std::size_t record_bytes(const NewRecord& record) {
  std::size_t bytes = record.key ? record.key->size() : 0;
  if (record.value) bytes += record.value->size();
  for (const Header& header : record.headers) {
    bytes += header.name.size() + (header.value ? header.value->size() : 0);
  }
  return bytes;
}

Status check_record(const TopicName& topic, std::size_t message_bytes_max,
                    const NewRecord& record) {
  const std::size_t bytes = record_bytes(record);
  if (bytes > message_bytes_max) {
    return Error(ErrorCode::kRecordTooLarge,
                 "a record of " + std::to_string(bytes) + " bytes is above the limit of " +
                     std::to_string(message_bytes_max) + " of topic '" + topic.value() + "'");
  }
  if (record.headers.size() > kRecordHeadersMax) {
    return Error(ErrorCode::kRecordTooLarge,
                 "a record with " + std::to_string(record.headers.size()) +
                     " headers is above the limit of " + std::to_string(kRecordHeadersMax));
  }
  return {};
}

Status check_topic(const TopicName& name, const TopicConfig& config) {
  if (!is_legal_topic_name(name.value())) {
    return Error(ErrorCode::kConfig,
                 "'" + printable(name.value()) +
                     "' is no legal topic name: 1 to 249 characters of a-z A-Z 0-9 . _ -");
  }
  if (config.partitions < 1 || config.partitions > kPartitionsMax) {
    return Error(ErrorCode::kConfig, "topic '" + name.value() + "': partitions must be 1 to " +
                                         std::to_string(kPartitionsMax) + ", not " +
                                         std::to_string(config.partitions));
  }
  if (config.message_bytes_max < 1 || config.message_bytes_max > kMessageBytesMaxMax) {
    return Error(ErrorCode::kConfig, "topic '" + name.value() +
                                         "': the largest message must be 1 to " +
                                         std::to_string(kMessageBytesMaxMax) + " bytes");
  }
  return {};
}

Result<PartitionId> choose_partition(const TopicName& topic, std::int32_t partitions,
                                     const NewRecord& record, std::uint32_t& turn) {
  if (record.partition) {
    const std::int32_t wanted = record.partition->value();
    if (wanted < 0 || wanted >= partitions) {
      return Error(ErrorCode::kConfig,
                   "topic '" + topic.value() + "' has no partition " + std::to_string(wanted));
    }
    return *record.partition;
  }
  if (partitions == 1) return PartitionId(0);
  if (record.key) return PartitionId(partition_for_key(*record.key, partitions));
  const std::uint32_t at = turn;
  turn = at + 1 == static_cast<std::uint32_t>(partitions) ? 0 : at + 1;
  return PartitionId(static_cast<std::int32_t>(at));
}

}  // namespace millrace::log
