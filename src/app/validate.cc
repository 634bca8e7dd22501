// millrace validate and millrace explain: is a pipeline file right, and what does it come to.
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "app/settings.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "json/json.h"
#include "log_kafka/kafka_log.h"

namespace millrace::app {
namespace {

Result<int> validate(Session& session, const std::string& name) {
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(name));
  const spec::Pipeline& p = loaded.pipeline;
  json::Value result;
  result["pipeline"] = p.name;
  result["origin"] = p.origin;
  result["valid"] = true;
  result["fields"] = p.schema.size();
  result["operators"] = p.features.size();
  MILLRACE_TRY(session.finish(
      result, p.origin + ": pipeline '" + p.name + "' is valid (" +
                  human_count(p.schema.size(), "field", "fields") + ", " +
                  human_count(p.features.size(), "feature operator", "feature operators") + ")"));
  return 0;
}

std::string origin_of(const spec::Provenance& row, const std::vector<SettingRow>& settings) {
  if (row.origin != "--set") return row.origin;
  for (const SettingRow& setting : settings) {
    if (setting.flag == "--set") return setting.origin;
  }
  return row.origin;
}

// What a pipeline file says of a password is nobody's to read.
std::string shown(const spec::Provenance& row) {
  constexpr std::string_view kKafka = "kafka.";
  if (!row.path.starts_with(kKafka)) return row.value;
  return log_kafka::is_secret(row.path.substr(kKafka.size())) ? "***" : row.value;
}

// The properties of the Kafka client, where the log is Kafka.
Result<std::vector<log_kafka::Property>> kafka_properties(const Session& session) {
  MILLRACE_ASSIGN(const Session::LogKind kind, session.log_kind());
  if (kind != Session::LogKind::kKafka) return std::vector<log_kafka::Property>();
  MILLRACE_ASSIGN(const log_kafka::KafkaLogOptions options, session.kafka_options());
  return log_kafka::explain_properties(options);
}

json::Value explained(const spec::LoadedPipeline& loaded, const std::vector<SettingRow>& settings) {
  json::Value result;
  result["pipeline"] = loaded.pipeline.name;
  result["origin"] = loaded.pipeline.origin;
  result["settings"] = json::Value::array();
  for (const SettingRow& row : settings) {
    result["settings"].push_back(
        {{"flag", row.flag},
         {"value", row.value.empty() ? json::Value() : json::Value(row.value)},
         {"origin", row.origin}});
  }
  result["values"] = json::Value::array();
  for (const spec::Provenance& row : loaded.provenance) {
    result["values"].push_back(
        {{"path", row.path}, {"value", shown(row)}, {"origin", origin_of(row, settings)}});
  }
  return result;
}

Result<int> explain(Session& session, const std::string& name, const CommandLine& line) {
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(name));
  const std::vector<SettingRow> settings = settings_of(session, line);
  json::Value result = explained(loaded, settings);
  Table flags({{"flag"}, {"value"}, {"from"}});
  for (const SettingRow& row : settings) {
    flags.add_row({row.flag, row.value.empty() ? "-" : row.value, row.origin});
  }
  Table table({{"key"}, {"value"}, {"from"}});
  for (const spec::Provenance& row : loaded.provenance) {
    table.add_row({row.path, shown(row), origin_of(row, settings)});
  }
  std::string text = flags.to_string() + "\n" + table.to_string();
  MILLRACE_ASSIGN(const auto properties, kafka_properties(session));
  if (!properties.empty()) {
    Table kafka({{"property of the Kafka client"}, {"value"}, {"from"}});
    for (const log_kafka::Property& property : properties) {
      kafka.add_row({property.name, property.value, property.origin});
      result["kafka"].push_back(
          {{"property", property.name}, {"value", property.value}, {"origin", property.origin}});
    }
    text += "\n" + kafka.to_string();
  }

  // The columns are known exactly once a model has been fitted; before that, say so.
  const auto model = session.registry().load(loaded.pipeline.name);
  if (model) {
    result["features"] = model->manifest.features;
    result["model_version"] = model->manifest.version;
    text += "\n" + std::to_string(model->manifest.features.size()) + " features of model " +
            model->manifest.version + ":\n";
    for (const std::string& feature : model->manifest.features) text += "  " + feature + "\n";
  } else {
    text += "\nno model yet: its feature columns show here after millrace train\n";
  }
  result["schemas"] = {{"input", spec::input_json_schema(loaded.pipeline)},
                       {"prediction", spec::prediction_json_schema(loaded.pipeline)},
                       {"dead_letter", spec::dead_letter_json_schema(loaded.pipeline)}};
  if (loaded.pipeline.drift) {
    result["schemas"]["drift_alert"] = spec::drift_alert_json_schema(loaded.pipeline);
  }
  MILLRACE_TRY(session.finish(result, text));
  return 0;
}

}  // namespace

void register_validate(CommandLine& line) {
  auto name = std::make_shared<std::string>();
  line.command("validate", "Check a pipeline file; all errors at once, with file:line:column",
               "millrace validate telco-churn\nmillrace validate ./my-pipeline")
      .positional("pipeline", name.get(), "Shipped name, folder, or file")
      .runs([name](Session& session) { return validate(session, *name); });
}

void register_explain(CommandLine& line) {
  auto name = std::make_shared<std::string>();
  line.command(
          "explain",
          "Show what a pipeline comes to: every value with its origin, features, message schemas",
          "millrace explain telco-churn\nmillrace explain telco-churn --set model.threshold=0.4 "
          "--json")
      .positional("pipeline", name.get(), "Shipped name, folder, or file")
      .runs([name, &line](Session& session) { return explain(session, *name, line); });
}

}  // namespace millrace::app
