// What every log refuses to do to a consumer group, in the same words.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"

namespace millrace::log {

// kTryAgain naming the members (id and client) while there are any: what they commit next would
// undo the new positions.
Status check_no_members(const GroupId& group, const std::vector<MemberInfo>& members);

// kUsage unless begin <= next <= end.
Status check_position(const Position& position, Offset begin, Offset end);

// kUsage: the topic has no such partition.
Error no_such_partition(const TopicPartition& source);

}  // namespace millrace::log
