#include "log_kafka/internal/metadata.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "log_kafka/internal/client.h"
#include "log_kafka/internal/errors.h"

namespace millrace::log_kafka::internal {
namespace {

// Kafka's own default, for topics whose settings may not be seen.
constexpr std::size_t kWireBytesDefault = 1'048'588;
// Of a batch and a record around key, value and up to 90 headers.
constexpr std::size_t kWireOverhead = 1'024;

struct DestroyMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
using MetadataPtr = std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata>;

bool is_internal(std::string_view topic) {
  return topic == "__consumer_offsets" || topic == "__transaction_state" ||
         topic == "__share_group_state" || topic == "__cluster_metadata";
}

TopicMetadata convert(const rd_kafka_metadata_topic_t& topic) {
  TopicMetadata converted{TopicName(topic.topic), {}};
  for (int i = 0; i < topic.partition_cnt; ++i) {
    const auto& partition = topic.partitions[i];
    converted.partitions.push_back({PartitionId(partition.id), partition.leader,
                                    static_cast<std::int16_t>(partition.replica_cnt)});
  }
  std::sort(converted.partitions.begin(), converted.partitions.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return converted;
}

std::optional<std::int64_t> number(const char* text) {
  std::int64_t value = 0;
  const std::string_view view(text);
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc() || end != view.data() + view.size()) return std::nullopt;
  return value;
}

void take_entry(const rd_kafka_ConfigEntry_t& entry, TopicSettings& settings) {
  const std::string name = rd_kafka_ConfigEntry_name(&entry);
  const char* value = rd_kafka_ConfigEntry_value(&entry);
  if (value == nullptr) return;
  if (name == "max.message.bytes") {
    settings.wire_bytes_max = static_cast<std::size_t>(number(value).value_or(kWireBytesDefault));
    return;
  }
  if (name == "retention.ms") {
    const auto time = number(value);
    if (time && *time >= 0) settings.retention = Milliseconds(*time);
    return;
  }
  const bool of_topic =
      rd_kafka_ConfigEntry_source(&entry) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
  if (of_topic && name != kTimeAheadConfig) settings.other[name] = value;
}

}  // namespace

std::size_t wire_bytes_of_message(std::size_t message_bytes) {
  return message_bytes + kWireOverhead;
}

std::size_t message_bytes_of_wire(std::size_t wire_bytes) {
  return wire_bytes > kWireOverhead ? wire_bytes - kWireOverhead : 0;
}

Result<std::vector<TopicMetadata>> find_topics(rd_kafka_t& handle,
                                               const std::optional<TopicName>& name) {
  TopicPtr only;
  if (name) only.reset(rd_kafka_topic_new(&handle, name->value().c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  const auto error = rd_kafka_metadata(&handle, name ? 0 : 1, only.get(), &answer,
                                       static_cast<int>(kRequestMax.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "cannot ask for the topics");
  const MetadataPtr metadata(answer);
  std::vector<TopicMetadata> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    if (!name && is_internal(topic.topic)) continue;
    if (topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        topic.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
      continue;
    }
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR &&
        topic.err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
      return to_error(topic.err, "topic '" + std::string(topic.topic) + "' cannot be used");
    }
    topics.push_back(convert(topic));
  }
  std::sort(topics.begin(), topics.end(),
            [](const TopicMetadata& a, const TopicMetadata& b) { return a.name < b.name; });
  return topics;
}

Result<std::vector<TopicSettings>> describe_configs(rd_kafka_t& handle,
                                                    const std::vector<TopicName>& topics) {
  std::vector<TopicSettings> settings(topics.size());
  for (TopicSettings& one : settings) one.wire_bytes_max = kWireBytesDefault;
  if (topics.empty()) return settings;
  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const TopicName& topic : topics) {
    resources.push_back(
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.value().c_str()));
  }
  const QueuePtr queue(rd_kafka_queue_new(&handle));
  const AdminOptionsPtr options = admin_options(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_DescribeConfigs(&handle, resources.data(), resources.size(), options.get(), queue.get());
  rd_kafka_ConfigResource_destroy_array(resources.data(), resources.size());
  MILLRACE_ASSIGN(const EventPtr answer,
                  wait_for_answer(*queue, "cannot ask for the settings of topics"));
  std::size_t count = 0;
  const auto* results = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(answer.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const TopicName name(rd_kafka_ConfigResource_name(results[i]));
    const auto at = std::find(topics.begin(), topics.end(), name);
    if (at == topics.end()) continue;
    TopicSettings& into = settings[static_cast<std::size_t>(at - topics.begin())];
    std::size_t entries = 0;
    const auto* configs = rd_kafka_ConfigResource_configs(results[i], &entries);
    for (std::size_t k = 0; k < entries; ++k) take_entry(*configs[k], into);
  }
  return settings;
}

}  // namespace millrace::log_kafka::internal
