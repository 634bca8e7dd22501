#include "log_kafka/internal/admin.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "log/append_rules.h"
#include "log_kafka/internal/errors.h"

namespace millrace::log_kafka::internal {
namespace {

constexpr Milliseconds kSettleMax{15'000};
constexpr Milliseconds kSettleLook{50};
constexpr const char* kRetainForEver = "-1";

using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;

std::string state_text(rd_kafka_consumer_group_state_t state) {
  switch (state) {
    case RD_KAFKA_CONSUMER_GROUP_STATE_STABLE:
      return "stable";
    case RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY:
      return "empty";
    case RD_KAFKA_CONSUMER_GROUP_STATE_DEAD:
      return "dead";
    case RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE:
    case RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE:
      return "rebalancing";
    default:
      return "unknown";
  }
}

log::MemberInfo member_info(const rd_kafka_MemberDescription_t& member) {
  log::MemberInfo info;
  const char* fixed = rd_kafka_MemberDescription_group_instance_id(&member);
  info.id =
      fixed != nullptr && *fixed != '\0' ? fixed : rd_kafka_MemberDescription_consumer_id(&member);
  info.client = std::string(rd_kafka_MemberDescription_client_id(&member)) + " at " +
                rd_kafka_MemberDescription_host(&member);
  const auto* assignment = rd_kafka_MemberDescription_assignment(&member);
  const auto* list =
      assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  for (int i = 0; list != nullptr && i < list->cnt; ++i)
    info.assigned.push_back(source_of(list->elems[i]));
  std::sort(info.assigned.begin(), info.assigned.end());
  return info;
}

// The first error among the results about topics.
Status first_error(const rd_kafka_topic_result_t* const* results, std::size_t count,
                   const std::string& what) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* reason = rd_kafka_topic_result_error_string(results[i]);
    return to_error(error, what, reason == nullptr ? "" : reason);
  }
  return {};
}

}  // namespace

// ----------------------------------------------------------------------------------------------
// topics

Result<bool> KafkaAdmin::ask_to_create(const TopicName& name, const log::TopicConfig& config) {
  std::array<char, 512> reason{};
  const std::string what = "cannot create topic '" + name.value() + "'";
  const NewTopicPtr topic(rd_kafka_NewTopic_new(name.value().c_str(), config.partitions,
                                                config.replication, reason.data(), reason.size()));
  if (!topic) return Error(ErrorCode::kConfig, what + ": " + reason.data());
  std::map<std::string, std::string> settings = config.other;
  settings["max.message.bytes"] = std::to_string(wire_bytes_of_message(config.message_bytes_max));
  settings[kTimeAheadConfig] = std::to_string(INT64_MAX);
  settings["retention.ms"] =
      config.retention ? std::to_string(config.retention->count()) : kRetainForEver;
  for (const auto& [key, value] : settings)
    rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str());
  rd_kafka_t* handle = client_->admin();
  const QueuePtr queue(rd_kafka_queue_new(handle));
  const AdminOptionsPtr options = admin_options(*handle, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_NewTopic_t* one = topic.get();
  rd_kafka_CreateTopics(handle, &one, 1, options.get(), queue.get());
  MILLRACE_ASSIGN(const EventPtr answer, wait_for_answer(*queue, what));
  std::size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
  // Another process was faster.
  if (count == 1 &&
      rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
    return false;
  }
  MILLRACE_TRY(first_error(results, count, what));
  return true;
}

Result<bool> KafkaAdmin::create_topic(const TopicName& name, const log::TopicConfig& config) {
  MILLRACE_TRY(log::check_topic(name, config));
  // Asked first: creating needs rights that using does not.
  MILLRACE_ASSIGN(const auto found, find_topics(*client_->admin(), name));
  if (!found.empty()) return false;
  MILLRACE_ASSIGN(const bool created, ask_to_create(name, config));
  MILLRACE_TRY(wait_for_leaders(name));
  return created;
}

