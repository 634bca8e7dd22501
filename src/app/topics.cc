// millrace topics create|list|describe|dump|delete
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/record_json.h"
#include "app/session.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr Milliseconds kLook{500};  // a signal is noticed this often while nothing comes
constexpr std::string_view kInternalPrefix = "__";

struct Options {
  std::string pipeline;
  std::string topic;
  std::vector<std::string> names;
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> last;
  std::optional<std::int64_t> partitions;
  std::optional<std::int64_t> partition;
  bool all = false;
  bool yes = false;
};

json::Value to_json(const log::Log& log, const log::TopicInfo& info) {
  json::Value object;
  object["topic"] = info.name.value();
  object["partitions"] = info.config.partitions;
  object["replication"] = info.config.replication;
  object["retention_ms"] =
      info.config.retention ? json::Value(info.config.retention->count()) : json::Value();
  object["message_bytes_max"] = info.config.message_bytes_max;
  const bool embedded = log.capabilities().embedded;  // brokers tell none of these
  object["incarnation"] = embedded ? json::Value(info.incarnation) : json::Value();
  object["created"] = embedded ? json::Value(env::format_rfc3339(info.created)) : json::Value();
  object["bytes"] = embedded ? json::Value(info.bytes) : json::Value();
  std::int64_t records = 0;
  json::Value list = json::Value::array();
  for (const log::PartitionInfo& partition : info.partitions) {
    const std::int64_t held = partition.end.value() - partition.begin.value();
    records += held;
    list.push_back({{"partition", partition.partition.value()},
                    {"begin", partition.begin.value()},
                    {"end", partition.end.value()},
                    {"leader", partition.leader ? json::Value(*partition.leader) : json::Value()}});
  }
  object["records"] = records;
  object["partition_list"] = std::move(list);
  for (const auto& [key, value] : info.config.other) object["config"][key] = value;
  return object;
}

Result<int> create(Session& session, const Options& options) {
  if (!options.pipeline.empty() && (!options.topic.empty() || options.partitions)) {
    return Error(ErrorCode::kUsage,
                 "a pipeline says its topics and their partitions: leave --topic and --partitions "
                 "away, or the pipeline");
  }
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                  session.open_log(Session::Create::kIfMissing));
  std::vector<spec::TopicSpec> topics;
  if (!options.topic.empty()) {
    spec::TopicSpec topic;
    topic.name = TopicName(options.topic);
    topic.config.partitions = static_cast<std::int32_t>(options.partitions.value_or(1));
    topics.push_back(topic);
  } else if (!options.pipeline.empty()) {
    MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
    topics = {loaded.pipeline.input.topic, loaded.pipeline.output.topic,
              loaded.pipeline.dead_letter.topic};
  } else {
    return Error(ErrorCode::kUsage, "name a pipeline, or a topic with --topic");
  }
  json::Value result;
  result["created"] = json::Value::array();
  result["existing"] = json::Value::array();
  std::string text;
  for (const spec::TopicSpec& topic : topics) {
    MILLRACE_ASSIGN(const bool created, log->admin().create_topic(topic.name, topic.config));
    result[created ? "created" : "existing"].push_back(topic.name.value());
    text += (created ? "created " : "exists  ") + topic.name.value() + "\n";
  }
  MILLRACE_TRY(session.finish(result, text));
  return 0;
}

