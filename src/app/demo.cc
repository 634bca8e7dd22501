// millrace demo PIPELINE: the whole story, from rows to a report.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>

#include "app/bad_lines.h"
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
#include "engine/series_table.h"
#include "features/series_transform.h"
#include "ingest/simulator.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kSimulatedTrainingRows = 7043;
constexpr std::int64_t kBrokenRecords = 24;
constexpr std::int64_t kShownPredictions = 5;
constexpr std::uint64_t kDiskNeeded = std::uint64_t{100} << 20;
constexpr std::size_t kDateSize = 10;
constexpr Milliseconds kEndGroupMax{15'000};
constexpr Milliseconds kEndGroupLook{200};
constexpr std::uint64_t kDataBytesMax = std::uint64_t{1} << 30;

using Offsets = std::map<PartitionId, Offset>;

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

// The rows of a file in two parts, each with the header where there is one.
struct Halves {
  std::string first;
  std::string last;
};

// Nothing but separators, as some publishers end their files.
bool is_empty_row(std::string_view line) {
  return line.find_first_not_of(" \t\r,;") == std::string_view::npos;
}

// By lines: the time goes on from row to row. Errors: kBadData for fewer than two rows, without the
// file's name.
Result<Halves> split_rows(const std::string& text, double last_share) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    if (!is_empty_row(line)) lines.push_back(line);
    at = end + 1;
  }
  const bool headed = !lines.empty() && lines.front().front() != '{';
  const std::size_t head = headed ? 1 : 0;
  const std::size_t rows = lines.size() - std::min(lines.size(), head);
  if (rows < 2) return Error(ErrorCode::kBadData, "too few rows for a demo");
  const auto first = static_cast<std::size_t>(static_cast<double>(rows) * (1 - last_share));
  Halves halves;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i < head || i < head + first) halves.first.append(lines[i]).append("\n");
    if (i < head || i >= head + first) halves.last.append(lines[i]).append("\n");
  }
  return halves;
}

class Demo {
 public:
  Demo(Session& session, spec::Pipeline pipeline)
      : session_(session), pipeline_(std::move(pipeline)) {}

  Result<json::Value> run(const std::string& given) {
    Result<json::Value> told = tell(given);
    // Also of a story that was stopped: its group and that group's state are of no use later.
    const Status gone = end_group();
    if (told && !gone) return gone.error();
    return told ? std::move(told) : Result<json::Value>(of_the_file(told.error()));
  }

 private:
  // An error about the rows for training, told of the file that they were taken from.
  Error of_the_file(const Error& error) const {
    const std::string part = "'" + training_data_ + "'";
    const std::size_t at = error.message().find(part);
    if (training_data_.empty() || at == std::string::npos) return error;
    std::string text = error.message();
    text.replace(
        at, part.size(),
        "the first " + human_percent(1 - pipeline_.split.test_fraction) + " of '" + data_ + "'");
    return {error.code(), std::move(text)};
  }

  Result<json::Value> tell(const std::string& given) {
    MILLRACE_TRY(check_disk());
    MILLRACE_TRY(choose_data(given));
    MILLRACE_TRY(check_log());
    if (forecasts()) MILLRACE_TRY(split_data());
    MILLRACE_TRY(forecasts() ? train_forecaster() : train());
    if (forecasts()) MILLRACE_TRY(begin_group());
    MILLRACE_TRY(produce());
    MILLRACE_TRY(score());
    MILLRACE_TRY(show_predictions());
    if (pipeline_.drift) MILLRACE_TRY(show_alerts());
    MILLRACE_TRY(show_dead_letters());
    return finish();
  }

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

  // Nobody should wait for a training to hear that there is no broker.
  Status check_log() {
    MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                    session_.open_log(Session::Create::kIfMissing));
    MILLRACE_TRY(log->admin().topics());
    return {};
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

  bool forecasts() const { return pipeline_.forecast.has_value(); }

  // What is streamed later has not been seen in training.
  Status split_data() {
    if (data_ == "-" || data_.ends_with(".parquet")) {
      return Error(ErrorCode::kUsage,
                   "this demo trains on the first lines of a file and streams the last ones; give "
                   "--data a CSV or NDJSON file, not '" +
                       data_ + "'");
    }
    MILLRACE_ASSIGN(const std::string text, env::read_file(data_, kDataBytesMax));
    MILLRACE_TRY(check_data());
    const auto halves = split_rows(text, pipeline_.split.test_fraction);
    if (!halves) return halves.error().with_context("'" + data_ + "'");
    MILLRACE_TRY(env::make_folders(session_.home()));
    const std::string extension = env::Path(data_).extension().string();
    const std::string stem = "demo-" + pipeline_.name;
    const env::Path first = session_.home() / (stem + "-first" + extension);
    const env::Path last = session_.home() / (stem + "-last" + extension);
    MILLRACE_TRY(env::write_file_atomic(first, halves->first));
    MILLRACE_TRY(env::write_file_atomic(last, halves->last));
    training_data_ = first.string();
    stream_data_ = last.string();
    return {};
  }