Status KafkaAdmin::wait_for_leaders(const TopicName& name) {
  const SteadyTime give_up_at = client_->clock().steady() + kSettleMax;
  while (true) {
    MILLRACE_ASSIGN(const auto found, find_topics(*client_->admin(), name));
    if (!found.empty() &&
        std::all_of(found.front().partitions.begin(), found.front().partitions.end(),
                    [](const auto& partition) { return partition.leader >= 0; })) {
      return {};
    }
    if (client_->clock().steady() >= give_up_at) {
      return Error(ErrorCode::kUnavailable,
                   "topic '" + name.value() + "' was created, but its partitions have no leader");
    }
    client_->clock().sleep_until(client_->clock().steady() + kSettleLook);
  }
}

Result<std::vector<log::TopicInfo>> KafkaAdmin::describe(const std::vector<TopicMetadata>& topics) {
  std::vector<TopicName> names;
  std::vector<log::TopicPartition> sources;
  for (const TopicMetadata& topic : topics) {
    names.push_back(topic.name);
    for (const auto& partition : topic.partitions) {
      if (partition.leader >= 0) sources.push_back({topic.name, partition.id});
    }
  }
  MILLRACE_ASSIGN(const auto settings, describe_configs(*client_->admin(), names));
  MILLRACE_ASSIGN(const auto begins, client_->list_offsets(sources, RD_KAFKA_OFFSET_BEGINNING));
  MILLRACE_ASSIGN(const auto ends, client_->settled_ends(sources));
  std::vector<log::TopicInfo> infos;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    log::TopicInfo info;
    info.name = topics[i].name;
    info.config.partitions = static_cast<std::int32_t>(topics[i].partitions.size());
    info.config.retention = settings[i].retention;
    info.config.message_bytes_max = message_bytes_of_wire(settings[i].wire_bytes_max);
    info.config.other = settings[i].other;
    for (const auto& partition : topics[i].partitions) {
      info.config.replication = partition.replicas;
      const log::TopicPartition source{info.name, partition.id};
      log::PartitionInfo one{partition.id, Offset(0), Offset(0), std::nullopt};
      if (begins.contains(source)) one.begin = begins.at(source);
      if (ends.contains(source)) one.end = ends.at(source);
      if (partition.leader >= 0) one.leader = partition.leader;
      info.partitions.push_back(one);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<std::vector<log::TopicInfo>> KafkaAdmin::topics() {
  MILLRACE_ASSIGN(const auto found, find_topics(*client_->admin(), std::nullopt));
  return describe(found);
}

Result<log::TopicInfo> KafkaAdmin::describe_topic(const TopicName& name) {
  MILLRACE_TRY(client_->partitions_of(name));
  MILLRACE_ASSIGN(const auto found, find_topics(*client_->admin(), name));
  MILLRACE_ASSIGN(auto infos, describe(found));
  if (!infos.empty()) return std::move(infos.front());
  return Error(ErrorCode::kUnknownTopic, "topic '" + name.value() + "' does not exist");
}

Status KafkaAdmin::delete_topic(const TopicName& name) {
  MILLRACE_TRY(client_->partitions_of(name));
  const std::string what = "cannot delete topic '" + name.value() + "'";
  rd_kafka_t* handle = client_->admin();
  const QueuePtr queue(rd_kafka_queue_new(handle));
  const AdminOptionsPtr options = admin_options(*handle, RD_KAFKA_ADMIN_OP_DELETETOPICS);
  rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(name.value().c_str());
  rd_kafka_DeleteTopics(handle, &topic, 1, options.get(), queue.get());
  rd_kafka_DeleteTopic_destroy(topic);
  MILLRACE_ASSIGN(const EventPtr answer, wait_for_answer(*queue, what));
  std::size_t count = 0;
  const auto* results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(answer.get()), &count);
  MILLRACE_TRY(first_error(results, count, what));
  const SteadyTime give_up_at = client_->clock().steady() + kSettleMax;
  while (true) {
    MILLRACE_ASSIGN(const auto found, find_topics(*handle, name));
    if (found.empty()) return {};
    if (client_->clock().steady() >= give_up_at) {
      return Error(ErrorCode::kUnavailable, what + ": the brokers still have it");
    }
    client_->clock().sleep_until(client_->clock().steady() + kSettleLook);
  }
}

Status KafkaAdmin::trim(const log::TopicPartition& source, Offset before) {
  MILLRACE_ASSIGN(const auto begins, client_->list_offsets({source}, RD_KAFKA_OFFSET_BEGINNING));
  MILLRACE_ASSIGN(const auto ends, client_->list_offsets({source}, RD_KAFKA_OFFSET_END));
  if (before <= begins.at(source)) return {};
  const std::string what = "cannot trim topic '" + source.topic.value() + "'";
  const ListPtr list = new_list(1);
  add(*list, source, before >= ends.at(source) ? RD_KAFKA_OFFSET_END : before.value());
  rd_kafka_t* handle = client_->admin();
  const QueuePtr queue(rd_kafka_queue_new(handle));
  const AdminOptionsPtr options = admin_options(*handle, RD_KAFKA_ADMIN_OP_DELETERECORDS);
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list.get());
  rd_kafka_DeleteRecords(handle, &request, 1, options.get(), queue.get());
  rd_kafka_DeleteRecords_destroy(request);
  MILLRACE_ASSIGN(const EventPtr answer, wait_for_answer(*queue, what));
  const auto* done =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(answer.get()));
  for (int i = 0; i < done->cnt; ++i) {
    if (done->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(done->elems[i].err, what);
  }
  return {};
}

