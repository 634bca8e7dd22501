#include "app/producing.h"

#include <chrono>
#include <memory>
#include <utility>

#include "app/bad_lines.h"
#include "app/record_json.h"
#include "app/terminal/progress.h"
#include "base/human.h"
#include "ingest/checkpoint.h"
#include "json/json.h"

namespace millrace::app {
namespace {

Result<ingest::ProduceOptions> options_of(const ProducingOptions& given) {
  using Options = ingest::ProduceOptions;
  Options options;
  options.mode = given.mode == "streaming" ? Options::Mode::kStreaming : Options::Mode::kBatch;
  options.form = given.raw ? Options::Form::kRaw : Options::Form::kMessages;
  options.check = given.validate ? Options::Check::kSchema : Options::Check::kStructure;
  options.resume = given.restart ? Options::Resume::kRestart : Options::Resume::kContinue;
  if (!given.data.empty()) options.data = given.data;
  options.events_per_sec = given.events_per_sec;
  options.batch_rows = static_cast<std::size_t>(given.batch_size);
  if (given.count) options.count = static_cast<std::uint64_t>(*given.count);
  if (!given.key.empty()) {
    MILLRACE_ASSIGN(options.key, ingest::parse_key_rule(given.key));
  }
  if (options.data && (given.poison_rate || given.drift_after || given.stations ||
                       given.drift_sigma || !given.drift_fields.empty())) {
    return Error(ErrorCode::kUsage,
                 "--poison-rate, --drift-* and --stations are of the simulator, which has no "
                 "part in --data.");
  }
  options.seed = static_cast<std::uint64_t>(given.seed);
  options.simulator.poison_rate = given.poison_rate.value_or(0);
  if (given.drift_after)
    options.simulator.drift_after = static_cast<std::uint64_t>(*given.drift_after);
  options.simulator.drift_sigma = given.drift_sigma;
  options.simulator.drift_fields = given.drift_fields;
  if (given.stations) options.simulator.stations = static_cast<std::uint64_t>(*given.stations);
  return options;
}

// The messages of a run as records on stdout, instead of on the topic.
Result<ingest::ProduceSummary> print_messages(Session& session, const spec::Pipeline& pipeline,
                                              const ingest::ProduceOptions& options) {
  const bool paced = options.events_per_sec.has_value() ||
                     options.mode == ingest::ProduceOptions::Mode::kStreaming;
  const auto print = [&](const log::NewRecord& record) -> Status {
    json::Value object;
    object["topic"] = pipeline.input.topic.name.value();
    put_bytes(object, "key", record.key);
    object["timestamp"] = record.timestamp.value();
    object["headers"] = json::Value::array();
    put_bytes(object, "value", record.value);
    MILLRACE_TRY(session.write(json::to_line(object) + "\n"));
    if (paced) MILLRACE_TRY(session.flush());
    if (session.output_closed()) session.stop().request();
    return {};
  };
  return ingest::dry_run(pipeline, options, session.clock(), session.stop(), session.logger(), {},
                         print);
}

// The metrics of a run, from its summary after each commit.
class ProduceMetrics {
 public:
  ProduceMetrics(telemetry::MetricRegistry& metrics, const TopicName& topic, env::Clock& clock)
      : clock_(clock),
        sent_(metrics.counter(Metric::kProduceRowsSent, {topic.value()})),
        bad_(metrics.counter(Metric::kProduceBadRows, {topic.value()})),
        bytes_(metrics.counter(Metric::kProduceBytesSent, {topic.value()})),
        commit_(metrics.histogram(Metric::kProduceCommitDuration)),
        rate_(metrics.gauge(Metric::kProduceRate, {topic.value()})),
        last_commit_(metrics.gauge(Metric::kLastCommit)) {}

  void update(const ingest::ProduceSummary& summary) {
    constexpr double kMsPerSecond = 1000;
    sent_.raise_to(static_cast<double>(summary.sent));
    bad_.raise_to(static_cast<double>(summary.bad_rows));
    bytes_.raise_to(static_cast<double>(summary.bytes));
    rate_.set(summary.rate_per_s());
    if (summary.commits == commits_) return;
    commits_ = summary.commits;
    commit_.observe(std::chrono::duration<double>(summary.last_commit_took).count());
    last_commit_.set(static_cast<double>(clock_.now().value()) / kMsPerSecond);
  }

 private:
  using Metric = telemetry::Metric;
  env::Clock& clock_;
  telemetry::Counter sent_;
  telemetry::Counter bad_;
  telemetry::Counter bytes_;
  telemetry::Histogram commit_;
  telemetry::Gauge rate_;
  telemetry::Gauge last_commit_;
  std::uint64_t commits_ = 0;
};

// What the topic has taken, for programs.
class DeliveryLog {
 public:
  DeliveryLog(telemetry::Logger& logger, std::string topic)
      : logger_(logger), topic_(std::move(topic)) {}

  // After each commit.
  void update(const ingest::ProduceSummary& summary) {
    if (summary.commits == told_.commits) return;
    logger_.event(
        telemetry::Level::kInfo, "delivered",
        {{"topic", topic_},
         {"records", summary.sent - told_.sent},
         {"bytes", summary.bytes - told_.bytes},
         {"next_row", summary.next_row.value()},
         {"latency_sec", std::chrono::duration<double>(summary.last_commit_took).count()}});
    told_ = {summary.commits, summary.sent, summary.bytes};
  }