  // The whole file is read once before it is divided, so that what is wrong with it is said of it
  // and of its lines.
  Status check_data() {
    MILLRACE_ASSIGN(const auto transform,
                    features::SeriesTransform::make(pipeline_.series.plan, pipeline_.schema));
    MILLRACE_ASSIGN(const engine::SeriesTable table,
                    engine::read_series_table(pipeline_, transform, data_, session_.stop()));
    say_bad_lines(session_, table.bad, table.bad_rows);
    return {};
  }

  Status train_forecaster() {
    const spec::ForecastSpec& forecast = *pipeline_.forecast;
    MILLRACE_TRY(step("Train a forecast of " + forecast.target + ", " +
                      human_count(forecast.horizon, "step", "steps") + " ahead, on the first " +
                      human_percent(1 - pipeline_.split.test_fraction) +
                      " of the rows; measured on the end of those."));
    MILLRACE_ASSIGN(
        const ForecastTrained trained,
        run_forecast_training(session_, pipeline_,
                              {training_data_, Promote::kYes, {ForecastModel::kXgboost}, {}}));
    return say_training(*trained.kept);
  }

  // The group of this run and the topic with its state. Tried again for a while: a member that has
  // just left may still be counted.
  Status end_group() {
    if (group_.empty()) return {};
    MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                    session_.open_log(Session::Create::kNever));
    const SteadyTime give_up = session_.clock().steady() + kEndGroupMax;
    Status gone = log->admin().delete_group(GroupId(group_));
    while (!gone && gone.error().code() == ErrorCode::kTryAgain &&
           session_.clock().steady() < give_up) {
      session_.clock().sleep_until(session_.clock().steady() + kEndGroupLook);
      gone = log->admin().delete_group(GroupId(group_));
    }
    if (!gone && gone.error().code() != ErrorCode::kNoInput) return gone;
    Status dropped = log->admin().delete_topic(TopicName(group_ + ".state"));
    if (!dropped && dropped.error().code() != ErrorCode::kUnknownTopic) return dropped;
    return {};
  }

  // The topics, and a consumer group of this run that begins where they end: hours that an earlier
  // demo streamed would be late in its state.
  Status begin_group() {
    group_ = pipeline_.group.value() + "-demo-" + std::to_string(session_.clock().now().value());
    ScoringOptions options = scoring_options();
    options.from = "latest";
    options.no_report = true;
    MILLRACE_ASSIGN(ScoringPlan plan, plan_scoring(session_, pipeline_, options));
    MILLRACE_TRY(run_scoring(session_, std::move(plan), options));
    MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                    session_.open_log(Session::Create::kNever));
    MILLRACE_ASSIGN(outputs_before_, ends_of(*log, pipeline_.output.topic.name));
    if (pipeline_.drift) {
      MILLRACE_ASSIGN(alerts_before_, ends_of(*log, pipeline_.alerts_topic));
    }
    return {};
  }

  static Result<Offsets> ends_of(log::Log& log, const TopicName& topic) {
    MILLRACE_ASSIGN(const log::TopicInfo info, log.admin().describe_topic(topic));
    Offsets ends;
    for (const log::PartitionInfo& partition : info.partitions)
      ends[partition.partition] = partition.end;
    return ends;
  }

  ScoringOptions scoring_options() const {
    ScoringOptions options;
    options.mode = engine::ScoreOptions::Mode::kWindow;
    options.group = group_;
    return options;
  }

  Status train() {
    MILLRACE_TRY(step("Train a model on the " + pipeline_.report.nouns +
                      ", measured on a fifth of them that it does not see."));
    MILLRACE_ASSIGN(const TrainingOutcome outcome,
                    run_training(session_, pipeline_, data_, Promote::kYes));
    return say_training(outcome);
  }

  Status say_training(const TrainingOutcome& outcome) {
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
    options.data = forecasts() ? stream_data_ : data_;
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
    const ScoringOptions options = scoring_options();
    MILLRACE_ASSIGN(ScoringPlan plan, plan_scoring(session_, pipeline_, options));
    MILLRACE_ASSIGN(outcome_, run_scoring(session_, std::move(plan), options));
    session_.say(describe(outcome_));
    return {};
  }

  Status show_predictions() {
    const TopicName& topic = pipeline_.output.topic.name;
    MILLRACE_TRY(step("Some predictions, as they stand on " + topic.value() + ":"));
    std::int64_t shown = 0;
    return each_value(topic, outputs_before_, [&](std::string_view value) {
      // The first of each key only say that they are warming up.
      if (forecasts() && value.find("\"status\":\"ok\"") == std::string_view::npos) return true;
      session_.say("   " + printable(value, 400));
      return ++shown < kShownPredictions;
    });
  }

  // From `from` on, until `each` says false.
  Status each_value(const TopicName& topic, const Offsets& from,
                    const std::function<bool(std::string_view)>& each) {
    MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log,
                    session_.open_log(Session::Create::kNever));
    log::ReaderOptions reading;
    reading.topic = topic;
    reading.from = from;
    MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader, log->open_reader(reading));
    while (!reader->at_end()) {
      MILLRACE_ASSIGN(const auto batch,
                      reader->next(session_.clock().steady() + Milliseconds(1000)));
      if (!batch) return {};
      for (const log::Record& record : batch->records) {
        if (!each(record.value.value_or(""))) return {};
      }
    }
    return {};
  }

  Status show_alerts() {
    MILLRACE_TRY(step("What no window of the training data showed is an alert on " +
                      pipeline_.alerts_topic.value() + ":"));
    Table table({{"window"}, {"feature"}, {"statistic"}, {"value"}, {"limit"}, {"state"}});
    std::int64_t alerts = 0;
    MILLRACE_TRY(each_value(pipeline_.alerts_topic, alerts_before_, [&](std::string_view value) {
      const auto alert = json::parse(value, "an alert");
      if (!alert || ++alerts > kShownPredictions) return true;
      const auto text = [&](const char* key) { return alert->value(key, std::string()); };
      const auto number = [&](const char* key) { return human_number(alert->value(key, 0.0), 3); };
      table.add_row({text("window_start").substr(0, kDateSize), text("feature"), text("statistic"),
                     number("value"), number("threshold"), text("state")});
      return true;
    }));
    session_.say(alerts > 0 ? table.to_string(Screen::of_stderr()) : std::string("   none"));
    if (alerts > kShownPredictions)
      session_.say("   and " + human_count(alerts - kShownPredictions) + " more");
    result_["drift_alerts"] = alerts;
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
        (session_.home() == ".millrace" ? "" : " --home " + session_.home().string()) +
        (session_.flags().log.empty() ? "" : " --log " + session_.flags().log);
    const std::string program = program_name();
    if (!outcome_.report_html.empty()) {
      session_.say("\nThe report: " + outcome_.report_html.string() + " (open it in a browser)");
    }
    session_.say("\nNext: " + program + " topics list" + home + "\n      " + program +
                 " dlq list " + pipeline_.name + home + "\n      " + program + " score " +
                 pipeline_.name + home + "  in one terminal, and in another\n      " + program +
                 " produce " + pipeline_.name + " --mode streaming --events-per-sec 5" + home);
    result_["consumed"] = outcome_.summary.consumed;
    result_["predicted"] = outcome_.summary.predicted;
    result_["dead_lettered"] = outcome_.summary.dead_lettered;
    result_["data"] = data_;
    result_["simulated"] = simulated_;
    if (forecasts()) add_live_figures();
    result_["report"] = outcome_.report_html.string();
    result_["summary"] = outcome_.report_json.string();
    return std::move(result_);
  }

  void add_live_figures() {
    const auto& live = outcome_.summary.forecasts;
    result_["warming_up"] = live.warming_up;
    result_["forecasts_compared"] = live.compared;
    if (live.compared == 0) return;
    const auto compared = static_cast<double>(live.compared);
    result_["live_mae"] = live.absolute_error / compared;
    result_["live_coverage"] = static_cast<double>(live.covered) / compared;
  }

  Session& session_;
  spec::Pipeline pipeline_;
  std::string data_;
  std::string training_data_;  // of a pipeline that forecasts: its first rows, and the others
  std::string stream_data_;
  std::string group_;  // "": the pipeline's
  Offsets outputs_before_;
  Offsets alerts_before_;
  bool simulated_ = false;
  int step_ = 0;
  ScoringOutcome outcome_;
  json::Value result_;
};

Result<int> run(Session& session, const Options& options) {
  MILLRACE_ASSIGN(spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
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
               "/var/tmp/demo\nmillrace demo air-quality --log kafka://localhost:9092")
      .positional("pipeline", &options->pipeline, "Shipped name, folder, or file",
                  Presence::kOptional)
      .value("--data,--dataset-path", &options->data,
             "Rows with labels (default: real data where found, else simulated)")
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
