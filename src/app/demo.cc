// millrace demo PIPELINE: the whole story, from rows to a report.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/forecasting.h"
#include "app/producing.h"
#include "app/scoring.h"
#include "app/session.h"
#include "app/terminal/table.h"
#include "app/training.h"
#include "base/human.h"
#include "base/text.h"
#include "engine/replay.h"
#include "ingest/simulator.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kSimulatedTrainingRows = 7043;
constexpr std::int64_t kBrokenRecords = 24;
constexpr std::int64_t kShownPredictions = 5;
constexpr std::uint64_t kDiskNeeded = std::uint64_t{100} << 20;

struct Options {
  std::string pipeline = "telco-churn";
  std::string data;
};

// Where the shipped pipelines' real data may lie, under the publisher's name.
std::optional<env::Path> real_data(const std::string& pipeline) {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"telco-churn", "Telco-Customer-Churn.csv"}, {"air-quality", "AirQualityUCI.csv"}};
  std::vector<env::Path> folders;
  if (const char* folder = std::getenv("MILLRACE_DATA_DIR"); folder != nullptr)
    folders.emplace_back(folder);
  folders.emplace_back("data");
  for (const auto& [name, file] : names) {
    for (const env::Path& folder : folders) {
      std::error_code ignored;
      if (name == pipeline && std::filesystem::is_regular_file(folder / file, ignored))
        return folder / file;
    }
  }
  return std::nullopt;
}

// How the program is called from here: by its name where the PATH has it, else by its place.
std::string program_name() {
  std::error_code error;
  const env::Path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "millrace";
  const char* const path = std::getenv("PATH");
  const std::string folders = path == nullptr ? "" : path;
  for (std::size_t at = 0; at < folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const env::Path candidate = env::Path(folders.substr(at, end - at)) / "millrace";
    if (std::filesystem::equivalent(candidate, self, error)) return "millrace";
    at = end + 1;
  }
  return std::filesystem::proximate(self, error).string();
}

class Demo {
 public:
  Demo(Session& session, spec::Pipeline pipeline)
      : session_(session), pipeline_(std::move(pipeline)) {}

  Result<json::Value> run(const std::string& given) {
    MILLRACE_TRY(check_disk());
    MILLRACE_TRY(choose_data(given));
    MILLRACE_TRY(train());
    MILLRACE_TRY(produce());
    MILLRACE_TRY(score());
    MILLRACE_TRY(show_predictions());
    MILLRACE_TRY(show_dead_letters());
    return finish();
  }

 private:
  Status step(const std::string& text) {
    if (session_.stop().requested()) return Error(ErrorCode::kInterrupted, "stopped");
    session_.say("\n" + std::to_string(++step_) + ". " + text);
    return {};
  }

  Status check_disk() {
    MILLRACE_ASSIGN(const std::uint64_t free, env::free_bytes(session_.home()));
    session_.say("The demo keeps what it makes under " + session_.home().string() +
                 " (about 20 MB; " + human_bytes(free) + " are free).");
    if (free >= kDiskNeeded) return {};
    return Error(ErrorCode::kDiskFull, "the demo needs " + human_bytes(kDiskNeeded) +
                                           " free under " + session_.home().string() +
                                           "; choose another folder with --home");
  }

  Status choose_data(const std::string& given) {
    if (!given.empty()) {
      data_ = given;
    } else if (const auto found = real_data(pipeline_.name)) {
      data_ = found->string();
    }
    if (!data_.empty()) {
      session_.say("Data: real rows from " + data_ + ".");
      return {};
    }
    MILLRACE_TRY(env::make_folders(session_.home()));
    data_ = (session_.home() / ("demo-" + pipeline_.name + ".ndjson")).string();
    session_.say(
        "Data: no real rows were found (--data FILE, MILLRACE_DATA_DIR, ./data), so the built-in "
        "simulator makes " +
        human_count(kSimulatedTrainingRows) + " " + pipeline_.report.nouns + ".");
    simulated_ = true;
    MILLRACE_ASSIGN(const std::string rows, simulate(kSimulatedTrainingRows, 1, {}));
    return env::write_file_atomic(data_, rows);
  }

  Result<std::string> simulate(std::int64_t count, std::uint64_t seed,
                               const ingest::SimulatorOptions& options) {
    MILLRACE_ASSIGN(ingest::Simulator simulator,
                    ingest::Simulator::make(pipeline_.schema, pipeline_.simulator, "simulator.yaml",
                                            pipeline_.input.key, seed, options));
    std::string all;
    std::string record;
    std::string key;
    for (std::int64_t i = 0; i < count; ++i) {
      simulator.next(record, key);
      all.append(record).append("\n");
    }
    return all;
  }

  Status train() {
    MILLRACE_TRY(step("Train a model on the " + pipeline_.report.nouns +
                      ", measured on a fifth of them that it does not see."));
    MILLRACE_ASSIGN(const TrainingOutcome outcome,
                    run_training(session_, pipeline_, data_, Promote::kYes));
    session_.say(describe(outcome));
    result_["model_version"] = outcome.manifest.version;
    result_["metrics_holdout"] = outcome.manifest.metrics_holdout;
    return {};
  }