  void finish(const Result<ingest::ProduceSummary>& result) {
    if (result) {
      logger_.event(telemetry::Level::kInfo, "produced",
                    {{"topic", topic_},
                     {"records", result->sent},
                     {"bytes", result->bytes},
                     {"bad_rows", result->bad_rows},
                     {"duration_sec", result->duration_s}});
      return;
    }
    // The log did not take it, or the rows could not be sent at all.
    const bool environment = result.error().origin() == Origin::kExternal;
    logger_.event(telemetry::Level::kError, environment ? "delivery_failed" : "produce_error",
                  {{"topic", topic_},
                   {"records_delivered", told_.sent},
                   {"code", to_string(result.error().code())},
                   {"error", result.error().message()}});
  }

 private:
  struct Told {
    std::uint64_t commits = 0;
    std::uint64_t sent = 0;
    std::uint64_t bytes = 0;
  };
  telemetry::Logger& logger_;
  std::string topic_;
  Told told_;
};

const char* text_of(ingest::ProduceStop stop) {
  switch (stop) {
    case ingest::ProduceStop::kCount:
      return "count";
    case ingest::ProduceStop::kSignal:
      return "signal";
    case ingest::ProduceStop::kEndOfData:
      break;
  }
  return "end_of_data";
}

}  // namespace

Result<ingest::ProduceSummary> run_producing(Session& session, const spec::Pipeline& pipeline,
                                             const ProducingOptions& given) {
  MILLRACE_ASSIGN(ingest::ProduceOptions options, options_of(given));
  if (given.print) return print_messages(session, pipeline, options);
  Progress progress(session.clock(),
                    session.flags().quiet ? Progress::Sink::kNone : Progress::Sink::kTerminal,
                    given.dry_run ? "checking" : "producing", std::nullopt);
  progress.step_aside_for(session.logger());
  if (given.dry_run) {
    const auto on_progress = [&progress](const ingest::ProduceSummary& summary) {
      progress.update(summary.sent);
    };
    return ingest::dry_run(pipeline, options, session.clock(), session.stop(), session.logger(),
                           on_progress);
  }
  MILLRACE_ASSIGN(
      const std::unique_ptr<Monitoring> monitoring,
      Monitoring::start(session, given.monitoring, {"produce", pipeline.name, given.mode, "", ""}));
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                  session.open_log(Session::Create::kIfMissing));
  const Monitoring::LogWatch watch(*monitoring, *log);
  MILLRACE_TRY(session.ensure_topic(
      *log, pipeline.input.topic,
      given.no_create_topics ? Session::MissingTopics::kRefuse : Session::MissingTopics::kCreate));
  const bool resumable =
      options.mode == ingest::ProduceOptions::Mode::kBatch && options.data && *options.data != "-";
  if (resumable) {
    options.checkpoint_file = given.checkpoint_file;
    if (options.checkpoint_file.empty()) {
      MILLRACE_TRY(env::make_folders(session.checkpoints_folder()));
      options.checkpoint_file = session.checkpoints_folder() /
                                ingest::checkpoint_file_name(pipeline.name, *options.data,
                                                             pipeline.input.topic.name, log->url());
    }
  }
  ProduceMetrics metrics(monitoring->metrics(), pipeline.input.topic.name, session.clock());
  DeliveryLog deliveries(session.logger(), pipeline.input.topic.name.value());
  const auto on_commit = [&](const ingest::ProduceSummary& summary) {
    progress.update(summary.sent);
    metrics.update(summary);
    deliveries.update(summary);
  };
  monitoring->readiness().started();
  Result<ingest::ProduceSummary> result = ingest::produce(
      pipeline, *log, options, session.clock(), session.stop(), session.logger(), on_commit);
  deliveries.finish(result);
  return result;
}

json::Value to_json(const ingest::ProduceSummary& s) {
  json::Value object;
  object["source"] = s.source;
  object["topic"] = s.topic;
  object["sent"] = s.sent;
  object["bad_rows"] = s.bad_rows;
  object["bytes"] = s.bytes;
  object["duration_s"] = s.duration_s;
  object["rate_per_s"] = s.rate_per_s();
  object["resumed_from_row"] = s.resumed_from.value();
  object["next_row"] = s.next_row.value();
  object["finished"] = s.finished;
  object["already_finished"] = s.already_finished;
  object["dry_run"] = s.dry_run;
  object["stop_reason"] = text_of(s.stop);
  json::Value bad = json::Value::array();
  for (const ingest::BadRow& row : s.bad)
    bad.push_back({{"line", row.line}, {"message", row.message}});
  object["bad"] = std::move(bad);
  return object;
}

std::string describe(const ingest::ProduceSummary& s) {
  if (s.already_finished) {
    return s.source + " is already on " + s.topic +
           " whole; nothing was sent (--restart sends it again)";
  }
  std::string text = (s.dry_run ? "would send " : "sent ") + human_count(s.sent, "row", "rows") +
                     " of " + s.source + " to " + s.topic;
  if (!s.dry_run)
    text += " in " + human_seconds(s.duration_s) + " (" + human_rate(s.rate_per_s()) + ")";
  if (s.resumed_from.value() > 0)
    text += ", from row " + human_count(static_cast<std::uint64_t>(s.resumed_from.value()));
  if (s.bad_rows > 0)
    text += "; " + human_count(s.bad_rows, "bad row was skipped", "bad rows were skipped");
  if (s.stop == ingest::ProduceStop::kSignal) {
    text += s.resumable ? "; stopped, the same command goes on from here" : "; stopped";
  }
  return text;
}

void say_bad_rows(Session& session, const ingest::ProduceSummary& summary) {
  std::vector<engine::BadLine> lines;
  for (const ingest::BadRow& row : summary.bad) lines.push_back({row.line, row.message});
  say_bad_lines(session, lines, summary.bad_rows);
}

}  // namespace millrace::app
