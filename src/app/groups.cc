// millrace groups list|describe|reset
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/group_view.h"
#include "app/groups_reset.h"
#include "app/groups_watch.h"
#include "app/session.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "json/json.h"

namespace millrace::app {
namespace {

struct Watching {
  bool watch = false;
  std::int64_t interval_ms = 1000;
};

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
    MILLRACE_ASSIGN(const Leaders leaders, leaders_of(*log, group));
    result["groups"].push_back(to_json(group, leaders));
    table.add_row({group.id.value(), group.state, std::to_string(group.members.size()),
                   human_count(static_cast<std::uint64_t>(total_lag(group)))});
  }
  MILLRACE_TRY(session.finish(result, groups.empty() ? "no consumer groups" : table.to_string()));
  return 0;
}

std::string members_text(const log::GroupInfo& group) {
  if (group.members.empty()) return "";
  Table table({{"member"}, {"client"}, {"partitions", Table::Align::kRight}});
  for (const log::MemberInfo& member : group.members) {
    table.add_row({member.id, member.client, std::to_string(member.assigned.size())});
  }
  return table.to_string() + "\n";
}

std::string positions_text(const log::GroupInfo& group, const Leaders& leaders) {
  std::vector<Table::Column> columns = {{"topic"},
                                        {"partition", Table::Align::kRight},
                                        {"committed", Table::Align::kRight},
                                        {"end", Table::Align::kRight},
                                        {"consumer lag", Table::Align::kRight},
                                        {"member"}};
  if (!leaders.empty()) columns.push_back({"leader", Table::Align::kRight});
  Table table(columns);
  for (const log::GroupPosition& position : group.positions) {
    const std::string owner = owner_of(group, position.source);
    std::vector<std::string> row = {
        position.source.topic.value(),
        std::to_string(position.source.partition.value()),
        position.committed ? std::to_string(position.committed->value()) : "-",
        std::to_string(position.end.value()),
        human_count(static_cast<std::uint64_t>(position.consumer_lag())),
        owner.empty() ? "-" : owner};
    if (!leaders.empty()) {
      const auto leader = leaders.find(position.source);
      row.push_back(leader == leaders.end() ? "-" : std::to_string(leader->second));
    }
    table.add_row(row);
  }
  return table.to_string();
}

Result<int> describe(Session& session, const std::string& name) {
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  MILLRACE_ASSIGN(const log::GroupInfo group, log->admin().describe_group(GroupId(name)));
  MILLRACE_ASSIGN(const Leaders leaders, leaders_of(*log, group));
  const std::string members =
      std::to_string(group.members.size()) + (group.members.size() == 1 ? " member" : " members");
  const std::string text = group.id.value() + " is " + group.state + ", " + members +
                           ", consumer lag " +
                           human_count(static_cast<std::uint64_t>(total_lag(group))) + "\n\n" +
                           members_text(group) + positions_text(group, leaders);
  MILLRACE_TRY(session.finish(to_json(group, leaders), text));
  return 0;
}

}  // namespace

void register_groups(CommandLine& line) {
  auto options = std::make_shared<GroupsResetOptions>();
  auto watching = std::make_shared<Watching>();
  Command groups =
      line.command("groups", "List consumer groups, see their positions and members, move them",
                   "millrace groups list\n"
                   "millrace groups describe telco-churn-consumer\n"
                   "millrace groups reset telco-churn-consumer --to earliest --dry-run");
  groups.subcommand("list", "List consumer groups", "millrace groups list --json")
      .runs([](Session& session) { return list(session); });
  groups
      .subcommand("describe", "Members, positions and consumer lag of a group",
                  "millrace groups describe telco-churn-consumer\n"
                  "millrace groups describe telco-churn-consumer --watch   records in and out a "
                  "second")
      .positional("group", &options->group, "Group")
      .flag("--watch", &watching->watch, "Look again and again; q or Ctrl-C ends it")
      .value("--interval-ms", &watching->interval_ms, "Time between two looks", 100, 3'600'000)
      .runs([options, watching](Session& session) {
        if (!watching->watch) return describe(session, options->group);
        return watch_group(session, options->group, Milliseconds(watching->interval_ms));
      });
  groups
      .subcommand("reset", "Move a group without members to other positions",
                  "millrace groups reset telco-churn-consumer --to earliest --dry-run\n"
                  "millrace groups reset telco-churn-consumer --to 2h\n"
                  "millrace groups reset telco-churn-consumer --to 1200 --partition 2")
      .positional("group", &options->group, "Group")
      .value("--to", &options->to,
             "earliest, latest, an offset, a time (2025-10-11T03:28:23Z), or a span back (15m)")
      .value("--topic", &options->topic, "Only this topic (default: all that the group has read)")
      .value("--partition", &options->partition, "Only this partition", 0, INT32_MAX)
      .flag("--dry-run", &options->dry_run, "Show the positions before and after, change nothing")
      .runs([options](Session& session) { return reset_group(session, *options); });
}

}  // namespace millrace::app
