#include "log/range_assignment.h"

#include <algorithm>
#include <set>

namespace millrace::log {

std::map<TopicPartition, std::string> range_assignment(
    const std::vector<Subscription>& members, const std::map<TopicName, std::int32_t>& partitions) {
  std::map<TopicName, std::set<std::string>> subscribers;
  for (const Subscription& member : members) {
    for (const TopicName& topic : member.topics) {
      if (partitions.contains(topic)) subscribers[topic].insert(member.member);
    }
  }
  std::map<std::set<std::string>, std::vector<TopicName>> together;
  for (const auto& [topic, who] : subscribers) together[who].push_back(topic);

  std::map<TopicPartition, std::string> result;
  for (const auto& [who, topics] : together) {
    std::int32_t most = 0;
    for (const TopicName& topic : topics) most = std::max(most, partitions.at(topic));
    const auto count = static_cast<std::int32_t>(who.size());
    std::int32_t number = 0;
    std::int32_t index = 0;
    for (const std::string& member : who) {
      const std::int32_t share = most / count + (index++ < most % count ? 1 : 0);
      for (const std::int32_t stop = number + share; number < stop; ++number) {
        for (const TopicName& topic : topics) {
          if (number < partitions.at(topic)) result[{topic, PartitionId(number)}] = member;
        }
      }
    }
  }
  return result;
}

}  // namespace millrace::log