Result<int> list(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  MILLRACE_ASSIGN(std::vector<log::TopicInfo> topics, log->admin().topics());
  std::sort(topics.begin(), topics.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  json::Value result;
  result["topics"] = json::Value::array();
  Table table({{"topic"},
               {"partitions", Table::Align::kRight},
               {"records", Table::Align::kRight},
               {"size", Table::Align::kRight},
               {"retention", Table::Align::kRight}});
  for (const log::TopicInfo& info : topics) {
    if (!options.all && info.name.value().starts_with(kInternalPrefix)) continue;
    const json::Value object = to_json(*log, info);
    result["topics"].push_back(object);
    table.add_row({info.name.value(), std::to_string(info.config.partitions),
                   human_count(object["records"].get<std::uint64_t>()),
                   log->capabilities().embedded ? human_bytes(info.bytes) : "-",
                   info.config.retention
                       ? human_seconds(static_cast<double>(info.config.retention->count()) / 1000)
                       : "-"});
  }
  MILLRACE_TRY(session.finish(result, result["topics"].empty() ? "no topics" : table.to_string()));
  return 0;
}

// What each group has left to do on the topic.
std::map<std::string, std::int64_t> lag_by_group(const std::vector<log::GroupInfo>& groups,
                                                 const TopicName& topic) {
  std::map<std::string, std::int64_t> lags;
  for (const log::GroupInfo& group : groups) {
    for (const log::GroupPosition& position : group.positions) {
      if (position.source.topic == topic) lags[group.id.value()] += position.consumer_lag();
    }
  }
  return lags;
}

std::string partitions_text(const log::TopicInfo& info, bool with_leaders) {
  std::vector<Table::Column> columns = {{"partition", Table::Align::kRight},
                                        {"begin", Table::Align::kRight},
                                        {"end", Table::Align::kRight},
                                        {"records", Table::Align::kRight}};
  if (with_leaders) columns.push_back({"leader", Table::Align::kRight});
  Table table(columns);
  for (const log::PartitionInfo& p : info.partitions) {
    std::vector<std::string> row = {
        std::to_string(p.partition.value()), std::to_string(p.begin.value()),
        std::to_string(p.end.value()),
        human_count(static_cast<std::uint64_t>(p.end.value() - p.begin.value()))};
    if (with_leaders) row.push_back(p.leader ? std::to_string(*p.leader) : "none");
    table.add_row(row);
  }
  return table.to_string();
}

Result<int> describe(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log_with(options.topic));
  MILLRACE_ASSIGN(const log::TopicInfo info, log->admin().describe_topic(TopicName(options.topic)));
  MILLRACE_ASSIGN(const std::vector<log::GroupInfo> groups, log->admin().groups());
  const auto lags = lag_by_group(groups, info.name);
  json::Value object = to_json(*log, info);
  object["consumer_lag"] = json::Value::object();
  for (const auto& [group, lag] : lags) object["consumer_lag"][group] = lag;
  std::string text = info.name.value() + "  ";
  // Brokers tell neither.
  if (log->capabilities().embedded) {
    text += human_bytes(info.bytes) + ", created " + env::format_rfc3339(info.created) + ", ";
  }
  text += "messages up to " + human_bytes(info.config.message_bytes_max);
  if (info.config.retention) {
    text +=
        ", retention " + human_seconds(static_cast<double>(info.config.retention->count()) / 1000);
    if (log->capabilities().embedded) text += " (not applied yet)";
  }
  text += "\n" + partitions_text(info, log->capabilities().brokers);
  if (!lags.empty()) {
    Table table({{"group"}, {"consumer lag", Table::Align::kRight}});
    for (const auto& [group, lag] : lags) {
      table.add_row({group, human_count(static_cast<std::uint64_t>(lag))});
    }
    text += "\n" + table.to_string();
  }
  MILLRACE_TRY(session.finish(object, text));
  return 0;
}

// Reads a topic to its end offsets, in order of partition, then offset.
Status read_topic(log::Log& log, const Options& options, const log::TopicInfo& info,
                  const env::StopToken& stop,
                  const std::function<bool(const log::TopicPartition&, const log::Record&)>& each) {
  for (const log::PartitionInfo& partition : info.partitions) {
    if (options.partition && partition.partition.value() != *options.partition) continue;
    log::ReaderOptions reading;
    reading.topic = info.name;
    reading.partitions = {partition.partition};
    MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader, log.open_reader(reading));
    while (!reader->at_end()) {
      const auto batch = reader->next(env::real_clock().steady() + kLook);
      if (!batch) return batch.error();
      if (!*batch && stop.requested()) return {};
      if (!*batch) continue;
      for (const log::Record& record : (*batch)->records) {
        if (!each((*batch)->source, record)) return {};
      }
    }
  }
  return {};
}

// Which records are the first or last N by timestamp over the whole topic; ties go to partition,
// then offset.
class Choice {
 public:
  using Place =
      std::tuple<std::int64_t, std::int32_t, std::int64_t>;  // timestamp, partition, offset
  Choice(std::size_t count, bool last) : count_(count), last_(last) {}

  void offer(const log::TopicPartition& source, const log::Record& record) {
    places_.insert({record.timestamp.value(), source.partition.value(), record.offset.value()});
    if (places_.size() > count_) places_.erase(last_ ? places_.begin() : std::prev(places_.end()));
  }
  bool holds(const log::TopicPartition& source, const log::Record& record) const {
    return places_.contains(
        {record.timestamp.value(), source.partition.value(), record.offset.value()});
  }

