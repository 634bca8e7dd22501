// millrace groups list|describe
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "json/json.h"

namespace millrace::app {
namespace {

std::int64_t total_lag(const log::GroupInfo& group) {
  std::int64_t lag = 0;
  for (const log::GroupPosition& position : group.positions) lag += position.consumer_lag();
  return lag;
}

json::Value to_json(const log::GroupInfo& group) {
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
    object["positions"].push_back(
        {{"topic", position.source.topic.value()},
         {"partition", position.source.partition.value()},
         {"committed",
          position.committed ? json::Value(position.committed->value()) : json::Value()},
         {"begin", position.begin.value()},
         {"end", position.end.value()},
         {"consumer_lag", position.consumer_lag()}});
  }
  return object;
}

Result<int> list(Session& session) {
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  MILLRACE_ASSIGN(const std::vector<log::GroupInfo> groups, log->admin().groups());
  json::Value result;
  result["groups"] = json::Value::array();
  Table table({{"group"},
               {"state"},
               {"members", Table::Align::kRight},
               {"consumer lag", Table::Align::kRight}});
  for (const log::GroupInfo& group : groups) {
    result["groups"].push_back(to_json(group));
    table.add_row({group.id.value(), group.state, std::to_string(group.members.size()),
                   human_count(static_cast<std::uint64_t>(total_lag(group)))});
  }
  MILLRACE_TRY(session.finish(result, groups.empty() ? "no consumer groups" : table.to_string()));
  return 0;
}

Result<int> describe(Session& session, const std::string& name) {
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  MILLRACE_ASSIGN(const log::GroupInfo group, log->admin().describe_group(GroupId(name)));
  Table table({{"topic"},
               {"partition", Table::Align::kRight},
               {"committed", Table::Align::kRight},
               {"end", Table::Align::kRight},
               {"consumer lag", Table::Align::kRight},
               {"member"}});
  for (const log::GroupPosition& position : group.positions) {
    std::string owner = "-";
    for (const log::MemberInfo& member : group.members) {
      for (const auto& source : member.assigned) {
        if (source == position.source) owner = member.id;
      }
    }
    table.add_row({position.source.topic.value(), std::to_string(position.source.partition.value()),
                   position.committed ? std::to_string(position.committed->value()) : "-",
                   std::to_string(position.end.value()),
                   human_count(static_cast<std::uint64_t>(position.consumer_lag())), owner});
  }
  MILLRACE_TRY(session.finish(to_json(group), group.id.value() + " is " + group.state + ", " +
                                                  std::to_string(group.members.size()) +
                                                  " members\n" + table.to_string()));
  return 0;
}

}  // namespace

void register_groups(CommandLine& line) {
  auto name = std::make_shared<std::string>();
  Command groups =
      line.command("groups", "List consumer groups, see their positions and members",
                   "millrace groups list\nmillrace groups describe telco-churn-consumer");
  groups.subcommand("list", "List consumer groups", "millrace groups list --json")
      .runs([](Session& session) { return list(session); });
  groups
      .subcommand("describe", "Members, positions and consumer lag of a group",
                  "millrace groups describe telco-churn-consumer")
      .positional("group", name.get(), "Group")
      .runs([name](Session& session) { return describe(session, *name); });
}

}  // namespace millrace::app
