// millrace sink parquet TOPIC: a topic to files for analysis.
#include <algorithm>
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/monitoring.h"
#include "app/session.h"
#include "app/sink_columns.h"
#include "app/start_point.h"
#include "app/terminal/progress.h"
#include "base/human.h"
#include "base/text.h"
#include "engine/parquet_sink.h"
#include "json/json.h"

namespace millrace::app {
namespace {

using telemetry::Metric;

// How long a bounded run tries to reach the log; a streaming one tries for ever.
constexpr Milliseconds kReachMax{7'000};
constexpr Milliseconds kReachRetry{500};
constexpr Milliseconds kSayAway{10'000};

struct Options {
  std::string topic;
  std::string out;
  std::string side = "predictions";
  std::string pipeline;
  std::string mode = "streaming";
  std::string group;
  std::string from = "earliest";
  std::string age = "60s";
  std::string compression = "snappy";
  std::int64_t rows = 100'000;
  std::int64_t bytes = 64 << 20;
  std::int64_t timeout_ms = 10'000;
  MonitoringOptions monitoring;
};

// What is consumed, and how its records read.
struct Source {
  log::TopicInfo topic;
  SinkColumns columns;
};

class SinkMetrics final : public engine::SinkMonitor {
 public:
  SinkMetrics(Monitoring& monitoring, Progress& progress, const TopicName& topic, env::Clock& clock)
      : monitoring_(monitoring),
        progress_(progress),
        clock_(clock),
        rows_(monitoring.metrics().counter(Metric::kSinkRows, {topic.value()})),
        files_(monitoring.metrics().counter(Metric::kSinkFiles, {topic.value()})),
        bytes_(monitoring.metrics().counter(Metric::kSinkBytes, {topic.value()})),
        aborted_(monitoring.metrics().counter(Metric::kSinkAborted)),
        commit_(monitoring.metrics().histogram(Metric::kSinkCommitDuration)),
        last_commit_(monitoring.metrics().gauge(Metric::kLastCommit)) {}

  void on_started() override { monitoring_.readiness().started(); }
  void on_committed(const engine::SinkSummary& all, Nanoseconds took) override {
    constexpr double kMsPerSecond = 1000;
    rows_.raise_to(static_cast<double>(all.rows));
    files_.raise_to(static_cast<double>(all.files));
    bytes_.raise_to(static_cast<double>(all.bytes));
    commit_.observe(std::chrono::duration<double>(took).count());
    last_commit_.set(static_cast<double>(clock_.now().value()) / kMsPerSecond);
    progress_.update(all.rows);
  }
  void on_aborted() override { aborted_.add(); }
  void on_lag(const std::map<log::TopicPartition, std::int64_t>& lag) override {
    for (const auto& [source, messages] : lag_) {
      if (!lag.contains(source)) monitoring_.metrics().remove(Metric::kConsumerLag, labels(source));
    }
    for (const auto& [source, messages] : lag) {
      monitoring_.metrics()
          .gauge(Metric::kConsumerLag, labels(source))
          .set(static_cast<double>(messages));
    }
    lag_ = lag;
  }

 private:
  static std::vector<std::string> labels(const log::TopicPartition& source) {
    return {source.topic.value(), std::to_string(source.partition.value())};
  }

  Monitoring& monitoring_;
  Progress& progress_;
  env::Clock& clock_;
  telemetry::Counter rows_;
  telemetry::Counter files_;
  telemetry::Counter bytes_;
  telemetry::Counter aborted_;
  telemetry::Histogram commit_;
  telemetry::Gauge last_commit_;
  std::map<log::TopicPartition, std::int64_t> lag_;  // as last told
};

// Opens the log and finds the topic: of that name, or of the pipeline of that name.
Result<log::TopicInfo> find_topic(log::Log& log, const Options& options,
                                  const Result<spec::LoadedPipeline>& pipeline) {
  Result<log::TopicInfo> topic =
      is_legal_topic_name(options.topic)
          ? log.admin().describe_topic(TopicName(options.topic))
          : Error(ErrorCode::kUnknownTopic, "'" + printable(options.topic) + "' is no topic name");
  if (topic || topic.error().code() != ErrorCode::kUnknownTopic) return topic;
  if (!pipeline) {
    if (pipeline.error().code() != ErrorCode::kNoInput) return pipeline.error();
    return topic;
  }
  const spec::Pipeline& p = pipeline->pipeline;
  return log.admin().describe_topic(options.side == "input" ? p.input.topic.name
                                                            : p.output.topic.name);
}

Result<Source> find_source(Session& session, log::Log& log, const Options& options,
                           const Result<spec::LoadedPipeline>& pipeline) {
  Source source;
  MILLRACE_ASSIGN(source.topic, find_topic(log, options, pipeline));
  if (!options.pipeline.empty()) {
    MILLRACE_ASSIGN(const spec::LoadedPipeline stated, session.load_pipeline(options.pipeline));
    auto columns = columns_of(stated.pipeline, source.topic.name);
    if (!columns) {
      return Error(ErrorCode::kUsage,
                   "'" + source.topic.name.value() +
                       "' is neither the input nor the predictions of pipeline " +
                       stated.pipeline.name);
    }
    source.columns = *std::move(columns);
  } else if (pipeline) {
    source.columns = columns_of(pipeline->pipeline, source.topic.name).value_or(SinkColumns{});
  } else {
    source.columns = columns_of_shipped(source.topic.name);
  }
  return source;
}

codec::Compression compression_of(const std::string& name) {
  if (name == "zstd") return codec::Compression::kZstd;
  if (name == "gzip") return codec::Compression::kGzip;
  return name == "none" ? codec::Compression::kNone : codec::Compression::kSnappy;
}

Status apply_start(Session& session, const Options& options, log::ConsumerOptions& consume) {
  MILLRACE_ASSIGN(
      const StartPoint start,
      parse_start_point("--from", options.from, session.clock().now(), Offsets::kRefused));
  consume.start_time = start.time;
  consume.start = start.kind == StartPoint::Kind::kLatest ? log::StartAt::kLatest
                  : start.kind == StartPoint::Kind::kTime ? log::StartAt::kTime
                                                          : log::StartAt::kEarliest;
  return {};
}

Result<engine::SinkOptions> options_of(const Options& given) {
  engine::SinkOptions sink;
  using Mode = engine::SinkOptions::Mode;
  sink.mode = given.mode == "batch" ? Mode::kWindow : Mode::kStreaming;
  sink.folder = given.out;
  sink.rows_max = static_cast<std::size_t>(given.rows);
  sink.bytes_max = static_cast<std::size_t>(given.bytes);
  MILLRACE_ASSIGN(sink.age_max, parse_span("--age", given.age));
  sink.idle_timeout = Milliseconds(given.timeout_ms);
  sink.compression = compression_of(given.compression);
  return sink;
}

struct Opened {
  std::unique_ptr<log::Log> log;
  Source source;
};

// Errors that may pass by themselves are tried again: for ever when streaming.
Result<Opened> reach(Session& session, const Options& options,
                     const Result<spec::LoadedPipeline>& pipeline, Readiness& readiness) {
  const SteadyTime give_up = session.clock().steady() + kReachMax;
  telemetry::RateLimit limit(kSayAway);
  while (true) {
    Opened opened;
    Status tried = [&]() -> Status {
      MILLRACE_ASSIGN(opened.log, session.open_log_with(options.topic));
      MILLRACE_ASSIGN(opened.source, find_source(session, *opened.log, options, pipeline));
      return {};
    }();
    if (tried) return opened;
    if (tried.error().disposition() != Disposition::kRetry) return tried.error();
    if (options.mode == "batch" && session.clock().steady() >= give_up) return tried.error();
    if (session.stop().requested()) {
      return Error(ErrorCode::kTryAgain, "stopped while the log was away; nothing was consumed");
    }
    readiness.starting(tried.error());
    if (limit.allow(session.clock().steady(), nullptr)) {
      session.logger().warning("the log is away, trying again: " + tried.error().message());
    }
    session.clock().sleep_until(session.clock().steady() + kReachRetry);
  }
}

json::Value to_json(const engine::SinkSummary& s, const Source& source, const GroupId& group,
                    const std::string& out) {
  json::Value object;
  object["topic"] = source.topic.name.value();
  object["group"] = group.value();
  object["out"] = out;
  object["rows"] = s.rows;
  object["files"] = s.files;
  object["bytes"] = s.bytes;
  object["commits"] = s.commits;
  object["kept_whole"] = s.kept_whole;
  object["skipped_by_retention"] = s.skipped_by_retention;
  object["duration_s"] = s.duration_s;
  object["stop_reason"] = s.stop_reason;
  return object;
}

std::string describe(const engine::SinkSummary& s, const Source& source, const std::string& out) {
  std::string text = "wrote " + human_count(s.rows, "record", "records") + " of " +
                     source.topic.name.value() + " to " + human_count(s.files, "file", "files") +
                     " under " + out + " in " + human_seconds(s.duration_s);
  if (s.kept_whole > 0) {
    text += "; " + human_count(s.kept_whole, "record is kept whole", "records are kept whole") +
            " in column _value, because the columns do not say everything of them";
  }
  return text;
}

Result<GroupId> group_of(const Options& options, const TopicName& topic) {
  const std::string name = options.group.empty() ? topic.value() + "-parquet-sink" : options.group;
  if (is_legal_topic_name(name)) return GroupId(name);
  return Error(ErrorCode::kUsage, "--consumer-group '" + printable(name) +
                                      "' is no group name: 1 to 249 of a-z A-Z 0-9 . _ -");
}

Monitored monitored(const Options& options, const Result<spec::LoadedPipeline>& pipeline) {
  Monitored what;
  what.command = "sink";
  what.pipeline = pipeline ? pipeline->pipeline.name : "";
  what.mode = options.mode;
  what.group = options.group.empty() ? options.topic + "-parquet-sink" : options.group;
  return what;
}

Result<int> run(Session& session, const Options& options) {
  if (options.out.empty()) return Error(ErrorCode::kUsage, "--out DIR is needed");
  MILLRACE_TRY(codec::parquet_available());
  MILLRACE_ASSIGN(engine::SinkOptions sink_options, options_of(options));
  // Before the log: a pipeline may say how to reach it.
  const Result<spec::LoadedPipeline> pipeline = session.load_pipeline(options.topic);
  if (!options.pipeline.empty()) MILLRACE_TRY(session.load_pipeline(options.pipeline));
  MILLRACE_ASSIGN(const std::unique_ptr<Monitoring> monitoring,
                  Monitoring::start(session, options.monitoring, monitored(options, pipeline)));
  MILLRACE_ASSIGN(const Opened opened, reach(session, options, pipeline, monitoring->readiness()));
  const Monitoring::LogWatch watch(*monitoring, *opened.log);
  const TopicName topic = opened.source.topic.name;
  log::ConsumerOptions consume;
  MILLRACE_ASSIGN(consume.group, group_of(options, topic));
  consume.topics = {topic};
  consume.exactly_once = false;  // nothing is appended; positions follow the files
  MILLRACE_TRY(apply_start(session, options, consume));
  sink_options.topic = topic;
  sink_options.incarnation = opened.source.topic.incarnation;
  sink_options.typed = opened.source.columns.typed;
  sink_options.event_time = opened.source.columns.event_time;
  MILLRACE_ASSIGN(const std::unique_ptr<log::Consumer> consumer,
                  opened.log->open_consumer(consume));
  Progress progress(session.clock(),
                    session.flags().quiet ? Progress::Sink::kNone : Progress::Sink::kTerminal,
                    "writing", std::nullopt);
  progress.step_aside_for(session.logger());
  SinkMetrics metrics(*monitoring, progress, topic, session.clock());
  engine::ParquetSink sink(*consumer, session.clock(), session.stop(), session.logger(),
                           sink_options);
  sink.watch(metrics);
  MILLRACE_TRY(sink.run());
  progress.finish();
  MILLRACE_TRY(session.finish(to_json(sink.summary(), opened.source, consume.group, options.out),
                              describe(sink.summary(), opened.source, options.out)));
  const bool cut_short = options.mode == "batch" && session.stop().signal() != 0;
  return cut_short ? 128 + session.stop().signal() : 0;
}

}  // namespace

void register_sink(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command command = line.command(
      "sink", "Write a topic to files for analysis",
      "millrace sink parquet telco.churn.predictions --out lake/predictions\n"
      "millrace sink parquet telco-churn --side input --out lake/customers --mode batch");
  Command parquet =
      command
          .subcommand(
              "parquet", "Parquet files by day; a group of its own, positions follow the files",
              "millrace sink parquet telco.churn.predictions --out lake --mode batch\n"
              "millrace sink parquet telco-churn --side input --out lake   a pipeline's input\n"
              "millrace sink parquet clicks --out lake --age 15m --rows 1000000")
          .positional("topic", &options->topic,
                      "Topic, or a pipeline for its predictions (--side input: its input)")
          .value("--out", &options->out, "Folder for the files: date=YYYY-MM-DD/...")
          .choice("--side", &options->side, {"predictions", "input"}, "Of a pipeline: which topic")
          .value("--pipeline", &options->pipeline,
                 "Pipeline whose schema types the columns (default: the shipped one that has the "
                 "topic; none: by what the records hold)")
          .choice("--mode", &options->mode, {"streaming", "batch"},
                  "Run until told to stop, or until caught up")
          .value("--rows", &options->rows, "Close a file at this many records", 1, 10'000'000)
          .value("--bytes", &options->bytes, "Gather at most this many bytes in memory", 1 << 16,
                 std::int64_t{1} << 32)
          .value("--age", &options->age, "Close a file this long after its first record")
          .value("--timeout-ms", &options->timeout_ms,
                 "Batch: stop after this long without a message", 1, 86'400'000)
          .choice("--compression", &options->compression, {"snappy", "zstd", "gzip", "none"},
                  "How pages are compressed")
          .value("--consumer-group,--group", &options->group,
                 "Consumer group (default: TOPIC-parquet-sink)")
          .value("--from", &options->from,
                 "Where a new group starts: earliest, latest, a time, or a span back (15m)")
          .runs([options](Session& session) { return run(session, *options); });
  declare_monitoring(parquet, options->monitoring);
}

}  // namespace millrace::app
