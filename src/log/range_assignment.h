// Which member of a consumer group reads which partition: by range, so that equal partition
// numbers of topics that are read together go to the same member.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "log/record.h"

namespace millrace::log {

struct Subscription {
  std::string member;  // unique within the group
  std::vector<TopicName> topics;
};

// Topics with the same subscribers are dealt out together: their partition numbers 0 to n-1 (n of
// the topic with most) are cut into contiguous ranges over the subscribers sorted by id, the first
// n mod m members getting one more. Topics that nobody reads, or that are not in `partitions`, are
// left out. Pure: the same input gives the same answer in every process.
std::map<TopicPartition, std::string> range_assignment(
    const std::vector<Subscription>& members, const std::map<TopicName, std::int32_t>& partitions);

}  // namespace millrace::log
