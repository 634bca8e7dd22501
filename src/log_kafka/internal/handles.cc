#include "log_kafka/internal/handles.h"

namespace millrace::log_kafka::internal {

ListPtr new_list(std::size_t size) {
  return ListPtr(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

ListPtr copy_list(const rd_kafka_topic_partition_list_t& list) {
  return ListPtr(rd_kafka_topic_partition_list_copy(&list));
}

void add(rd_kafka_topic_partition_list_t& list, const log::TopicPartition& source,
         std::int64_t offset) {
  rd_kafka_topic_partition_list_add(&list, source.topic.value().c_str(), source.partition.value())
      ->offset = offset;
}

log::TopicPartition source_of(const rd_kafka_topic_partition_t& entry) {
  return {TopicName(entry.topic), PartitionId(entry.partition)};
}

}  // namespace millrace::log_kafka::internal
