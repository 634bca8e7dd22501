#include "app/group_view.h"

#include <set>

#include "json/json.h"

namespace millrace::app {

Result<Leaders> leaders_of(log::Log& log, const log::GroupInfo& group) {
  Leaders leaders;
  if (!log.capabilities().brokers) return leaders;
  std::set<TopicName> topics;
  for (const log::GroupPosition& position : group.positions) topics.insert(position.source.topic);
  for (const TopicName& name : topics) {
    const auto info = log.admin().describe_topic(name);
    if (!info && info.error().code() == ErrorCode::kUnknownTopic) continue;
    if (!info) return info.error();
    for (const log::PartitionInfo& partition : info->partitions) {
      if (partition.leader) leaders[{name, partition.partition}] = *partition.leader;
    }
  }
  return leaders;
}

std::int64_t total_lag(const log::GroupInfo& group) {
  std::int64_t lag = 0;
  for (const log::GroupPosition& position : group.positions) lag += position.consumer_lag();
  return lag;
}

std::string owner_of(const log::GroupInfo& group, const log::TopicPartition& source) {
  for (const log::MemberInfo& member : group.members) {
    for (const log::TopicPartition& assigned : member.assigned) {
      if (assigned == source) return member.id;
    }
  }
  return "";
}

json::Value to_json(const log::GroupInfo& group, const Leaders& leaders) {
  json::Value object;
  object["group"] = group.id.value();
  object["state"] = group.state;
  object["consumer_lag"] = total_lag(group);
  object["members"] = json::Value::array();
  for (const log::MemberInfo& member : group.members) {
    json::Value assigned = json::Value::array();
    for (const auto& source : member.assigned) {
      assigned.push_back(source.topic.value() + "/" + std::to_string(source.partition.value()));
    }
    object["members"].push_back(
        {{"id", member.id}, {"client", member.client}, {"assigned", assigned}});
  }
  object["positions"] = json::Value::array();
  for (const log::GroupPosition& position : group.positions) {
    const std::string owner = owner_of(group, position.source);
    const auto leader = leaders.find(position.source);
    object["positions"].push_back(
        {{"topic", position.source.topic.value()},
         {"partition", position.source.partition.value()},
         {"committed",
          position.committed ? json::Value(position.committed->value()) : json::Value()},
         {"begin", position.begin.value()},
         {"end", position.end.value()},
         {"consumer_lag", position.consumer_lag()},
         {"member", owner.empty() ? json::Value() : json::Value(owner)},
         {"leader", leader == leaders.end() ? json::Value() : json::Value(leader->second)}});
  }
  return object;
}

}  // namespace millrace::app
