// Questions to the brokers about topics.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log_kafka/internal/handles.h"

namespace millrace::log_kafka::internal {

struct TopicMetadata {
  TopicName name;
  struct Partition {
    PartitionId id;
    std::int32_t leader = -1;  // broker id, -1 while there is none
    std::int16_t replicas = 0;
  };
  std::vector<Partition> partitions;  // by id
};

// All topics but the brokers' own, or the one named; none where it does not exist. Sorted by name.
Result<std::vector<TopicMetadata>> find_topics(rd_kafka_t& handle,
                                               const std::optional<TopicName>& name);

struct TopicSettings {
  std::size_t wire_bytes_max = 0;            // max.message.bytes
  std::optional<Milliseconds> retention;     // nullopt: for ever
  std::map<std::string, std::string> other;  // set for this topic, beside what millrace sets itself
};
// In the order of `topics`. Where this user may not see them, the brokers' defaults are taken.
Result<std::vector<TopicSettings>> describe_configs(rd_kafka_t& handle,
                                                    const std::vector<TopicName>& topics);

// A batch of one record with keys, values and headers of `message_bytes` fits into this many; and
// the other way round.
std::size_t wire_bytes_of_message(std::size_t message_bytes);
std::size_t message_bytes_of_wire(std::size_t wire_bytes);

// Times far ahead are refused by Kafka 4 unless a topic allows them; millrace's do.
inline constexpr const char* kTimeAheadConfig = "message.timestamp.after.max.ms";

}  // namespace millrace::log_kafka::internal
