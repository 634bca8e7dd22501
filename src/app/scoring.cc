#include "app/scoring.h"

#include <algorithm>
#include <memory>

#include "app/record_log.h"
#include "app/score_metrics.h"
#include "app/terminal/progress.h"
#include "app/version.h"
#include "base/human.h"
#include "engine/drift_watch.h"
#include "engine/forecast_digest.h"
#include "engine/state_keeper.h"
#include "report/summary_files.h"

namespace millrace::app {
namespace {

// How long a bounded command tries to reach the log and its topics; a streaming one tries for ever.
constexpr Milliseconds kReachMax{10'000};
constexpr Milliseconds kReachRetry{500};
// An attempt itself may take most of that time.
constexpr Milliseconds kReachSpare{3'000};

Status apply_start(const std::string& from, ScoringPlan& plan) {
  if (from == "earliest") return {};
  if (from == "latest") {
    plan.start = log::StartAt::kLatest;
    return {};
  }
  const auto time = env::parse_rfc3339(from);
  if (!time) {
    return Error(ErrorCode::kUsage, "--from '" + from +
                                        "': choose earliest, latest or a time such as "
                                        "2025-10-11T03:28:23Z");
  }
  plan.start = log::StartAt::kTime;
  plan.start_time = *time;
  return {};
}

Status override_topic(const std::string& flag, const std::string& given, TopicName& name) {
  if (given.empty()) return {};
  if (!is_legal_topic_name(given)) {
    return Error(ErrorCode::kUsage,
                 flag + " '" + given + "' is no topic name: 1 to 249 of a-z A-Z 0-9 . _ -");
  }
  name = TopicName(given);
  return {};
}

struct Running {
  std::unique_ptr<log::Log> log;
  std::unique_ptr<log::Consumer> consumer;
};

// Whether anything is committed beside the outputs: the state of keys, or what was observed of
// drift. Records that come twice would be counted twice.
bool keeps_state(const spec::Pipeline& pipeline) {
  return pipeline.forecast || (pipeline.drift && pipeline.delivery == spec::Delivery::kExactlyOnce);
}

// Where it is kept: one partition for each of the input.
spec::TopicSpec state_topic(const spec::Pipeline& pipeline) {
  spec::TopicSpec topic;
  topic.name = TopicName(pipeline.group.value() + ".state");
  topic.config.partitions = pipeline.input.topic.config.partitions;
  topic.config.replication = pipeline.input.topic.config.replication;
  topic.config.other["cleanup.policy"] = "compact";
  return topic;
}

spec::TopicSpec alerts_topic(const spec::Pipeline& pipeline) {
  spec::TopicSpec topic;
  topic.name = pipeline.alerts_topic;
  topic.config.replication = pipeline.input.topic.config.replication;
  return topic;
}

// Opens the log and joins the group, creating missing topics.
Result<Running> open_running(Session& session, const ScoringPlan& plan,
                             const ScoringOptions& options) {
  const auto missing =
      options.no_create_topics ? Session::MissingTopics::kRefuse : Session::MissingTopics::kCreate;
  Running running;
  MILLRACE_ASSIGN(running.log, session.open_log(Session::Create::kIfMissing));
  const spec::Pipeline& p = plan.pipeline;
  MILLRACE_TRY(session.ensure_topic(*running.log, p.input.topic, missing));
  MILLRACE_TRY(session.ensure_topic(*running.log, p.output.topic, missing));
  MILLRACE_TRY(session.ensure_topic(*running.log, p.dead_letter.topic, missing));
  if (p.drift) MILLRACE_TRY(session.ensure_topic(*running.log, alerts_topic(p), missing));
  if (keeps_state(p)) MILLRACE_TRY(session.ensure_topic(*running.log, state_topic(p), missing));
  log::ConsumerOptions consume;
  consume.group = p.group;
  consume.topics = {p.input.topic.name};
  consume.start = plan.start;
  consume.start_time = plan.start_time;
  consume.exactly_once = p.delivery == spec::Delivery::kExactlyOnce;
  consume.commit_interval = p.commit_interval;
  consume.batch_records_max = std::min(consume.batch_records_max, p.commit_records_max);
  if (options.messages_max) {
    const auto window = static_cast<std::size_t>(*options.messages_max);
    consume.batch_records_max = std::min(consume.batch_records_max, window);
  }
  MILLRACE_ASSIGN(running.consumer, running.log->open_consumer(consume));
  return running;
}

// Errors that may pass by themselves are tried again: for ever when streaming, for 10 s otherwise.
Result<Running> reach(Session& session, const ScoringPlan& plan, const ScoringOptions& options,
                      Readiness& readiness) {
  const bool streaming = options.mode == engine::ScoreOptions::Mode::kStreaming;
  const SteadyTime give_up = session.clock().steady() + kReachMax;
  telemetry::RateLimit limit(kReachMax);
  while (true) {
    Result<Running> running = open_running(session, plan, options);
    if (running || running.error().disposition() != Disposition::kRetry) return running;
    if (!streaming && session.clock().steady() + kReachSpare >= give_up) return running;
    if (session.stop().requested()) break;
    readiness.starting(running.error());
    if (limit.allow(session.clock().steady(), nullptr)) {
      session.logger().warning("the log is away, trying again: " + running.error().message());
    }
    session.clock().sleep_until(session.clock().steady() + kReachRetry);
    if (session.stop().requested()) break;
  }
  return Error(ErrorCode::kTryAgain, "stopped while the log was away; nothing was consumed");
}

Result<std::unique_ptr<Monitoring>> monitor(Session& session, const ScoringPlan& plan,
                                            const ScoringOptions& options) {
  Monitored what;
  what.command = "score";
  what.pipeline = plan.pipeline.name;
  what.mode = options.mode == engine::ScoreOptions::Mode::kStreaming ? "streaming" : "batch";
  what.group = plan.pipeline.group.value();
  what.model_backend = plan.model.manifest.algorithm;
  MILLRACE_ASSIGN(std::unique_ptr<Monitoring> monitoring,
                  Monitoring::start(session, options.monitoring, std::move(what)));
  env::Path folder = options.model_path;
  if (folder.empty()) {
    folder = session.models_folder() / plan.pipeline.name / plan.model.manifest.version;
  }
  monitoring->readiness().watch_model(std::move(folder));
  return monitoring;
}

report::SummaryWords words_of(const spec::Pipeline& pipeline) {
  report::SummaryWords words;
  words.record = pipeline.report.noun;
  words.records = pipeline.report.nouns;
  const auto label = pipeline.schema.label();
  if (label) words.outcome = pipeline.schema.field(*label).name;
  if (!pipeline.output.key_field.empty()) words.key = pipeline.output.key_field;
  words.program = version_line();
  return words;
}

data::AlertRows alert_rows(const engine::DriftWatch& drift) {
  data::AlertRows out;
  out.count = drift.told_count();
  for (const drift::Alert& alert : drift.told()) {
    out.rows.push_back({alert.feature, std::string(to_string(alert.statistic)),
                        std::string(to_string(alert.state)), alert.value, alert.threshold,
                        alert.window_start, alert.window_end});
  }
  return out;
}

Status write_report(Session& session, const ScoringPlan& plan, ScoringOutcome& outcome) {
  MILLRACE_ASSIGN(const report::SummaryFiles files,
                  report::write_summary(session.reports_folder(), outcome.summary,
                                        session.clock().now(), words_of(plan.pipeline)));
  outcome.report_json = files.json;
  outcome.report_html = files.html;
  return {};
}

engine::ScoreOptions run_options_of(const ScoringOptions& options) {
  engine::ScoreOptions out;
  out.mode = options.mode;
  if (options.messages_max) out.messages_max = static_cast<std::uint64_t>(*options.messages_max);
  out.idle_timeout = Milliseconds(options.timeout_ms);
  out.progress_every = static_cast<std::uint64_t>(options.progress_every);
  return out;
}

}  // namespace

Result<ScoringPlan> plan_scoring(Session& session, spec::Pipeline pipeline,
                                 const ScoringOptions& options) {
  if (options.log_records && !session.logger().takes_events(telemetry::Level::kInfo)) {
    return Error(ErrorCode::kUsage,
                 "--log-records writes lines for programs: give --log-file FILE as well, or "
                 "--log-format json with --log-level info");
  }
  MILLRACE_TRY(session.log_kind());  // a URL that is none is said before anything else
  ScoringPlan plan;
  plan.pipeline = std::move(pipeline);
  MILLRACE_TRY(
      override_topic("--input-topic", options.input_topic, plan.pipeline.input.topic.name));
  MILLRACE_TRY(
      override_topic("--output-topic", options.output_topic, plan.pipeline.output.topic.name));
  MILLRACE_TRY(override_topic("--deadletter-topic", options.dead_letter_topic,
                              plan.pipeline.dead_letter.topic.name));
  TopicName group(plan.pipeline.group.value());
  MILLRACE_TRY(override_topic("--consumer-group", options.group, group));
  plan.pipeline.group = GroupId(group.value());
  MILLRACE_TRY(apply_start(options.from, plan));
  // Reading what it writes would go round for ever.
  const TopicName& input = plan.pipeline.input.topic.name;
  if (input == plan.pipeline.output.topic.name || input == plan.pipeline.dead_letter.topic.name) {
    return Error(ErrorCode::kUsage,
                 "topic '" + input.value() + "' cannot be both input and output");
  }
  const model::Registry registry = session.registry();
  if (options.model_path.empty()) {
    MILLRACE_ASSIGN(plan.model, registry.load(plan.pipeline.name, options.model));
  } else {
    MILLRACE_ASSIGN(plan.model, registry.load_folder(options.model_path));
  }
  // Says now what would otherwise only show after the log is open.
  engine::ScorerOptions scorer;
  scorer.predictor = options.predictor;
  scorer.check = options.validate ? engine::ScorerOptions::Check::kInputAndOutput
                                  : engine::ScorerOptions::Check::kInput;
  MILLRACE_ASSIGN(plan.scorer,
                  engine::RecordScorer::make(plan.pipeline, plan.model, session.clock(), scorer));
  return plan;
}

Result<ScoringOutcome> run_scoring(Session& session, ScoringPlan plan,
                                   const ScoringOptions& options) {
  MILLRACE_ASSIGN(const std::unique_ptr<Monitoring> monitoring, monitor(session, plan, options));
  MILLRACE_ASSIGN(Running running, reach(session, plan, options, monitoring->readiness()));
  const Monitoring::LogWatch watch(*monitoring, *running.log);
  engine::RecordScorer& scorer = *plan.scorer;
  session.logger().info("scoring with model " + scorer.model_version() + ", predictor " +
                        std::string(scorer.predictor()));
  monitoring->metrics()
      .gauge(telemetry::Metric::kModelInfo,
             {plan.pipeline.name, scorer.model_version(), std::string(scorer.predictor())})
      .set(1);
  engine::ScoreOptions run_options = run_options_of(options);
  // An existing topic may take less than the pipeline says.
  const auto dead_letters =
      running.log->admin().describe_topic(plan.pipeline.dead_letter.topic.name);
  if (dead_letters) run_options.dead_letter_bytes_max = dead_letters->config.message_bytes_max;
  engine::ScoreRun run(plan.pipeline, scorer, *running.consumer, session.clock(), session.stop(),
                       session.logger(), run_options);
  engine::StateOptions state_options;
  state_options.topic = state_topic(plan.pipeline).name;
  state_options.fingerprint = scorer.state_fingerprint();
  state_options.doubles = scorer.state_doubles();
  state_options.limits = {plan.pipeline.series.keys_max, plan.pipeline.series.evict_after};
  engine::StateKeeper state(*running.log, session.logger(), session.clock(),
                            std::move(state_options));
  if (keeps_state(plan.pipeline)) {
    MILLRACE_ASSIGN(const log::TopicInfo input,
                    running.log->admin().describe_topic(plan.pipeline.input.topic.name));
    MILLRACE_TRY(state.check(input.partitions.size()));
    run.keep_state(state);
  }
  MILLRACE_ASSIGN(std::optional<engine::DriftWatch> drift,
                  engine::DriftWatch::make(plan.pipeline, plan.model.manifest));
  if (drift) {
    run.watch_drift(*drift);
    state.keep_drift(*drift);
  }
  ScoreMetrics metrics(*monitoring, plan.pipeline, session.clock());
  if (monitoring->enabled()) run.watch(metrics);
  RecordLog records(session.logger(), plan.pipeline, plan.model.manifest.algorithm);
  if (options.log_records) run.watch(records);
  const bool reports = options.mode == engine::ScoreOptions::Mode::kWindow && !options.no_report;
  std::optional<engine::ForecastDigest> digest;
  if (reports && plan.pipeline.forecast) {
    scorer.compare_each();
    run.watch(digest.emplace(plan.pipeline));
  }
  Progress progress(session.clock(),
                    session.flags().quiet ? Progress::Sink::kNone : Progress::Sink::kTerminal,
                    "scoring", std::nullopt);
  progress.step_aside_for(session.logger());
  const Status result =
      run.run([&progress](const data::RunSummary& summary) { progress.update(summary.consumed); });
  progress.finish();
  ScoringOutcome outcome;
  outcome.summary = run.summary();
  if (!result) {
    session.say(describe(outcome));
    return result.error();
  }
  if (digest) outcome.summary.figures = digest->figures();
  if (drift) outcome.summary.alerts = alert_rows(*drift);
  if (reports) MILLRACE_TRY(write_report(session, plan, outcome));
  return outcome;
}

std::string describe(const ScoringOutcome& outcome) {
  const data::RunSummary& s = outcome.summary;
  std::string text = "consumed " + human_count(s.consumed) + ": " + human_count(s.predicted) +
                     " predicted, " + human_count(s.dead_lettered, "dead letter", "dead letters") +
                     ", in " + human_seconds(s.duration_s) + " (" + human_rate(s.rate_per_s()) +
                     ")\n";
  if (s.forecast_target) {
    text += "model " + s.model_version + ": " +
            human_count(s.predicted - s.forecasts.warming_up, "forecast", "forecasts") + " of " +
            *s.forecast_target + ", " + human_count(s.forecasts.warming_up) + " warming up";
    if (s.forecasts.compared > 0) {
      const auto compared = static_cast<double>(s.forecasts.compared);
      text += "; " + human_count(s.forecasts.compared) + " compared with what came: MAE " +
              human_number(s.forecasts.absolute_error / compared, 4) + ", " +
              human_percent(static_cast<double>(s.forecasts.covered) / compared) +
              " within their interval";
    }
    text += "\n";
  }
  const auto positive = s.by_label.find(s.positive_label);
  if (s.predicted > 0 && positive != s.by_label.end()) {
    const double share = static_cast<double>(positive->second) / static_cast<double>(s.predicted);
    text += "model " + s.model_version + ": " + s.positive_label + " " + human_percent(share) +
            ", mean probability " + human_percent(s.mean_probability()) + "\n";
  }
  for (const auto& [code, count] : s.dead_letters_by_code)
    text += "  " + human_count(count) + " x " + code + "\n";
  if (!outcome.report_html.empty()) {
    text += "report: " + outcome.report_html.string() +
            "\nsummary: " + outcome.report_json.string() + "\n";
  }
  return text;
}

}  // namespace millrace::app
