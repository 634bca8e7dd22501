// millrace produce PIPELINE
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/producing.h"
#include "app/quality.h"
#include "app/session.h"
#include "json/json.h"

namespace millrace::app {
namespace {

struct Options {
  std::string pipeline;
  bool qc = false;
  std::string out;
  ProducingOptions producing;
};

Result<int> run(Session& session, const Options& options) {
  MILLRACE_ASSIGN(spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  const ProducingOptions& producing = options.producing;
  if (!producing.topic.empty()) {
    if (!is_legal_topic_name(producing.topic)) {
      return Error(ErrorCode::kUsage, "--topic '" + producing.topic + "' is no topic name");
    }
    loaded.pipeline.input.topic.name = TopicName(producing.topic);
  }
  if (!options.out.empty() && !options.qc) {
    return Error(ErrorCode::kUsage, "--out is the file of the quality report: it goes with --qc");
  }
  if (options.qc) {
    if (producing.print) {
      return Error(ErrorCode::kUsage, "--qc prints a report and --print messages; give one");
    }
    return quality_report(session, loaded.pipeline, producing.data, options.out);
  }
  MILLRACE_ASSIGN(const ingest::ProduceSummary summary,
                  run_producing(session, loaded.pipeline, producing));
  say_bad_rows(session, summary);
  if (producing.print) {
    session.say(describe(summary));
  } else {
    MILLRACE_TRY(session.finish(to_json(summary), describe(summary)));
  }
  const bool bounded = producing.mode == "batch" || producing.count;
  const bool signalled = summary.stop == ingest::ProduceStop::kSignal && summary.signal != 0;
  if (signalled && bounded) return 128 + summary.signal;
  const bool refuse = summary.bad_rows > 0 && !producing.allow_invalid;
  return refuse ? exit_code_of(ErrorCode::kBadData) : 0;
}

}  // namespace

void register_produce(CommandLine& line) {
  auto options = std::make_shared<Options>();
  ProducingOptions& p = options->producing;
  Command command =
      line.command("produce",
                   "Put a CSV or NDJSON file, standard input, or the simulator on the input topic",
                   "millrace produce telco-churn --data customers.csv             every row once, "
                   "resumable\n"
                   "millrace produce telco-churn --data customers.csv --validate  bad rows are "
                   "listed and skipped\n"
                   "millrace produce telco-churn --mode streaming --events-per-sec 200\n"
                   "millrace produce telco-churn --count 1000 --poison-rate 0.01  made-up "
                   "customers, some broken\n"
                   "millrace produce air-quality --data AirQualityUCI.csv --qc    missing hours, "
                   "ranges, gaps\n"
                   "millrace produce air-quality --count 10 --rate 1 --print      messages on "
                   "standard output")
          .positional("pipeline", &options->pipeline, "Shipped name, folder, or file")
          .value("--data,--dataset-path", &p.data,
                 "CSV, NDJSON or Parquet file, or - (default: the simulator)")
          .choice(
              "--mode", &p.mode, {"batch", "streaming"},
              "In order, once; or random rows at a rate until told to stop (rows that follow each "
              "other in time: in order, once)")
          .value("--topic", &p.topic, "Topic to write to (default: the pipeline's input)")
          .value("--events-per-sec,--rate", &p.events_per_sec,
                 "Messages a second (streaming: 1; batch: no limit)")
          .value("--batch-size", &p.batch_size, "Rows of one commit", 1, 1'000'000)
          .value("--count", &p.count, "Send this many messages, then stop", 1, INT64_MAX)
          .value("--checkpoint-file", &p.checkpoint_file,
                 "Where the position is kept (default: under --home/checkpoints)")
          .value("--key", &p.key,
                 "Record key: a field's name, uuid, hash, none, or constant:TEXT (default: the "
                 "pipeline's)")
          .value("--seed", &p.seed, "Seed of sampling and of the simulator", 0, INT64_MAX)
          .value("--poison-rate", &p.poison_rate, "Simulator: share of broken records, 0 to 1")
          .value("--drift-after", &p.drift_after,
                 "Simulator: records before the distribution moves", 0, INT64_MAX)
          .value("--drift-sigma", &p.drift_sigma,
                 "Simulator: how far numbers move then, in standard deviations")
          .value("--drift-fields", &p.drift_fields,
                 "Simulator: fields that move then, repeatable (default: all)")
          .value("--stations", &p.stations, "Simulator of series: how many stations", 1, 100'000)
          .flag("--restart", &p.restart, "Send the file again from its first row")
          .flag("--validate", &p.validate,
                "Check each message against the schema; bad rows are listed and not sent")
          .flag("--allow-invalid", &p.allow_invalid, "Exit 0 although bad rows were skipped")
          .flag("--raw", &p.raw,
                "Send each line as it is: null key, no headers, partitions in turn")
          .flag("--qc", &options->qc,
                "Report on the file's columns as they are (before anything is filled in), send "
                "nothing")
          .value("--out", &options->out,
                 "Of --qc: also write the report to this file (.csv, else JSON)")
          .flag("--dry-run", &p.dry_run, "Build and check everything, send nothing")
          .flag("--print", &p.print,
                "Print the messages as NDJSON on standard output, at the pace asked for, and send "
                "nothing")
          .flag("--no-create-topics", &p.no_create_topics,
                "Exit 69 when the topic is missing instead of creating it")
          .prints_records([options] { return options->producing.print; })
          .runs([options](Session& session) { return run(session, *options); });
  declare_monitoring(command, p.monitoring);
}

}  // namespace millrace::app