 private:
  std::size_t count_;
  bool last_;
  std::set<Place> places_;
};

Result<int> dump(Session& session, const Options& options) {
  if (options.first && options.last)
    return Error(ErrorCode::kUsage, "--first and --last exclude each other");
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log_with(options.topic));
  MILLRACE_ASSIGN(const log::TopicInfo info, log->admin().describe_topic(TopicName(options.topic)));
  if (options.partition && *options.partition >= info.config.partitions) {
    return Error(ErrorCode::kUsage, "topic '" + options.topic + "' has no partition " +
                                        std::to_string(*options.partition));
  }
  const bool some = options.first || options.last;
  Choice choice(static_cast<std::size_t>(options.first.value_or(options.last.value_or(0))),
                options.last.has_value());
  if (some) {
    MILLRACE_TRY(read_topic(*log, options, info, session.stop(),
                            [&](const log::TopicPartition& source, const log::Record& record) {
                              choice.offer(source, record);
                              return !session.stop().requested();
                            }));
  }
  Status written;
  MILLRACE_TRY(read_topic(
      *log, options, info, session.stop(),
      [&](const log::TopicPartition& source, const log::Record& record) {
        if (some && !choice.holds(source, record)) return true;
        written = session.write(json::to_line(record_to_json(source, record)) + "\n");
        return written.has_value() && !session.output_closed() && !session.stop().requested();
      }));
  MILLRACE_TRY(std::move(written));
  return session.stop().signal() != 0 ? 128 + session.stop().signal() : 0;
}

Result<int> remove(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log_with(options.topic));
  if (!options.yes) {
    MILLRACE_TRY(log->admin().describe_topic(TopicName(options.topic)));
    return Error(ErrorCode::kUsage,
                 "this deletes topic '" + options.topic + "' with all its records; say --yes");
  }
  MILLRACE_TRY(log->admin().delete_topic(TopicName(options.topic)));
  json::Value result;
  result["deleted"] = options.topic;
  MILLRACE_TRY(session.finish(result, "deleted " + options.topic));
  return 0;
}

}  // namespace

void register_topics(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command topics = line.command("topics", "Create, list, look into and delete topics",
                                "millrace topics create telco-churn\n"
                                "millrace topics list\n"
                                "millrace topics dump telco.churn.predictions --last 5");
  topics
      .subcommand("create", "Create a pipeline's topics, or one; existing ones stay as they are",
                  "millrace topics create telco-churn\nmillrace topics create --topic my.topic "
                  "--partitions 3")
      .positional("pipeline", &options->pipeline, "Shipped name, folder, or file",
                  Presence::kOptional)
      .value("--topic", &options->topic, "One topic of this name instead")
      .value("--partitions", &options->partitions, "Its partitions (default: 1)", 1, 10'000)
      .runs([options](Session& session) { return create(session, *options); });
  topics.subcommand("list", "List topics", "millrace topics list --json")
      .flag("--all", &options->all, "Also internal ones (names that begin with __)")
      .runs([options](Session& session) { return list(session, *options); });
  topics
      .subcommand(
          "describe",
          "Partitions, leaders, offsets, size, settings of a topic; who has how much left to read",
          "millrace topics describe telco.raw.customers")
      .positional("topic", &options->topic, "Topic")
      .runs([options](Session& session) { return describe(session, *options); });
  topics
      .subcommand("dump", "Print messages as NDJSON, by partition and offset",
                  "millrace topics dump telco.churn.predictions --last 5\n"
                  "millrace topics dump telco.raw.customers > all.ndjson")
      .positional("topic", &options->topic, "Topic")
      .value("--first", &options->first, "Only the N oldest by timestamp", 0, 10'000'000)
      .value("--last", &options->last, "Only the N newest by timestamp", 0, 10'000'000)
      .value("--partition", &options->partition, "Only this partition", 0, INT32_MAX)
      .prints_records()
      .runs([options](Session& session) { return dump(session, *options); });
  topics
      .subcommand("delete", "Delete a topic and its records",
                  "millrace topics delete my.topic --yes")
      .positional("topic", &options->topic, "Topic")
      .flag("--yes", &options->yes, "Really")
      .runs([options](Session& session) { return remove(session, *options); });
}

}  // namespace millrace::app
