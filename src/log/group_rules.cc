#include "log/group_rules.h"

#include <algorithm>

namespace millrace::log {

Status check_no_members(const GroupId& group, const std::vector<MemberInfo>& members) {
  if (members.empty()) return {};
  constexpr std::size_t kNamed = 10;
  std::string names;
  for (std::size_t i = 0; i < std::min(members.size(), kNamed); ++i) {
    names += (i == 0 ? "" : ", ") + members[i].id + " (" + members[i].client + ")";
  }
  if (members.size() > kNamed) {
    names += " and " + std::to_string(members.size() - kNamed) + " more";
  }
  return Error(ErrorCode::kTryAgain, "consumer group '" + group.value() +
                                         "' has members at work: " + names + "; stop them first");
}

Status check_position(const Position& position, Offset begin, Offset end) {
  if (position.next >= begin && position.next <= end) return {};
  return Error(ErrorCode::kUsage, "offset " + std::to_string(position.next.value()) +
                                      " is outside of " + position.source.topic.value() + "/" +
                                      std::to_string(position.source.partition.value()) +
                                      ", which goes from " + std::to_string(begin.value()) +
                                      " to " + std::to_string(end.value()));
}

Error no_such_partition(const TopicPartition& source) {
  return Error(ErrorCode::kUsage, "topic '" + source.topic.value() + "' has no partition " +
                                      std::to_string(source.partition.value()));
}

}  // namespace millrace::log
