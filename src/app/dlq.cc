// millrace dlq list|show|replay
#include <functional>
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/monitoring.h"
#include "app/record_json.h"
#include "app/session.h"
#include "app/start_point.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "base/text.h"
#include "engine/replay.h"
#include "ingest/pacer.h"
#include "json/json.h"

namespace millrace::app {
namespace {

struct Options {
  std::string pipeline;
  std::string at;
  std::string topic;
  std::optional<std::string> code;
  std::optional<std::string> type;
  std::optional<std::string> message;
  std::optional<std::string> source_topic;
  std::optional<std::string> key;
  std::optional<std::int64_t> partition;
  std::optional<std::string> from;
  std::optional<std::string> to_time;
  std::optional<double> rate;
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> attempts;
  std::string to;
  bool again = false;
  bool dry_run = false;
  MonitoringOptions monitoring;
};

Result<engine::DeadLetterFilter> filter_of(Session& session, const Options& options) {
  engine::DeadLetterFilter filter;
  filter.code = options.code;
  filter.type = options.type;
  filter.message = options.message;
  filter.source_topic = options.source_topic;
  filter.key = options.key;
  if (options.partition) filter.partition = PartitionId(static_cast<int>(*options.partition));
  const Timestamp now = session.clock().now();
  if (options.from) {
    MILLRACE_ASSIGN(filter.from, parse_time("--from", *options.from, now));
  }
  if (options.to_time) {
    MILLRACE_ASSIGN(filter.to, parse_time("--to-time", *options.to_time, now));
  }
  return filter;
}

// The dead-letter topic: --deadletter-topic, or the pipeline's.
Result<TopicName> topic_of(Session& session, const Options& options) {
  if (!options.topic.empty()) return TopicName(options.topic);
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  return loaded.pipeline.dead_letter.topic.name;
}

json::Value to_json(const engine::DeadLetter& letter) {
  json::Value object;
  object["partition"] = letter.at.partition.value();
  object["offset"] = letter.offset.value();
  object["type"] = letter.type;
  object["code"] = letter.code;
  object["message"] = letter.message;
  object["details"] = letter.details;
  object["source_topic"] = letter.source_topic;
  object["source_partition"] = letter.source_partition;
  object["source_offset"] = letter.source_offset;
  object["failed_ts"] = letter.failed_at;
  object["group"] = letter.group;
  object["stage"] = letter.stage;
  object["attempt"] = letter.attempt;
  put_bytes(object, "key", letter.key);
  put_bytes(object, "value", letter.value);
  return object;
}

Result<int> list(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const engine::DeadLetterFilter filter, filter_of(session, options));
  MILLRACE_ASSIGN(const TopicName topic, topic_of(session, options));
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  const auto limit =
      static_cast<std::uint64_t>(options.limit.value_or(session.flags().json ? INT64_MAX : 50));
  std::uint64_t matched = 0;
  Table table({{"where"}, {"from"}, {"code"}, {"try", Table::Align::kRight}, {"message"}});
  Status written;
  MILLRACE_TRY(
      engine::scan_dead_letters(*log, topic, filter, [&](const engine::DeadLetter& letter) {
        if (session.stop().requested()) return false;
        if (++matched > limit) return true;  // counted, not shown
        if (session.flags().json) {
          written = session.write(json::to_line(to_json(letter)) + "\n");
          return written.has_value() && !session.output_closed() && matched < limit;
        }
        table.add_row({std::to_string(letter.at.partition.value()) + "/" +
                           std::to_string(letter.offset.value()),
                       letter.source_topic + "/" + std::to_string(letter.source_partition) + "/" +
                           std::to_string(letter.source_offset),
                       letter.code, std::to_string(letter.attempt),
                       printable(letter.message, 100)});
        return true;
      }));
  MILLRACE_TRY(std::move(written));
  if (session.flags().json) return 0;
  if (matched == 0) {
    session.say("no dead letters on " + topic.value());
    return 0;
  }
  MILLRACE_TRY(session.write(table.to_string()));
  if (matched > limit) session.say(human_count(matched - limit) + " more (--limit N shows more)");
  return 0;
}

Result<int> show(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const TopicName topic, topic_of(session, options));
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  bool found = false;
  json::Value object;
  MILLRACE_TRY(engine::scan_dead_letters(*log, topic, {}, [&](const engine::DeadLetter& letter) {
    const std::string at =
        std::to_string(letter.at.partition.value()) + "/" + std::to_string(letter.offset.value());
    found = at == options.at;
    if (found) object = to_json(letter);
    return !found;
  }));
  if (!found) {
    return Error(ErrorCode::kNoInput, "no dead letter at '" + options.at + "' of " + topic.value() +
                                          "; it is PARTITION/OFFSET as dlq list shows it");
  }
  MILLRACE_TRY(
      session.write(session.flags().json ? json::to_line(object) + "\n" : json::to_pretty(object)));
  return 0;
}

