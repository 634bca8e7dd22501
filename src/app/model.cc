// millrace model list|show|promote
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "json/json.h"

namespace millrace::app {
namespace {

struct Options {
  std::string pipeline;
  std::string version;
};

// A pipeline's name for the registry: a file or folder is read for its name.
Result<std::string> name_of(Session& session, const std::string& given) {
  if (given.empty()) return std::string();
  const auto loaded = session.load_pipeline(given);
  if (loaded) return loaded->pipeline.name;
  // A model may outlive its pipeline file; the registry knows it by name.
  MILLRACE_ASSIGN(const std::vector<std::string> known, session.registry().pipelines());
  for (const std::string& name : known) {
    if (name == given) return name;
  }
  return loaded.error();
}

double metric(const json::Value& metrics, const char* name) {
  const auto found = metrics.find(name);
  return metrics.is_object() && found != metrics.end() && found->is_number() ? found->get<double>()
                                                                             : 0;
}

Result<int> list(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const std::string wanted, name_of(session, options.pipeline));
  std::vector<std::string> pipelines = {wanted};
  if (wanted.empty()) {
    MILLRACE_ASSIGN(pipelines, session.registry().pipelines());
  }
  json::Value result;
  result["models"] = json::Value::array();
  Table table({{"pipeline"},
               {"version"},
               {""},
               {"created"},
               {"rows", Table::Align::kRight},
               {"AUC", Table::Align::kRight},
               {"log-loss", Table::Align::kRight}});
  for (const std::string& pipeline : pipelines) {
    MILLRACE_ASSIGN(const std::vector<model::ModelEntry> entries,
                    session.registry().list(pipeline));
    for (const model::ModelEntry& entry : entries) {
      const model::Manifest& m = entry.manifest;
      if (!entry.problem.empty()) {
        session.say(entry.problem);
        result["models"].push_back({{"pipeline", pipeline},
                                    {"version", entry.version},
                                    {"current", entry.current},
                                    {"problem", entry.problem}});
        table.add_row(
            {pipeline, entry.version, entry.current ? "current" : "", "damaged", "", "", ""});
        continue;
      }
      result["models"].push_back({{"pipeline", pipeline},
                                  {"version", entry.version},
                                  {"current", entry.current},
                                  {"created", env::format_rfc3339(m.created)},
                                  {"rows_trained", m.rows_trained},
                                  {"metrics_holdout", m.metrics_holdout}});
      table.add_row({pipeline, entry.version, entry.current ? "current" : "",
                     env::format_rfc3339(m.created), human_count(m.rows_trained),
                     human_number(metric(m.metrics_holdout, "auc"), 4),
                     human_number(metric(m.metrics_holdout, "log_loss"), 4)});
    }
  }
  MILLRACE_TRY(session.finish(result, result["models"].empty()
                                          ? "no models yet (millrace train PIPELINE --data FILE)"
                                          : table.to_string()));
  return 0;
}

Result<int> show(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const std::string pipeline, name_of(session, options.pipeline));
  MILLRACE_ASSIGN(const model::LoadedModel loaded,
                  session.registry().load(pipeline, options.version));
  const json::Value manifest = model::to_json(loaded.manifest);
  MILLRACE_TRY(session.finish(manifest, json::to_pretty(manifest)));
  return 0;
}

Result<int> promote(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const std::string pipeline, name_of(session, options.pipeline));
  MILLRACE_ASSIGN(const std::string version, session.registry().promote(pipeline, options.version));
  json::Value result;
  result["pipeline"] = pipeline;
  result["current"] = version;
  MILLRACE_TRY(session.finish(result, pipeline + " now uses " + version +
                                          " (scorers that run keep theirs until restarted)"));
  return 0;
}

}  // namespace

void register_model(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command model = line.command("model", "List models, look into them, choose the one in use",
                               "millrace model list\n"
                               "millrace model show telco-churn\n"
                               "millrace model promote telco-churn 2");
  model
      .subcommand("list", "List models with their hold-out metrics",
                  "millrace model list telco-churn --json")
      .positional("pipeline", &options->pipeline, "Only this pipeline's", Presence::kOptional)
      .runs([options](Session& session) { return list(session, *options); });
  model
      .subcommand("show", "A model's manifest: schema, features, metrics, digests",
                  "millrace model show telco-churn\nmillrace model show telco-churn 2 --json")
      .positional("pipeline", &options->pipeline, "Pipeline")
      .positional("version", &options->version, "Version or its number (default: the current one)",
                  Presence::kOptional)
      .runs([options](Session& session) { return show(session, *options); });
  model
      .subcommand("promote", "Make a version the current one",
                  "millrace model promote telco-churn 2")
      .positional("pipeline", &options->pipeline, "Pipeline")
      .positional("version", &options->version, "Version or its number")
      .runs([options](Session& session) { return promote(session, *options); });
}

}  // namespace millrace::app