Result<std::map<PartitionId, Offset>> KafkaAdmin::offsets_for_time(const TopicName& name,
                                                                   Timestamp time) {
  MILLRACE_ASSIGN(const std::int32_t count, client_->partitions_of(name));
  std::vector<log::TopicPartition> sources;
  for (std::int32_t i = 0; i < count; ++i) sources.push_back({name, PartitionId(i)});
  MILLRACE_ASSIGN(const auto found,
                  client_->list_offsets(sources, std::max<std::int64_t>(time.value(), 0)));
  std::map<PartitionId, Offset> offsets;
  for (const auto& [source, offset] : found) offsets[source.partition] = offset;
  return offsets;
}

// ----------------------------------------------------------------------------------------------
// groups

Result<std::vector<GroupId>> KafkaAdmin::group_ids() {
  const std::string what = "cannot list consumer groups";
  rd_kafka_t* handle = client_->admin();
  const QueuePtr queue(rd_kafka_queue_new(handle));
  const AdminOptionsPtr options = admin_options(*handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
  rd_kafka_ListConsumerGroups(handle, options.get(), queue.get());
  MILLRACE_ASSIGN(const EventPtr answer, wait_for_answer(*queue, what));
  const auto* result = rd_kafka_event_ListConsumerGroups_result(answer.get());
  std::size_t count = 0;
  const auto* errors = rd_kafka_ListConsumerGroups_result_errors(result, &count);
  if (count > 0) return to_error(*errors[0], what);
  const auto* valid = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  std::vector<GroupId> ids;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = rd_kafka_ConsumerGroupListing_group_id(valid[i]);
    if (!id.starts_with(kProducerGroup)) ids.emplace_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<log::GroupInfo> KafkaAdmin::members_of(const GroupId& id) {
  const std::string what = "cannot ask for group '" + id.value() + "'";
  rd_kafka_t* handle = client_->admin();
  const QueuePtr queue(rd_kafka_queue_new(handle));
  const AdminOptionsPtr options = admin_options(*handle, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
  const char* name = id.value().c_str();
  rd_kafka_DescribeConsumerGroups(handle, &name, 1, options.get(), queue.get());
  MILLRACE_ASSIGN(const EventPtr answer, wait_for_answer(*queue, what));
  std::size_t count = 0;
  const auto* groups = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(answer.get()), &count);
  log::GroupInfo info;
  info.id = id;
  info.state = "dead";
  if (count == 0) return info;
  if (const auto* error = rd_kafka_ConsumerGroupDescription_error(groups[0])) {
    // Kafka 4 says so where earlier ones answered with a dead group.
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return info;
    return to_error(*error, what);
  }
  info.state = state_text(rd_kafka_ConsumerGroupDescription_state(groups[0]));
  const std::size_t members = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
  for (std::size_t i = 0; i < members; ++i)
    info.members.push_back(member_info(*rd_kafka_ConsumerGroupDescription_member(groups[0], i)));
  std::sort(info.members.begin(), info.members.end(),
            [](const log::MemberInfo& a, const log::MemberInfo& b) { return a.id < b.id; });
  return info;
}

// Of every partition of the topics that the group reads or has read.
Result<std::vector<log::GroupPosition>> KafkaAdmin::positions_of(const log::GroupInfo& group) {
  MILLRACE_ASSIGN(const auto known, client_->listed_committed(group.id, {}));
  std::set<TopicName> names;
  for (const auto& [source, offset] : known) names.insert(source.topic);
  for (const log::MemberInfo& member : group.members) {
    for (const log::TopicPartition& source : member.assigned) names.insert(source.topic);
  }
  std::vector<log::TopicPartition> sources;
  for (const TopicName& name : names) {
    MILLRACE_ASSIGN(const auto found, find_topics(*client_->admin(), name));
    for (const TopicMetadata& topic : found) {
      for (const auto& partition : topic.partitions) {
        if (partition.leader >= 0) sources.push_back({name, partition.id});
      }
    }
  }
  if (sources.empty()) return std::vector<log::GroupPosition>();
  // Asked for one by one, so that a first commit that is being decided is waited for.
  MILLRACE_ASSIGN(const auto committed, client_->listed_committed(group.id, sources));
  MILLRACE_ASSIGN(const auto begins, client_->list_offsets(sources, RD_KAFKA_OFFSET_BEGINNING));
  MILLRACE_ASSIGN(const auto ends, client_->list_offsets(sources, RD_KAFKA_OFFSET_END));
  std::vector<log::GroupPosition> positions;
  for (const log::TopicPartition& source : sources) {
    log::GroupPosition position{source, std::nullopt, begins.at(source), ends.at(source)};
    if (const auto found = committed.find(source); found != committed.end())
      position.committed = found->second;
    positions.push_back(position);
  }
  return positions;
}

Result<std::vector<log::GroupInfo>> KafkaAdmin::groups() {
  MILLRACE_ASSIGN(const auto ids, group_ids());
  std::vector<log::GroupInfo> groups;
  for (const GroupId& id : ids) {
    auto group = describe_group(id);
    // It may have gone since it was listed.
    if (!group && group.error().code() == ErrorCode::kNoInput) continue;
    if (!group) return group.error();
    groups.push_back(std::move(*group));
  }
  return groups;
}

Result<log::GroupInfo> KafkaAdmin::describe_group(const GroupId& id) {
  MILLRACE_ASSIGN(log::GroupInfo info, members_of(id));
  MILLRACE_ASSIGN(info.positions, positions_of(info));
  if (info.state == "dead" && info.positions.empty()) {
    return Error(ErrorCode::kNoInput,
                 "no consumer group '" + id.value() +
                     "' is known; 'millrace groups list' shows those that are");
  }
  if (info.state == "dead") info.state = "empty";
  return info;
}

namespace {

Status check_empty(const log::GroupInfo& group) {
  if (group.members.empty()) return {};
  std::string names;
  for (const log::MemberInfo& member : group.members)
    names += (names.empty() ? "" : ", ") + member.id;
  return Error(ErrorCode::kTryAgain,
               "group '" + group.id.value() + "' has members (" + names + "); stop them first");
}

}  // namespace

Status KafkaAdmin::delete_group(const GroupId& id) {
  MILLRACE_ASSIGN(const log::GroupInfo info, describe_group(id));
  MILLRACE_TRY(check_empty(info));
  const std::string what = "cannot delete group '" + id.value() + "'";
  rd_kafka_t* handle = client_->admin();
  const QueuePtr queue(rd_kafka_queue_new(handle));
  const AdminOptionsPtr options = admin_options(*handle, RD_KAFKA_ADMIN_OP_DELETEGROUPS);
  auto* request = rd_kafka_DeleteGroup_new(id.value().c_str());
  rd_kafka_DeleteGroups(handle, &request, 1, options.get(), queue.get());
  rd_kafka_DeleteGroup_destroy(request);
  MILLRACE_ASSIGN(const EventPtr answer, wait_for_answer(*queue, what));
  std::size_t count = 0;
  const auto* results =
      rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(answer.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* error = rd_kafka_group_result_error(results[i]);
    if (error == nullptr) continue;
    // A member that has just left may still be counted.
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP)
      return Error(ErrorCode::kTryAgain, what + ": it has members; stop them first");
    return to_error(*error, what);
  }
  return {};
}

Status KafkaAdmin::reset_group(const GroupId& id, const std::vector<log::Position>& positions) {
  MILLRACE_ASSIGN(const log::GroupInfo info, describe_group(id));
  MILLRACE_TRY(check_empty(info));
  std::vector<log::TopicPartition> sources;
  for (const log::Position& position : positions) {
    const log::TopicPartition& source = position.source;
    MILLRACE_ASSIGN(const std::int32_t count, client_->partitions_of(source.topic));
    if (source.partition.value() < 0 || source.partition.value() >= count) {
      return Error(ErrorCode::kUsage, "topic '" + source.topic.value() + "' has no partition " +
                                          std::to_string(source.partition.value()));
    }
    sources.push_back(source);
  }
  MILLRACE_ASSIGN(const auto begins, client_->list_offsets(sources, RD_KAFKA_OFFSET_BEGINNING));
  MILLRACE_ASSIGN(const auto ends, client_->list_offsets(sources, RD_KAFKA_OFFSET_END));
  const ListPtr list = new_list(positions.size());
  for (const log::Position& position : positions) {
    if (position.next < begins.at(position.source) || position.next > ends.at(position.source)) {
      return Error(ErrorCode::kUsage, "offset " + std::to_string(position.next.value()) +
                                          " is outside of " + position.source.topic.value() + "/" +
                                          std::to_string(position.source.partition.value()));
    }
    add(*list, position.source, position.next.value());
  }
  if (positions.empty()) return {};
  const std::string what = "cannot set the positions of group '" + id.value() + "'";
  rd_kafka_t* handle = client_->admin();
  const QueuePtr queue(rd_kafka_queue_new(handle));
  const AdminOptionsPtr options =
      admin_options(*handle, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);
  auto* request = rd_kafka_AlterConsumerGroupOffsets_new(id.value().c_str(), list.get());
  rd_kafka_AlterConsumerGroupOffsets(handle, &request, 1, options.get(), queue.get());
  rd_kafka_AlterConsumerGroupOffsets_destroy(request);
  MILLRACE_ASSIGN(const EventPtr answer, wait_for_answer(*queue, what));
  std::size_t count = 0;
  const auto* results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(answer.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto* error = rd_kafka_group_result_error(results[i])) return to_error(*error, what);
    const auto* set = rd_kafka_group_result_partitions(results[i]);
    for (int k = 0; k < set->cnt; ++k) {
      if (set->elems[k].err != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(set->elems[k].err, what);
    }
  }
  return {};
}

}  // namespace millrace::log_kafka::internal
