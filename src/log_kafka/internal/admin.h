// Topics and groups on Kafka.
#pragma once

#include <string_view>

#include "log/log.h"
#include "log_kafka/internal/client.h"
#include "log_kafka/internal/metadata.h"

namespace millrace::log_kafka::internal {

// Groups of this beginning hold the row numbers of producers; they are not shown.
inline constexpr std::string_view kProducerGroup = "millrace-produce.";

// Thread-safe.
class KafkaAdmin final : public log::Admin {
 public:
  explicit KafkaAdmin(Client& client) : client_(&client) {}

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
  Result<std::vector<log::TopicInfo>> describe(const std::vector<TopicMetadata>& topics);
  // False: it exists already.
  Result<bool> ask_to_create(const TopicName& name, const log::TopicConfig& config);
  Status wait_for_leaders(const TopicName& name);
  Result<std::vector<GroupId>> group_ids();
  Result<std::vector<log::GroupPosition>> positions_of(const log::GroupInfo& group);
  // State and members; the state is "dead" for a group that nobody has ever joined.
  Result<log::GroupInfo> members_of(const GroupId& id);

  Client* client_;
};

}  // namespace millrace::log_kafka::internal
