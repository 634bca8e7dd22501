// millrace dlq list|show|replay
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/record_json.h"
#include "app/session.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "base/text.h"
#include "engine/replay.h"
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
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> attempts;
  std::string to;
  bool again = false;
  bool dry_run = false;
};

engine::DeadLetterFilter filter_of(const Options& options) {
  return {options.code, options.type, options.message, options.source_topic};
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
  MILLRACE_ASSIGN(const TopicName topic, topic_of(session, options));
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  const auto limit =
      static_cast<std::uint64_t>(options.limit.value_or(session.flags().json ? INT64_MAX : 50));
  std::uint64_t matched = 0;
  Table table({{"where"}, {"from"}, {"code"}, {"try", Table::Align::kRight}, {"message"}});
  Status written;
  MILLRACE_TRY(engine::scan_dead_letters(
      *log, topic, filter_of(options), [&](const engine::DeadLetter& letter) {
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

Result<int> replay(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  const TopicName topic =
      options.topic.empty() ? loaded.pipeline.dead_letter.topic.name : TopicName(options.topic);
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  engine::ReplayOptions replay;
  replay.filter = filter_of(options);
  if (!options.to.empty()) replay.to = TopicName(options.to);
  if (options.limit) replay.limit = static_cast<std::uint64_t>(*options.limit);
  replay.attempts_max = options.attempts ? static_cast<std::uint32_t>(*options.attempts)
                                         : loaded.pipeline.dead_letter.attempts_max;
  if (options.again) replay.again = engine::ReplayOptions::Again::kYes;
  if (options.dry_run) replay.action = engine::ReplayOptions::Action::kDryRun;
  MILLRACE_ASSIGN(
      const engine::ReplayResult done,
      engine::replay_dead_letters(*log, topic, replay, session.clock(), session.stop()));
  json::Value result;
  result["matched"] = done.matched;
  result["replayed"] = done.replayed;
  result["replayed_before"] = done.replayed_before;
  result["attempts_used_up"] = done.attempts_used_up;
  result["truncated"] = done.truncated;
  result["no_source"] = done.no_source;
  result["by_code"] = done.by_code;
  result["dry_run"] = options.dry_run;
  std::string text = human_count(done.replayed) +
                     (options.dry_run ? " would be put back" : " put back") + " of " +
                     human_count(done.matched) + " dead letters";
  if (done.replayed_before > 0)
    text += "; " + human_count(done.replayed_before) + " were before (--again repeats them)";
  if (done.attempts_used_up > 0) {
    text += "; " + human_count(done.attempts_used_up) + " have used up their " +
            std::to_string(replay.attempts_max) + " attempts";
  }
  if (done.truncated > 0)
    text += "; " + human_count(done.truncated) + " were cut and have no whole original";
  if (done.no_source > 0)
    text += "; " + human_count(done.no_source) + " name no source topic (--to TOPIC)";
  MILLRACE_TRY(session.finish(result, text));
  return 0;
}

void add_filter(Command& command, Options& options) {
  command.positional("pipeline", &options.pipeline, "Shipped name, folder, or file")
      .value("--deadletter-topic", &options.topic, "Dead-letter topic (default: the pipeline's)");
}

void add_reasons(Command& command, Options& options) {
  command.value("--code,--reason", &options.code, "Only this code, e.g. parse_error")
      .value("--type", &options.type, "Only this type, e.g. validation_error")
      .value("--message", &options.message, "Only messages that contain this text")
      .value("--source-topic", &options.source_topic, "Only what came from this topic");
}

}  // namespace

void register_dlq(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command dlq = line.command("dlq", "Look at dead letters and put them back",
                             "millrace dlq list telco-churn\n"
                             "millrace dlq show telco-churn 0/17\n"
                             "millrace dlq replay telco-churn --code unknown_value --dry-run");
  Command list_command = dlq.subcommand("list", "List dead letters with their reasons",
                                        "millrace dlq list telco-churn --code parse_error --json");
  add_filter(list_command, *options);
  add_reasons(list_command, *options);
  list_command
      .value("--limit", &options->limit, "Show at most N (default: 50; with --json all)", 1,
             INT64_MAX)
      .runs([options](Session& session) { return list(session, *options); });

  Command show_command = dlq.subcommand("show", "One dead letter with everything known of it",
                                        "millrace dlq show telco-churn 0/17");
  add_filter(show_command, *options);
  show_command.positional("at", &options->at, "PARTITION/OFFSET, as dlq list shows it")
      .runs([options](Session& session) { return show(session, *options); });

  Command replay_command =
      dlq.subcommand("replay", "Put dead letters back on the topic they came from, each once",
                     "millrace dlq replay telco-churn --dry-run\n"
                     "millrace dlq replay telco-churn --code unknown_value --limit 100");
  add_filter(replay_command, *options);
  add_reasons(replay_command, *options);
  replay_command.value("--to", &options->to, "Put them on this topic instead")
      .value("--limit", &options->limit, "Put back at most N", 1, INT64_MAX)
      .value("--attempts", &options->attempts,
             "Leave what failed this often (default: dead_letter.attempts)", 1, 1000)
      .flag("--again", &options->again, "Also what was put back before")
      .flag("--dry-run", &options->dry_run, "Count, put nothing back")
      .runs([options](Session& session) { return replay(session, *options); });
}

}  // namespace millrace::app
