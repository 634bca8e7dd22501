// millrace trace TOPIC/PARTITION/OFFSET: one record step by step.
#include <charconv>
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "app/trace_forecast.h"
#include "app/trace_text.h"
#include "base/human.h"
#include "base/text.h"
#include "engine/record_trace.h"
#include "json/json.h"

namespace millrace::app {
namespace {

// Readings of a key that are kept and shown.
constexpr std::int64_t kLimitMax = 10'000;

struct Options {
  std::string at;
  std::string pipeline;
  std::optional<std::string> key;
  ForecastTraceOptions forecast;
};

Result<std::int64_t> number_in(std::string_view text, const std::string& at) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 0) return value;
  return Error(ErrorCode::kUsage,
               "'" + printable(at) + "' is not TOPIC/PARTITION/OFFSET, as in telco.raw/0/17");
}

Result<Place> parse_place(const std::string& at) {
  const std::size_t second = at.rfind('/');
  const std::size_t first =
      second == std::string::npos || second == 0 ? std::string::npos : at.rfind('/', second - 1);
  const std::string_view text = at;
  if (first == std::string::npos) return number_in("", at).error();
  MILLRACE_ASSIGN(const std::int64_t partition,
                  number_in(text.substr(first + 1, second - first - 1), at));
  MILLRACE_ASSIGN(const std::int64_t offset, number_in(text.substr(second + 1), at));
  if (partition > INT32_MAX) return number_in("", at).error();
  return Place{{TopicName(at.substr(0, first)), PartitionId(static_cast<std::int32_t>(partition))},
               Offset(offset)};
}

// The pipeline named, or the shipped one that reads this topic.
Result<spec::Pipeline> find_pipeline(Session& session, const Options& options,
                                     const TopicName& topic) {
  if (!options.pipeline.empty()) {
    MILLRACE_ASSIGN(spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
    return std::move(loaded.pipeline);
  }
  for (const std::string& name : spec::shipped_pipelines()) {
    auto loaded = session.load_pipeline(name);
    if (!loaded) continue;  // --set may be meant for another one
    const spec::Pipeline& pipeline = loaded->pipeline;
    if (pipeline.input.topic.name == topic || pipeline.dead_letter.topic.name == topic ||
        pipeline.output.topic.name == topic) {
      return std::move(loaded->pipeline);
    }
  }
  return Error(ErrorCode::kUsage,
               "no shipped pipeline reads topic '" + topic.value() + "': name one with --pipeline");
}

json::Value to_json(const Place& place, const Found& found, const engine::RecordTrace& trace,
                    const spec::Pipeline& pipeline, const std::string& model_version) {
  json::Value result = steps_json(place, found, trace, pipeline, model_version);
  if (trace.outcome == engine::Outcome::kPredicted) {
    result["probability"] = trace.probability;
    result["threshold"] = pipeline.model.threshold;
    result["label"] = trace.label;
    result["prediction"] = json::parse(trace.message, "prediction").value_or(json::Value());
  }
  add_route_and_cpu(pipeline, found, trace, result);
  return result;
}

std::string end_text(const Found& found, const engine::RecordTrace& trace,
                     const spec::Pipeline& pipeline, const std::string& model_version) {
  std::string text = "\nmodel " + model_version;
  if (trace.margin) text += ": raw score " + human_number(static_cast<double>(*trace.margin), 6);
  if (trace.outcome == engine::Outcome::kPredicted) {
    text += ", probability " + number_text(trace.probability) + ", label " + trace.label +
            " (threshold " + number_text(pipeline.model.threshold) + ")";
  }
  const auto route = route_of(pipeline, found, trace);
  if (!route) return text + "\nit is skipped: a tombstone (input.tombstone: skip)\n";
  text += "\n" + route_text(*route, trace);
  if (trace.outcome == engine::Outcome::kPredicted) text += "  " + trace.message + "\n";
  return text + cpu_text(trace);
}

// The last readings of a key.
Result<int> run_key(Session& session, const Options& options) {
  if (!is_legal_topic_name(options.at)) {
    return Error(ErrorCode::kUsage,
                 "'" + printable(options.at) + "' is no topic name; with --key give TOPIC alone");
  }
  const TopicName topic(options.at);
  MILLRACE_ASSIGN(const spec::Pipeline pipeline, find_pipeline(session, options, topic));
  if (!pipeline.forecast) {
    return Error(ErrorCode::kUsage, "--key is for pipelines that forecast; '" + pipeline.name +
                                        "' predicts a label, a record at a time: trace "
                                        "TOPIC/PARTITION/OFFSET");
  }
  if (topic == pipeline.output.topic.name || topic == pipeline.dead_letter.topic.name) {
    return Error(ErrorCode::kUsage,
                 "with --key name the topic of readings, " + pipeline.input.topic.name.value());
  }
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log_with(topic.value()));
  return trace_key(session, *log, pipeline, topic, *options.key, options.forecast);
}

Result<int> run(Session& session, const Options& options) {
  if (options.key) return run_key(session, options);
  MILLRACE_ASSIGN(const Place place, parse_place(options.at));
  MILLRACE_ASSIGN(const spec::Pipeline pipeline,
                  find_pipeline(session, options, place.source.topic));
  if (place.source.topic == pipeline.output.topic.name) {
    return Error(ErrorCode::kUsage, "'" + place.source.topic.value() +
                                        "' holds the predictions of " + pipeline.name +
                                        "; trace a record of " + pipeline.input.topic.name.value());
  }
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                  session.open_log_with(place.source.topic.value()));
  MILLRACE_ASSIGN(Found found, read_record(*log, place));
  if (place.source.topic == pipeline.dead_letter.topic.name) unwrap(found, place);
  if (pipeline.forecast)
    return trace_reading(session, *log, pipeline, place, std::move(found), options.forecast);
  MILLRACE_ASSIGN(const model::LoadedModel model,
                  session.registry().load(pipeline.name, options.forecast.model));
  MILLRACE_ASSIGN(engine::RecordTracer tracer,
                  engine::RecordTracer::make(pipeline, model, session.clock()));
  const engine::RecordTrace trace = tracer.trace(found.record);
  const std::string& version = model.manifest.version;
  MILLRACE_TRY(session.finish(
      to_json(place, found, trace, pipeline, version),
      record_text(place, found) + steps_text(trace) + end_text(found, trace, pipeline, version)));
  return 0;
}

}  // namespace

void register_trace(CommandLine& line) {
  auto options = std::make_shared<Options>();
  ForecastTraceOptions& forecast = options->forecast;
  line.command("trace", "One record step by step: bytes, fields, features, score, where it goes",
               "millrace trace telco.raw.customers/0/17\n"
               "millrace trace my.topic/2/140 --pipeline ./my-pipeline --json\n"
               "millrace trace telco.deadletter/0/3       a dead letter, as the record it wraps\n"
               "millrace trace air_quality.raw/1/700      a reading, its forecast, and what came\n"
               "millrace trace air_quality.raw --key sensor_1   the last readings of a station")
      .positional("at", &options->at, "TOPIC/PARTITION/OFFSET; with --key TOPIC")
      .value("--pipeline", &options->pipeline,
             "Shipped name, folder, or file (default: the shipped one that reads the topic)")
      .value("--model", &forecast.model, "Version of the model (default: the current one)")
      .value("--key", &options->key,
             "Of a pipeline that forecasts: the last readings of this key, a line each")
      .value("--limit", &forecast.limit, "How many readings of the key", 1, kLimitMax)
      .flag("--all-features", &forecast.all_features,
            "Of a reading: every feature, not only those that weigh most")
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
