// millrace health [PIPELINE]: one answer for a probe or a cron job.
#include <algorithm>
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/findings.h"
#include "app/group_view.h"
#include "app/session.h"
#include "app/start_point.h"
#include "base/human.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr Milliseconds kReadMax{10'000};
// From here before the end on the newest prediction of a partition is looked for: the last offsets
// may hold marks of the log.
constexpr std::int64_t kTail = 50;

struct Options {
  std::string pipeline;
  std::optional<std::int64_t> lag_max;
  std::optional<std::string> age_max;
};

struct Health {
  std::vector<Finding> findings;
  std::optional<std::int64_t> lag;
  std::optional<double> age_s;
};

Finding check_lag(log::Log& log, const spec::Pipeline& pipeline, const Options& options,
                  Health& health) {
  const auto topic = log.admin().describe_topic(pipeline.input.topic.name);
  if (!topic) return bad("consumer lag", topic.error());
  const auto group = log.admin().describe_group(pipeline.group);
  if (!group && group.error().code() != ErrorCode::kNoInput) {
    return bad("consumer lag", group.error());
  }
  std::int64_t lag = 0;
  for (const log::PartitionInfo& partition : topic->partitions) {
    log::GroupPosition position{
        {topic->name, partition.partition}, std::nullopt, partition.begin, partition.end};
    if (group) {
      for (const log::GroupPosition& known : group->positions) {
        if (known.source == position.source) position.committed = known.committed;
      }
    }
    lag += position.consumer_lag();
  }
  health.lag = lag;
  std::string text = human_count(static_cast<std::uint64_t>(lag)) + " records not yet consumed";
  if (!group) text += ", nobody has consumed any";
  if (!options.lag_max || lag <= *options.lag_max) return good("consumer lag", text);
  return bad("consumer lag", Error(ErrorCode::kUnavailable,
                                   text + ", above --max-lag " + std::to_string(*options.lag_max)));
}

// When the newest prediction was made; nothing where there is none.
Result<std::optional<Timestamp>> newest_prediction(log::Log& log, const TopicName& topic) {
  MILLRACE_ASSIGN(const log::TopicInfo info, log.admin().describe_topic(topic));
  log::ReaderOptions reading;
  reading.topic = topic;
  for (const log::PartitionInfo& partition : info.partitions) {
    reading.from[partition.partition] =
        Offset(std::max(partition.begin.value(), partition.end.value() - kTail));
  }
  MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader, log.open_reader(reading));
  std::optional<Timestamp> newest;
  while (!reader->at_end()) {
    MILLRACE_ASSIGN(const std::optional<log::Batch> batch,
                    reader->next(env::real_clock().steady() + kReadMax));
    if (!batch) continue;
    for (const log::Record& record : batch->records) {
      const auto message = json::parse(record.value.value_or(""), "prediction");
      if (!message || !message->is_object()) continue;
      const auto text = json::get<std::string>(*message, "processed_ts");
      const auto time = text ? env::parse_rfc3339(*text) : text.error();
      if (time && (!newest || *time > *newest)) newest = *time;
    }
  }
  return newest;
}

Finding check_age(Session& session, log::Log& log, const spec::Pipeline& pipeline,
                  std::optional<Milliseconds> age_max, Health& health) {
  const auto newest = newest_prediction(log, pipeline.output.topic.name);
  if (!newest) return bad("last prediction", newest.error());
  if (!*newest) {
    if (!age_max) return good("last prediction", "there is none yet");
    return bad("last prediction", Error(ErrorCode::kUnavailable, "there is none yet"));
  }
  const std::int64_t age_ms =
      std::max<std::int64_t>(0, session.clock().now().value() - (*newest)->value());
  health.age_s = static_cast<double>(age_ms) / 1000;
  const std::string text = human_seconds(*health.age_s) + " ago";
  if (!age_max || Milliseconds(age_ms) <= *age_max) return good("last prediction", text);
  return bad("last prediction",
             Error(ErrorCode::kUnavailable,
                   text + ", longer than --max-age " +
                       human_seconds(static_cast<double>(age_max->count()) / 1000)));
}

// A log that is not there is as unavailable as one that does not answer.
Finding log_is_away(const Error& error) {
  return {"log", Verdict::kBad, error.message(), exit_code_of(ErrorCode::kUnavailable)};
}

void check_pipeline(Session& session, log::Log& log, const spec::Pipeline& pipeline,
                    const Options& options, std::optional<Milliseconds> age_max, Health& health) {
  for (const spec::TopicSpec* topic :
       {&pipeline.input.topic, &pipeline.output.topic, &pipeline.dead_letter.topic}) {
    health.findings.push_back(check_topic(log, *topic));
  }
  health.findings.push_back(check_model(session, pipeline));
  health.findings.push_back(check_lag(log, pipeline, options, health));
  health.findings.push_back(check_age(session, log, pipeline, age_max, health));
}

Result<int> run(Session& session, const Options& options) {
  if (options.pipeline.empty() && (options.lag_max || options.age_max)) {
    return Error(ErrorCode::kUsage, "--max-lag and --max-age need a pipeline");
  }
  std::optional<Milliseconds> age_max;
  if (options.age_max) {
    MILLRACE_ASSIGN(age_max, parse_span("--max-age", *options.age_max));
  }
  std::optional<spec::Pipeline> pipeline;
  if (!options.pipeline.empty()) {
    MILLRACE_ASSIGN(spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
    pipeline = std::move(loaded.pipeline);
  }
  Health health;
  const auto log = session.open_log(Session::Create::kNever);
  if (!log && log.error().exit_code() == exit_code_of(ErrorCode::kUsage)) return log.error();
  const auto topics = log ? (*log)->admin().topics() : log.error();
  if (!topics) {
    health.findings.push_back(log_is_away(topics.error()));
  } else {
    health.findings.push_back(
        good("log", (*log)->url() + " answers, " + std::to_string(topics->size()) + " topics"));
    if (pipeline) check_pipeline(session, **log, *pipeline, options, age_max, health);
  }
  const int exit = exit_of(health.findings);
  json::Value result;
  result["status"] = exit == 0 ? "healthy" : "unhealthy";
  result["timestamp"] = env::format_rfc3339(session.clock().now());
  result["checks"] = to_json(health.findings);
  result["consumer_lag"] = health.lag ? json::Value(*health.lag) : json::Value();
  result["last_prediction_age_s"] = health.age_s ? json::Value(*health.age_s) : json::Value();
  MILLRACE_TRY(session.finish(result, to_text(health.findings)));
  return exit;
}

}  // namespace

void register_health(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("health", "One answer, 0 or not: log, topics, model, consumer lag, last prediction",
               "millrace health\n"
               "millrace health telco-churn --max-lag 1000 --max-age 5m\n"
               "millrace health telco-churn --json | jq .checks")
      .positional("pipeline", &options->pipeline, "Also its topics, model, lag and predictions",
                  Presence::kOptional)
      .value("--max-lag", &options->lag_max, "Unhealthy with more records not yet consumed", 0,
             INT64_MAX)
      .value("--max-age", &options->age_max,
             "Unhealthy when the last prediction is older (30s, 5m, 2h)")
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