// With a rate: each record when it is due; what a stall missed is not caught up in a burst.
std::function<SteadyTime(std::uint64_t)> timetable(Session& session, double per_second) {
  return [pacer = ingest::Pacer(per_second, session.clock().steady())](std::uint64_t n) {
    return pacer.time_of(n);
  };
}

Result<engine::ReplayOptions> replay_options(Session& session, const Options& options,
                                             const spec::Pipeline& pipeline) {
  engine::ReplayOptions replay;
  MILLRACE_ASSIGN(replay.filter, filter_of(session, options));
  if (!options.to.empty()) replay.to = TopicName(options.to);
  if (options.limit) replay.limit = static_cast<std::uint64_t>(*options.limit);
  replay.attempts_max = options.attempts ? static_cast<std::uint32_t>(*options.attempts)
                                         : pipeline.dead_letter.attempts_max;
  if (options.again) replay.again = engine::ReplayOptions::Again::kYes;
  if (options.dry_run) replay.action = engine::ReplayOptions::Action::kDryRun;
  if (options.rate) {
    if (!(*options.rate > 0)) return Error(ErrorCode::kUsage, "--rate must be above 0");
    replay.due = timetable(session, *options.rate);
  }
  return replay;
}

json::Value to_json(const engine::ReplayResult& done, const Options& options) {
  json::Value result;
  result["matched"] = done.matched;
  result["replayed"] = done.replayed;
  result["replayed_before"] = done.replayed_before;
  result["attempts_used_up"] = done.attempts_used_up;
  result["truncated"] = done.truncated;
  result["no_source"] = done.no_source;
  result["by_code"] = json::Value(done.by_code);
  result["dry_run"] = options.dry_run;
  return result;
}

std::string to_text(const engine::ReplayResult& done, const engine::ReplayOptions& replay) {
  const bool dry = replay.action == engine::ReplayOptions::Action::kDryRun;
  std::string text = human_count(done.replayed) + (dry ? " would be put back" : " put back") +
                     " of " + human_count(done.matched) + " dead letters";
  if (done.replayed_before > 0)
    text += "; " + human_count(done.replayed_before) + " were before (--again repeats them)";
  if (done.attempts_used_up > 0) {
    text += "; " + human_count(done.attempts_used_up) + " have used up their " +
            std::to_string(replay.attempts_max) + " attempts (--max-attempts)";
  }
  if (done.truncated > 0)
    text += "; " + human_count(done.truncated) + " were cut and have no whole original";
  if (done.no_source > 0)
    text += "; " + human_count(done.no_source) + " name no source topic (--to TOPIC)";
  for (const auto& [code, count] : done.by_code) {
    text += "\n  " + human_count(count) + " x " + (code.empty() ? "(no code)" : code);
  }
  return text;
}