  Status produce() {
    MILLRACE_TRY(step("Put every " + pipeline_.report.noun + " on topic " +
                      pipeline_.input.topic.name.value() + ", and " +
                      std::to_string(kBrokenRecords) + " broken messages among them."));
    ProducingOptions options;
    options.data = data_;
    options.restart = true;
    MILLRACE_ASSIGN(const ingest::ProduceSummary summary,
                    run_producing(session_, pipeline_, options));
    session_.say(describe(summary));
    ProducingOptions broken;
    if (!pipeline_.simulator.empty()) {
      broken.count = kBrokenRecords;
      broken.poison_rate = 1.0;
      MILLRACE_ASSIGN(const ingest::ProduceSummary poison,
                      run_producing(session_, pipeline_, broken));
      session_.say(describe(poison));
    }
    result_["produced"] = summary.sent;
    return {};
  }

  Status score() {
    MILLRACE_TRY(
        step("Score what is there: validate, make features, predict, publish; each message exactly "
             "once."));
    ScoringOptions options;
    options.mode = engine::ScoreOptions::Mode::kWindow;
    MILLRACE_ASSIGN(const ScoringPlan plan, plan_scoring(session_, pipeline_, options));
    MILLRACE_ASSIGN(outcome_, run_scoring(session_, plan, options));
    session_.say(describe(outcome_));
    return {};
  }

  Status show_predictions() {
    MILLRACE_TRY(
        step("Some predictions, as they stand on " + pipeline_.output.topic.name.value() + ":"));
    MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                    session_.open_log(Session::Create::kNever));
    log::ReaderOptions reading;
    reading.topic = pipeline_.output.topic.name;
    MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader, log->open_reader(reading));
    std::int64_t shown = 0;
    while (!reader->at_end() && shown < kShownPredictions) {
      MILLRACE_ASSIGN(const auto batch,
                      reader->next(session_.clock().steady() + Milliseconds(1000)));
      if (!batch) break;
      for (const log::Record& record : batch->records) {
        if (shown++ >= kShownPredictions) break;
        session_.say("   " + printable(record.value.value_or(""), 400));
      }
    }
    return {};
  }

  Status show_dead_letters() {
    MILLRACE_TRY(step("What could not be scored was set aside on " +
                      pipeline_.dead_letter.topic.name.value() +
                      ", with its bytes and the reason:"));
    MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                    session_.open_log(Session::Create::kNever));
    Table table({{"at"}, {"code"}, {"message"}});
    std::int64_t shown = 0;
    MILLRACE_TRY(engine::scan_dead_letters(
        *log, pipeline_.dead_letter.topic.name, {}, [&](const engine::DeadLetter& letter) {
          table.add_row({std::to_string(letter.at.partition.value()) + "/" +
                             std::to_string(letter.offset.value()),
                         letter.code, printable(letter.message, 80)});
          return ++shown < kShownPredictions;
        }));
    session_.say(shown > 0 ? table.to_string(Screen::of_stderr()) : std::string("   nothing was"));
    return {};
  }

  Result<json::Value> finish() {
    const std::string home =
        session_.home() == ".millrace" ? "" : " --home " + session_.home().string();
    const std::string program = program_name();
    session_.say("\nThe report: " + outcome_.report_html.string() + " (open it in a browser)\n" +
                 "Next: " + program + " topics list" + home + "\n      " + program + " dlq list " +
                 pipeline_.name + home + "\n      " + program + " score " + pipeline_.name + home +
                 "  in one terminal, and in another\n      " + program + " produce " +
                 pipeline_.name + " --mode streaming --events-per-sec 5" + home);
    result_["consumed"] = outcome_.summary.consumed;
    result_["predicted"] = outcome_.summary.predicted;
    result_["dead_lettered"] = outcome_.summary.dead_lettered;
    result_["data"] = data_;
    result_["simulated"] = simulated_;
    result_["report"] = outcome_.report_html.string();
    result_["summary"] = outcome_.report_json.string();
    return std::move(result_);
  }

  Session& session_;
  spec::Pipeline pipeline_;
  std::string data_;
  bool simulated_ = false;
  int step_ = 0;
  ScoringOutcome outcome_;
  json::Value result_;
};

Result<int> run(Session& session, const Options& options) {
  MILLRACE_ASSIGN(spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  MILLRACE_TRY(need_label(loaded.pipeline, "demo"));
  Demo demo(session, std::move(loaded.pipeline));
  MILLRACE_ASSIGN(const json::Value result, demo.run(options.data));
  MILLRACE_TRY(session.finish(result, ""));
  return 0;
}

}  // namespace

void register_demo(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("demo", "The whole story of a pipeline: train, produce, score, show, report",
               "millrace demo telco-churn\nmillrace demo telco-churn --data customers.csv --home "
               "/var/tmp/demo")
      .positional("pipeline", &options->pipeline, "Shipped name, folder, or file",
                  Presence::kOptional)
      .value("--data,--dataset-path", &options->data,
             "Rows with labels (default: real data where found, else simulated)")
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
