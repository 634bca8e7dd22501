// millrace doctor [PIPELINE]: is everything here that a run needs, and if not, what to do.
#include <unistd.h>

#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/findings.h"
#include "app/session.h"
#include "base/human.h"
#include "config/settings.h"
#include "engine/file_rows.h"
#include "http/server.h"
#include "json/json.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::app {
namespace {

constexpr std::uint64_t kDiskWanted = std::uint64_t{1} << 30;

struct Options {
  std::string pipeline;
  std::string data;
  std::optional<std::int64_t> port;
};

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

// The embedded log: its file.
Finding check_log_file(Session& session, const env::Path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return good("log", file.string() + " does not exist yet; produce or score makes it");
  }
  const auto info = log_sqlite::sqlite_log_info(file, session.clock());
  if (!info) return bad("log", info.error());
  return good("log", file.string() + ": " + human_count(info->records) + " records, " +
                         human_bytes(info->file_bytes));
}

// The log as it answers, and what it lets this user do on the pipeline's topics.
class LogChecks {
 public:
  LogChecks(Session& session, std::vector<Finding>& findings)
      : session_(session), findings_(findings) {}

  void run(const spec::Pipeline* pipeline) {
    const auto file = session_.log_file();
    if (file) findings_.push_back(check_log_file(session_, *file));
    auto log = session_.open_log(Session::Create::kNever);
    if (!log && log.error().code() == ErrorCode::kNoInput && file) {
      if (pipeline != nullptr) {
        findings_.push_back(good("topics", "none yet; produce and score create them"));
      }
      return;
    }
    const auto topics = log ? (*log)->admin().topics() : log.error();
    if (!topics) return findings_.push_back(bad(file ? "log" : "broker", topics.error()));
    if (!file) {
      findings_.push_back(good(
          "broker", (*log)->url() + " answers, " + std::to_string(topics->size()) + " topics"));
    }
    if (pipeline != nullptr) check_topics(**log, *pipeline);
  }

 private:
  void check_topics(log::Log& log, const spec::Pipeline& pipeline) {
    std::string missing;
    for (const spec::TopicSpec* topic :
         {&pipeline.input.topic, &pipeline.output.topic, &pipeline.dead_letter.topic}) {
      const auto found = log.admin().describe_topic(topic->name);
      if (!found && found.error().code() == ErrorCode::kUnknownTopic) {
        missing += (missing.empty() ? "" : ", ") + topic->name.value();
        continue;
      }
      findings_.push_back(check_topic(log, *topic));
    }
    if (!missing.empty()) {
      findings_.push_back(good("topics", "not there yet, created on first use: " + missing));
      return;
    }
    findings_.push_back(check_rights(log, pipeline));
  }

  // Opens what score opens, and writes nothing.
  static Finding check_rights(log::Log& log, const spec::Pipeline& pipeline) {
    const auto reader = log.open_reader({pipeline.input.topic.name, {}, {}, false});
    if (!reader) return bad("rights", reader.error());
    const auto producer = log.open_producer({pipeline.output.topic.name, ""});
    if (!producer) return bad("rights", producer.error());
    for (const TopicName& name : {pipeline.output.topic.name, pipeline.dead_letter.topic.name}) {
      const auto topic = (*producer)->open_topic(name);
      if (!topic) return bad("rights", topic.error());
    }
    return good("rights", "the input can be opened to read, the outputs to write");
  }

  Session& session_;
  std::vector<Finding>& findings_;
};

// Whether something can listen there, by listening there.
Finding check_port(Session& session, std::int64_t port) {
  http::ServerOptions options;
  options.port = static_cast<std::uint16_t>(port);
  const auto server = http::Server::start(std::move(options), http::Router(), session.clock());
  if (!server) return bad("port", server.error());
  return good("port", std::to_string(port) + " is free");
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
  constexpr std::string_view kOthers[] = {"MILLRACE_DATA_DIR", "MILLRACE_NO_INSTALL"};
  std::vector<config::Setting> settings;
  for (const FlagRow& row : flags) settings.push_back({row.flag, row.help});
  return config::unknown_variables(config::environment_from(environ), settings, kOthers);
}

Result<int> run(Session& session, const Options& options, const std::vector<std::string>& unknown) {
  std::vector<Finding> findings = {check_disk(session), check_home(session)};
  for (const std::string& name : unknown) {
    findings.push_back(warning("environment", name + " is set, but no flag has that name"));
  }
  std::optional<Result<spec::LoadedPipeline>> loaded;
  if (!options.pipeline.empty()) loaded = session.load_pipeline(options.pipeline);
  const bool valid = loaded && loaded->has_value();
  LogChecks(session, findings).run(valid ? &(*loaded)->pipeline : nullptr);
  if (valid) {
    const spec::Pipeline& pipeline = (*loaded)->pipeline;
    findings.push_back(good("pipeline", pipeline.origin + " is valid"));
    findings.push_back(check_model(session, pipeline));
    if (!options.data.empty()) findings.push_back(check_data(session, pipeline, options.data));
  } else if (loaded) {
    findings.push_back(bad("pipeline", loaded->error()));
  }
  if (options.port) findings.push_back(check_port(session, *options.port));
  const int exit = exit_of(findings);
  json::Value result;
  result["findings"] = to_json(findings);
  result["healthy"] = exit == 0;
  MILLRACE_TRY(session.finish(result, to_text(findings)));
  return exit;
}

}  // namespace

void register_doctor(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command(
          "doctor",
          "Check machine, log or broker, topics, rights, model, data and ports; say what to do "
          "about what is wrong",
          "millrace doctor\n"
          "millrace doctor telco-churn --data customers.csv\n"
          "millrace doctor telco-churn --port 9464")
      .positional("pipeline", &options->pipeline, "Also check this pipeline and its model",
                  Presence::kOptional)
      .value("--data", &options->data, "Also check this file against the pipeline")
      .value("--port", &options->port, "Also check that this port is free on 127.0.0.1", 1, 65'535)
      .runs([options, &line](Session& session) {
        return run(session, *options, unknown_variables(line.flags()));
      });
}

}  // namespace millrace::app