Result<int> replay(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  const TopicName topic =
      options.topic.empty() ? loaded.pipeline.dead_letter.topic.name : TopicName(options.topic);
  MILLRACE_ASSIGN(engine::ReplayOptions replay, replay_options(session, options, loaded.pipeline));
  MILLRACE_ASSIGN(const std::unique_ptr<Monitoring> monitoring,
                  Monitoring::start(session, options.monitoring,
                                    {"dlq replay", loaded.pipeline.name, "replay", "", ""}));
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  const Monitoring::LogWatch watch(*monitoring, *log);
  const telemetry::Counter replayed =
      monitoring->metrics().counter(telemetry::Metric::kReplayed, {topic.value()});
  replay.on_commit = [&replayed](std::uint64_t count) {
    replayed.raise_to(static_cast<double>(count));
  };
  monitoring->readiness().started();
  MILLRACE_ASSIGN(
      const engine::ReplayResult done,
      engine::replay_dead_letters(*log, topic, replay, session.clock(), session.stop()));
  MILLRACE_TRY(session.finish(to_json(done, options), to_text(done, replay)));
  return session.stop().signal() != 0 ? 128 + session.stop().signal() : 0;
}

void add_filter(Command& command, Options& options) {
  command.positional("pipeline", &options.pipeline, "Shipped name, folder, or file")
      .value("--deadletter-topic", &options.topic, "Dead-letter topic (default: the pipeline's)");
}

void add_reasons(Command& command, Options& options) {
  command.value("--code,--reason", &options.code, "Only this code, e.g. parse_error")
      .value("--type", &options.type, "Only this type, e.g. validation_error")
      .value("--message", &options.message, "Only messages that contain this text")
      .value("--source-topic", &options.source_topic, "Only what came from this topic")
      .value("--key", &options.key, "Only records with this key")
      .value("--partition", &options.partition, "Only this partition of the dead-letter topic", 0,
             INT32_MAX)
      .value("--from", &options.from,
             "Only what failed at this time (2025-10-11T03:28:23Z, or a span back: 15m) or later")
      .value("--to-time", &options.to_time, "Only what failed before this time");
}

}  // namespace

void register_dlq(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command dlq = line.command("dlq", "Look at dead letters and put them back",
                             "millrace dlq list telco-churn\n"
                             "millrace dlq show telco-churn 0/17\n"
                             "millrace dlq replay telco-churn --code unknown_value --dry-run");
  Command list_command =
      dlq.subcommand("list", "List dead letters with their reasons",
                     "millrace dlq list telco-churn --code parse_error --json\n"
                     "millrace dlq list telco-churn --from 15m --key 7590-VHVEG");
  add_filter(list_command, *options);
  add_reasons(list_command, *options);
  list_command
      .value("--limit", &options->limit, "Show at most N (default: 50; with --json all)", 1,
             INT64_MAX)
      .prints_records()
      .runs([options](Session& session) { return list(session, *options); });

  Command show_command = dlq.subcommand("show", "One dead letter with everything known of it",
                                        "millrace dlq show telco-churn 0/17");
  add_filter(show_command, *options);
  show_command.positional("at", &options->at, "PARTITION/OFFSET, as dlq list shows it")
      .prints_records()
      .runs([options](Session& session) { return show(session, *options); });

  Command replay_command =
      dlq.subcommand("replay", "Put dead letters back on the topic they came from, each once",
                     "millrace dlq replay telco-churn --dry-run\n"
                     "millrace dlq replay telco-churn --code unknown_value --limit 100\n"
                     "millrace dlq replay telco-churn --from 2h --rate 50");
  add_filter(replay_command, *options);
  add_reasons(replay_command, *options);
  replay_command.value("--to", &options->to, "Put them on this topic instead")
      .value("--limit", &options->limit, "Put back at most N", 1, INT64_MAX)
      .value("--attempts,--max-attempts", &options->attempts,
             "Leave what failed this often (default: the pipeline's dead_letter.attempts, 3 unless "
             "set)",
             1, 1000)
      .value("--rate", &options->rate, "Put back N records a second (default: no limit)")
      .flag("--again", &options->again, "Also what was put back before")
      .flag("--dry-run", &options->dry_run, "Count, put nothing back");
  declare_monitoring(replay_command, options->monitoring);
  replay_command.runs([options](Session& session) { return replay(session, *options); });
}

}  // namespace millrace::app
