// millrace score PIPELINE
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/scoring.h"
#include "app/session.h"
#include "json/json.h"
#include "report/summary_json.h"

namespace millrace::app {
namespace {

struct Options {
  std::string pipeline;
  std::string mode = "streaming";
  bool dry_run = false;
  ScoringOptions scoring;
};

Result<int> dry_run(Session& session, const Options& options) {
  MILLRACE_ASSIGN(spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  MILLRACE_ASSIGN(const ScoringPlan plan,
                  plan_scoring(session, std::move(loaded.pipeline), options.scoring));
  const spec::Pipeline& p = plan.pipeline;
  json::Value result;
  result["pipeline"] = p.name;
  result["model_version"] = plan.model.manifest.version;
  result["input_topic"] = p.input.topic.name.value();
  result["output_topic"] = p.output.topic.name.value();
  result["deadletter_topic"] = p.dead_letter.topic.name.value();
  result["group"] = p.group.value();
  result["mode"] = options.mode;
  result["dry_run"] = true;
  const std::string text = "would consume " + p.input.topic.name.value() + " as group " +
                           p.group.value() + " (" + options.mode + "), score with model " +
                           plan.model.manifest.version + ", publish to " +
                           p.output.topic.name.value() + ", set bad records aside on " +
                           p.dead_letter.topic.name.value() + "; nothing was done (--dry-run)";
  MILLRACE_TRY(session.finish(result, text));
  return 0;
}

Result<int> run(Session& session, const Options& options) {
  if (options.dry_run) return dry_run(session, options);
  ScoringOptions scoring = options.scoring;
  scoring.mode = options.mode == "batch" ? engine::ScoreOptions::Mode::kWindow
                                         : engine::ScoreOptions::Mode::kStreaming;
  MILLRACE_ASSIGN(spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  MILLRACE_ASSIGN(ScoringPlan plan, plan_scoring(session, std::move(loaded.pipeline), scoring));
  MILLRACE_ASSIGN(const ScoringOutcome outcome, run_scoring(session, std::move(plan), scoring));
  json::Value result = report::score_result_json(outcome.summary);
  if (!outcome.report_html.empty()) {
    result["report"] = outcome.report_html.string();
    result["summary"] = outcome.report_json.string();
  }
  MILLRACE_TRY(session.finish(result, describe(outcome)));
  const bool cut_short =
      scoring.mode == engine::ScoreOptions::Mode::kWindow && session.stop().signal() != 0;
  return cut_short ? 128 + session.stop().signal() : 0;
}

}  // namespace

void register_score(CommandLine& line) {
  auto options = std::make_shared<Options>();
  ScoringOptions& s = options->scoring;
  Command command =
      line.command(
              "score", "Consume records, score them, publish predictions; set bad records aside",
              "millrace score telco-churn --mode batch                      score what is there, "
              "then stop\n"
              "millrace score telco-churn                                   go on until Ctrl-C\n"
              "millrace score telco-churn --mode batch --max-messages 500   one window of 500\n"
              "millrace score telco-churn --model 1 --consumer-group trial  another model, beside "
              "the running group")
          .positional("pipeline", &options->pipeline, "Shipped name, folder, or file")
          .choice("--mode", &options->mode, {"streaming", "batch"},
                  "Run until told to stop, or one bounded window")
          .value("--max-messages", &s.messages_max,
                 "Stop after this many consumed records (dead letters count)", 1, INT64_MAX)
          .value("--timeout-ms", &s.timeout_ms, "Batch: stop after this long without a message", 1,
                 86'400'000)
          .value("--consumer-group,--group", &s.group, "Consumer group (default: the pipeline's)")
          .value("--input-topic", &s.input_topic, "Topic to consume (default: the pipeline's)")
          .value("--output-topic", &s.output_topic,
                 "Topic for predictions (default: the pipeline's)")
          .value("--deadletter-topic", &s.dead_letter_topic,
                 "Topic for records set aside (default: the pipeline's)")
          .value("--model", &s.model, "Model version, or its number (default: the current one)")
          .value("--model-path", &s.model_path, "Folder of a model outside --home")
          .value("--from", &s.from,
                 "Where a new group starts: earliest, latest, or an RFC 3339 time")
          .value("--predictor", &s.predictor,
                 "Prediction engine (default: the fastest; all are exact)")
          .value("--metrics-interval", &s.progress_every,
                 "Log progress every N messages (0 = never)", 0, INT64_MAX)
          .flag("--validate", &s.validate,
                "Also check every prediction message before it is written")
          .flag("--no-create-topics", &s.no_create_topics,
                "Exit 69 when a topic is missing instead of creating it")
          .flag("--log-records", &s.log_records,
                "A log line for programs about every record (with --log-file)")
          .flag("--no-report", &s.no_report, "Batch: leave no summary files under --home/reports")
          .flag("--dry-run", &options->dry_run,
                "Check model, pipeline and flags, say what would happen, do nothing")
          .refused("--model-backend")
          .refused("--preprocessor-path")
          .refused("--customer-schema")
          .refused("--prediction-schema")
          .runs([options](Session& session) { return run(session, *options); });
  declare_monitoring(command, s.monitoring);
}

}  // namespace millrace::app
