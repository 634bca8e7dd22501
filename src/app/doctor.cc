// millrace doctor [PIPELINE]: is everything here that a run needs, and if not, what to do.
#include <unistd.h>

#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "config/settings.h"
#include "engine/file_rows.h"
#include "engine/record_scorer.h"
#include "json/json.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::app {
namespace {

constexpr std::uint64_t kDiskWanted = std::uint64_t{1} << 30;

struct Options {
  std::string pipeline;
  std::string data;
};

enum class Verdict { kGood, kWarning, kBad };

struct Finding {
  std::string what;
  Verdict verdict = Verdict::kGood;
  std::string text;
  int exit = 0;
};

const char* word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kBad:
      break;
  }
  return "BAD";
}

Finding bad(const std::string& what, const Error& error) {
  return {what, Verdict::kBad, error.message(), error.exit_code()};
}

Finding check_disk(Session& session) {
  const auto free = env::free_bytes(session.home());
  if (!free) return bad("disk", free.error());
  const Verdict verdict = *free >= kDiskWanted ? Verdict::kGood : Verdict::kWarning;
  return {"disk", verdict, human_bytes(*free) + " free for " + session.home().string(), 0};
}

// A folder that does not exist yet is fine where it could be made.
Finding check_home(Session& session) {
  env::Path at = session.home();
  std::error_code ignored;
  if (std::filesystem::exists(at, ignored)) {
    if (::access(at.c_str(), W_OK) == 0)
      return {"home", Verdict::kGood, at.string() + " can be written", 0};
    return {"home", Verdict::kBad, at.string() + " cannot be written by this user",
            exit_code_of(ErrorCode::kPermission)};
  }
  return {"home", Verdict::kGood, at.string() + " does not exist yet; the first command makes it",
          0};
}

Finding check_log(Session& session) {
  const auto file = session.log_file();
  if (!file) return bad("log", file.error());
  std::error_code ignored;
  if (!std::filesystem::exists(*file, ignored)) {
    return {"log", Verdict::kGood,
            file->string() + " does not exist yet; produce or score makes it", 0};
  }
  const auto info = log_sqlite::sqlite_log_info(*file, session.clock());
  if (!info) return bad("log", info.error());
  return {"log", Verdict::kGood,
          file->string() + ": " + human_count(info->records) + " records, " +
              human_bytes(info->file_bytes),
          0};
}

Finding check_topics(Session& session, const spec::Pipeline& pipeline) {
  auto log = session.open_log(Session::Create::kNever);
  if (!log && log.error().code() == ErrorCode::kNoInput) {
    return {"topics", Verdict::kGood, "none yet; produce and score create them", 0};
  }
  if (!log) return bad("topics", log.error());
  std::string missing;
  for (const TopicName& name :
       {pipeline.input.topic.name, pipeline.output.topic.name, pipeline.dead_letter.topic.name}) {
    const auto found = (*log)->admin().describe_topic(name);
    if (!found && found.error().code() != ErrorCode::kUnknownTopic)
      return bad("topics", found.error());
    if (!found) missing += (missing.empty() ? "" : ", ") + name.value();
  }
  if (missing.empty()) return {"topics", Verdict::kGood, "all three exist", 0};
  return {"topics", Verdict::kGood, "not there yet, created on first use: " + missing, 0};
}

Finding check_model(Session& session, const spec::Pipeline& pipeline) {
  const auto model = session.registry().load(pipeline.name);
  if (!model) return bad("model", model.error());
  const auto scorer = engine::RecordScorer::make(pipeline, *model, session.clock());
  if (!scorer) return bad("model", scorer.error());
  return {"model", Verdict::kGood,
          model->manifest.version + " loads, its canary rows agree, predictor " +
              std::string(scorer->predictor()),
          0};
}

Finding check_data(Session& session, const spec::Pipeline& pipeline, const std::string& data) {
  auto rows = engine::FileRows::open(pipeline, data, session.stop());
  if (!rows) return bad("data", rows.error());
  constexpr int kRowsRead = 1000;
  int good = 0;
  int read = 0;
  for (; read < kRowsRead; ++read) {
    const auto row = rows->next();
    if (!row) return bad("data", row.error());
    if (!*row) break;
    good += (*row)->errors == nullptr ? 1 : 0;
  }
  const Verdict verdict = good == read && read > 0 ? Verdict::kGood : Verdict::kWarning;
  return {"data", verdict,
          data + ": " + std::to_string(good) + " of the first " + std::to_string(read) +
              " rows are well-formed",
          0};
}

// MILLRACE_ variables that set no flag: most likely misspelled.
std::vector<std::string> unknown_variables(const std::vector<FlagRow>& flags) {
  constexpr std::string_view kOthers[] = {"MILLRACE_DATA_DIR"};
  std::vector<config::Setting> settings;
  for (const FlagRow& row : flags) settings.push_back({row.flag, row.help});
  return config::unknown_variables(config::environment_from(environ), settings, kOthers);
}

Result<int> run(Session& session, const Options& options, const std::vector<std::string>& unknown) {
  std::vector<Finding> findings = {check_disk(session), check_home(session), check_log(session)};
  for (const std::string& name : unknown) {
    findings.push_back(
        {"environment", Verdict::kWarning, name + " is set, but no flag has that name", 0});
  }
  if (!options.pipeline.empty()) {
    const auto loaded = session.load_pipeline(options.pipeline);
    if (loaded) {
      findings.push_back({"pipeline", Verdict::kGood, loaded->pipeline.origin + " is valid", 0});
      findings.push_back(check_topics(session, loaded->pipeline));
      findings.push_back(check_model(session, loaded->pipeline));
      if (!options.data.empty())
        findings.push_back(check_data(session, loaded->pipeline, options.data));
    } else {
      findings.push_back(bad("pipeline", loaded.error()));
    }
  }
  json::Value result;
  result["findings"] = json::Value::array();
  Table table({{"check"}, {""}, {""}});
  int exit = 0;
  for (const Finding& finding : findings) {
    result["findings"].push_back(
        {{"check", finding.what}, {"verdict", word_of(finding.verdict)}, {"text", finding.text}});
    table.add_row({finding.what, word_of(finding.verdict), finding.text});
    if (exit == 0) exit = finding.exit;
  }
  result["healthy"] = exit == 0;
  MILLRACE_TRY(session.finish(result, table.to_string()));
  return exit;
}

}  // namespace

void register_doctor(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("doctor",
               "Check machine, log, pipeline, model and data; say what to do about what is wrong",
               "millrace doctor\nmillrace doctor telco-churn --data customers.csv")
      .positional("pipeline", &options->pipeline, "Also check this pipeline and its model",
                  Presence::kOptional)
      .value("--data", &options->data, "Also check this file against the pipeline")
      .runs([options, &line](Session& session) {
        return run(session, *options, unknown_variables(line.flags()));
      });
}

}  // namespace millrace::app
