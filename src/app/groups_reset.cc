// millrace groups reset
#include "app/groups_reset.h"

#include <algorithm>
#include <memory>
#include <set>

#include "app/start_point.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "json/json.h"
#include "log/group_rules.h"

namespace millrace::app {
namespace {

struct Move {
  log::Position to;
  std::optional<Offset> before;
  Offset begin;
  Offset end;
};

// The topics whose positions are moved: the one named, or every one the group has read.
Result<std::vector<log::TopicInfo>> topics_of(log::Admin& admin, const log::GroupInfo& group,
                                              const GroupsResetOptions& options) {
  std::set<TopicName> names;
  for (const log::GroupPosition& position : group.positions) names.insert(position.source.topic);
  if (options.topic) names = {TopicName(*options.topic)};
  if (names.empty()) {
    return Error(ErrorCode::kUsage, "consumer group '" + group.id.value() +
                                        "' has read no topic yet; name one with --topic");
  }
  if (options.partition && names.size() > 1) {
    return Error(ErrorCode::kUsage, "consumer group '" + group.id.value() +
                                        "' reads several topics; say whose partition with --topic");
  }
  std::vector<log::TopicInfo> topics;
  for (const TopicName& name : names) {
    MILLRACE_ASSIGN(log::TopicInfo info, admin.describe_topic(name));
    topics.push_back(std::move(info));
  }
  return topics;
}

Result<std::vector<Move>> plan(log::Admin& admin, const log::GroupInfo& group,
                               const GroupsResetOptions& options, const StartPoint& start) {
  std::vector<Move> moves;
  MILLRACE_ASSIGN(const auto topics, topics_of(admin, group, options));
  for (const log::TopicInfo& topic : topics) {
    MILLRACE_ASSIGN(const auto offsets, offsets_of(admin, topic, start));
    for (const log::PartitionInfo& partition : topic.partitions) {
      if (options.partition && partition.partition.value() != *options.partition) continue;
      Move move{{{topic.name, partition.partition}, offsets.at(partition.partition)},
                std::nullopt,
                partition.begin,
                partition.end};
      MILLRACE_TRY(log::check_position(move.to, partition.begin, partition.end));
      for (const log::GroupPosition& position : group.positions) {
        if (position.source == move.to.source) move.before = position.committed;
      }
      moves.push_back(move);
    }
  }
  if (moves.empty() && options.partition) {
    return log::no_such_partition(
        {topics.front().name, PartitionId(static_cast<std::int32_t>(*options.partition))});
  }
  return moves;
}

json::Value to_json(const GroupsResetOptions& options, const std::vector<Move>& moves) {
  json::Value result;
  result["group"] = options.group;
  result["to"] = *options.to;
  result["dry_run"] = options.dry_run;
  result["positions"] = json::Value::array();
  for (const Move& move : moves) {
    result["positions"].push_back(
        {{"topic", move.to.source.topic.value()},
         {"partition", move.to.source.partition.value()},
         {"before", move.before ? json::Value(move.before->value()) : json::Value()},
         {"after", move.to.next.value()},
         {"begin", move.begin.value()},
         {"end", move.end.value()},
         {"consumer_lag", move.end.value() - move.to.next.value()}});
  }
  return result;
}

std::string to_text(const std::vector<Move>& moves) {
  Table table({{"topic"},
               {"partition", Table::Align::kRight},
               {"before", Table::Align::kRight},
               {"after", Table::Align::kRight},
               {"end", Table::Align::kRight},
               {"consumer lag", Table::Align::kRight}});
  for (const Move& move : moves) {
    table.add_row(
        {move.to.source.topic.value(), std::to_string(move.to.source.partition.value()),
         move.before ? std::to_string(move.before->value()) : "-",
         std::to_string(move.to.next.value()), std::to_string(move.end.value()),
         human_count(static_cast<std::uint64_t>(move.end.value() - move.to.next.value()))});
  }
  return table.to_string();
}

}  // namespace

Result<int> reset_group(Session& session, const GroupsResetOptions& options) {
  if (!options.to) {
    return Error(ErrorCode::kUsage, "say where to with --to earliest|latest|OFFSET|TIME");
  }
  MILLRACE_ASSIGN(const StartPoint start,
                  parse_start_point("--to", *options.to, session.clock().now(), Offsets::kTaken));
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  log::Admin& admin = log->admin();
  MILLRACE_ASSIGN(const log::GroupInfo group, admin.describe_group(GroupId(options.group)));
  const Status free = log::check_no_members(group.id, group.members);
  if (!free && !options.dry_run) return free.error();
  MILLRACE_ASSIGN(const std::vector<Move> moves, plan(admin, group, options, start));
  std::string text = to_text(moves);
  if (options.dry_run) {
    text += "nothing was changed (--dry-run)\n";
    if (!free) session.say("this would be refused: " + free.error().message());
  } else {
    std::vector<log::Position> positions;
    for (const Move& move : moves) positions.push_back(move.to);
    MILLRACE_TRY(admin.reset_group(group.id, positions));
  }
  MILLRACE_TRY(session.finish(to_json(options, moves), text));
  return 0;
}

}  // namespace millrace::app
