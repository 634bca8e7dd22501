#include "app/groups_watch.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "app/group_view.h"
#include "app/terminal/live_view.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "json/json.h"

namespace millrace::app {
namespace {

struct Look {
  log::GroupInfo group;
  Leaders leaders;
  SteadyTime at;
};

struct Rates {
  double in = 0;
  double out = 0;
};

Result<Look> look(Session& session, log::Log& log, const GroupId& id) {
  Look now;
  MILLRACE_ASSIGN(now.group, log.admin().describe_group(id));
  MILLRACE_ASSIGN(now.leaders, leaders_of(log, now.group));
  now.at = session.clock().steady();
  return now;
}

std::map<log::TopicPartition, Rates> rates_between(const Look& before, const Look& now) {
  std::map<log::TopicPartition, Rates> rates;
  const double span = std::chrono::duration<double>(now.at - before.at).count();
  if (!(span > 0)) return rates;
  for (const log::GroupPosition& then : before.group.positions) {
    for (const log::GroupPosition& later : now.group.positions) {
      if (later.source != then.source) continue;
      const auto moved = [span](Offset from, Offset to) {
        return to > from ? static_cast<double>(to.value() - from.value()) / span : 0.0;
      };
      rates[later.source] = {
          moved(then.end, later.end),
          moved(then.committed.value_or(then.begin), later.committed.value_or(later.begin))};
    }
  }
  return rates;
}

std::string to_text(const Look& now, const std::map<log::TopicPartition, Rates>& rates,
                    const Screen& screen) {
  const auto rate_of = [&rates](const log::TopicPartition& source, double Rates::*which) {
    const auto found = rates.find(source);
    return found == rates.end() ? std::string("-") : human_rate(found->second.*which);
  };
  std::vector<Table::Column> columns = {{"topic"},
                                        {"partition", Table::Align::kRight},
                                        {"committed", Table::Align::kRight},
                                        {"end", Table::Align::kRight},
                                        {"consumer lag", Table::Align::kRight},
                                        {"in", Table::Align::kRight},
                                        {"out", Table::Align::kRight},
                                        {"member"}};
  if (!now.leaders.empty()) columns.push_back({"leader", Table::Align::kRight});
  Table table(columns);
  for (const log::GroupPosition& position : now.group.positions) {
    const std::string owner = owner_of(now.group, position.source);
    std::vector<std::string> row = {
        position.source.topic.value(),
        std::to_string(position.source.partition.value()),
        position.committed ? std::to_string(position.committed->value()) : "-",
        std::to_string(position.end.value()),
        human_count(static_cast<std::uint64_t>(position.consumer_lag())),
        rate_of(position.source, &Rates::in),
        rate_of(position.source, &Rates::out),
        owner.empty() ? "-" : owner};
    if (!now.leaders.empty()) {
      const auto leader = now.leaders.find(position.source);
      row.push_back(leader == now.leaders.end() ? "-" : std::to_string(leader->second));
    }
    table.add_row(row);
  }
  return now.group.id.value() + " is " + now.group.state + ", " +
         std::to_string(now.group.members.size()) + " members, consumer lag " +
         human_count(static_cast<std::uint64_t>(total_lag(now.group))) + "\n" +
         table.to_string(screen);
}

json::Value to_json(const Look& now, const std::map<log::TopicPartition, Rates>& rates) {
  json::Value object = app::to_json(now.group, now.leaders);
  for (std::size_t i = 0; i < now.group.positions.size(); ++i) {
    const auto found = rates.find(now.group.positions[i].source);
    if (found == rates.end()) continue;
    object["positions"][i]["in_per_s"] = found->second.in;
    object["positions"][i]["out_per_s"] = found->second.out;
  }
  return object;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

}  // namespace

Result<int> watch_group(Session& session, const std::string& group, Milliseconds interval) {
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  std::optional<Look> before;
  MILLRACE_ASSIGN(before, look(session, *log, GroupId(group)));
  const bool json = session.flags().json;
  std::optional<LiveView> view;
  if (!json) view.emplace(session.stop());
  const bool live = view && view->is_live();
  if (live) view->draw(split_lines(to_text(*before, {}, view->screen())));
  while (true) {
    if (view) {
      const SteadyTime due = session.clock().steady() + interval;
      while (session.clock().steady() < due) {
        const auto left = std::chrono::ceil<Milliseconds>(due - session.clock().steady());
        if (view->wait(left) != LiveView::Woken::kTime) return 0;
      }
    } else {
      session.clock().sleep_until(session.clock().steady() + interval);
      if (session.stop().requested()) return 0;
    }
    MILLRACE_ASSIGN(Look now, look(session, *log, GroupId(group)));
    const auto rates = rates_between(*before, now);
    if (live) {
      view->draw(split_lines(to_text(now, rates, view->screen())));
    } else {
      MILLRACE_TRY(session.write(json ? json::to_line(to_json(now, rates)) + "\n"
                                      : to_text(now, rates, Screen()) + "\n"));
      MILLRACE_TRY(session.flush());
      if (session.output_closed()) return 0;
    }
    before = std::move(now);
  }
}

}  // namespace millrace::app
