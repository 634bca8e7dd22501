#include <algorithm>
#include <map>

#include "base/text.h"
#include "spec/internal/sections.h"

namespace millrace::spec::internal {
namespace {

// Goes over the references between sections.
class Checker {
 public:
  Checker(const Pipeline& pipeline, config::Reading& reading)
      : pipeline_(pipeline), schema_(pipeline.schema), reading_(reading) {}

  void run() {
    check_names();
    if (schema_.size() == 0) return;  // already reported
    if (pipeline_.forecast) {
      check_forecast();
    } else {
      check_label();
    }
    check_field("input.key", pipeline_.input.key);
    if (pipeline_.input.event_time) check_event_time();
    check_field("split.key", pipeline_.split.key);
    check_sample_weight();
    for (const std::string& field : pipeline_.report.segments) check_segment(field);
    for (const std::string& field : pipeline_.report.risk_fields) {
      check_field("report.risk_fields", field);
    }
    for (const auto& [column, field] : pipeline_.csv.rename)
      check_field("csv.rename." + column, field);
    check_derived_columns();
    check_output_fields();
  }

 private:
  void error(std::string_view path, const std::string& message) {
    reading_.error(reading_.where(path), message);
  }

  // The field that `path` names, or nullptr, reported; "" names none.
  const data::Field* check_field(const std::string& path, const std::string& name) {
    if (name.empty()) return nullptr;
    const auto index = schema_.find(name);
    if (index) return &schema_.field(*index);
    error(path, "'" + path + "': field '" + printable(name, 100) + "' is not in the schema" +
                    did_you_mean(name, schema_.names()));
    return nullptr;
  }

  void check_names() {
    const std::pair<const char*, const TopicName*> topics[] = {
        {"input.topic", &pipeline_.input.topic.name},
        {"output.topic", &pipeline_.output.topic.name},
        {"dead_letter.topic", &pipeline_.dead_letter.topic.name},
        {"alerts.topic", &pipeline_.alerts_topic}};
    std::map<std::string, std::string> used;
    for (const auto& [path, topic] : topics) {
      // A default is made of the pipeline's name; what is wrong with that is already said.
      if (!is_legal_topic_name(topic->value())) {
        if (!reading_.is_given(path)) continue;
        error(path, "'" + std::string(path) + "': '" + printable(topic->value(), 100) +
                        "' is no legal topic name (1 to 249 of a-z A-Z 0-9 . _ -)");
        continue;
      }
      const auto [first, is_new] = used.emplace(topic->value(), path);
      if (!is_new) {
        error(path, "'" + std::string(path) + "' and '" + first->second + "' are the same topic '" +
                        topic->value() + "'");
      }
    }
    if (reading_.is_given("group") && !is_legal_topic_name(pipeline_.group.value())) {
      error("group", "'group': '" + printable(pipeline_.group.value(), 100) +
                         "' is no legal group name (1 to 249 of a-z A-Z 0-9 . _ -)");
    }
  }

  void check_label() {
    if (!schema_.label()) {
      error("schema", "no field of the schema has 'label: true'");
      return;
    }
    const data::Field& label = schema_.field(*schema_.label());
    const std::string path = "schema." + label.name;
    if (label.type != data::FieldType::kCategory) return;  // already reported
    if (label.values.size() > 2) {
      error(path + ".values", "the label '" + label.name + "' has " +
                                  std::to_string(label.values.size()) +
                                  " values; more than two (multiclass) are not built yet");
      return;
    }
    if (label.values.size() < 2) {
      error(path + ".values", "the label '" + label.name + "' needs two values");
      return;
    }
    const std::string& positive = pipeline_.output.positive;
    if (std::find(label.values.begin(), label.values.end(), positive) == label.values.end()) {
      error("output.positive", "'output.positive': '" + printable(positive, 100) +
                                   "' is not a value of the label '" + label.name + "'" +
                                   did_you_mean(positive, label.values));
    }
    if (pipeline_.input.key == label.name) {
      error("input.key", "'input.key': the label '" + label.name + "' cannot be the key");
    }
  }

  // Features of the past are kept for each key, in the order of event time.
  void check_forecast() {
    if (schema_.label())
      error("schema",
            "a pipeline with a 'target' has no 'label: true'; the target is what is learnt");
    if (pipeline_.input.key.empty())
      error("input.key", "a forecast needs 'input.key': the field that tells series apart");
    if (!pipeline_.input.event_time)
      error("input.event_time", "a forecast needs 'input.event_time': the time of a reading");
    if (!pipeline_.sample_weight.empty())
      error("sample_weight", "'sample_weight' is not for forecasts");
    if (pipeline_.delivery != Delivery::kExactlyOnce)
      error("delivery", "a forecast keeps state, which needs 'delivery: exactly_once'");
    const auto key = schema_.find(pipeline_.input.key);
    if (key && schema_.field(*key).type != data::FieldType::kString &&
        schema_.field(*key).type != data::FieldType::kCategory)
      error("input.key", "the key of a forecast must be a text, it is " +
                             with_article(schema_.field(*key).type));
  }

  void check_event_time() { check_timestamp("input.event_time", *pipeline_.input.event_time); }

  void check_timestamp(const std::string& path, const std::string& name) {
    const data::Field* field = check_field(path, name);
    if (field != nullptr && field->type != data::FieldType::kTimestamp) {
      error(path, "'" + path + "': field '" + field->name + "' must be a timestamp, it is " +
                      with_article(field->type));
    }
  }

  void check_derived_columns() {
    const codec::CsvDialect& csv = pipeline_.csv;
    if (csv.timestamp) check_timestamp("csv.timestamp.field", csv.timestamp->field);
    for (const auto& [name, text] : csv.constants) {
      check_field("csv.constants." + name, name);
      if (csv.timestamp && csv.timestamp->field == name) {
        error("csv.constants." + name,
              "'csv.constants': '" + name + "' is already made by csv.timestamp");
      }
    }
  }

  void check_sample_weight() {
    const data::Field* field = check_field("sample_weight", pipeline_.sample_weight);
    if (field != nullptr && !data::is_numeric(field->type)) {
      error("sample_weight", "'sample_weight': field '" + field->name +
                                 "' must be a number, it is " + with_article(field->type));
    }
  }

  void check_segment(const std::string& name) {
    const data::Field* field = check_field("report.segments", name);
    if (field == nullptr) return;
    const bool levels = field->type == data::FieldType::kCategory ||
                        field->type == data::FieldType::kBoolean ||
                        field->type == data::FieldType::kInteger;
    if (!levels) {
      error("report.segments", "'report.segments': field '" + name +
                                   "' must be a category, a boolean or an integer, it is " +
                                   with_article(field->type));
    }
  }

  // The prediction message is a JSON object: its fields have names of their own.
  void check_output_fields() {
    const OutputSpec& output = pipeline_.output;
    if (reading_.is_given("output.key")) check_field("output.key", output.key_field);
    std::map<std::string, std::string> used = {
        {"processed_ts", ""}, {"inference_latency_ms", ""}, {"model_version", ""}};
    const std::pair<const char*, const std::string*> names[] = {
        {"output.key", &output.key_field},
        {"output.probability", &output.probability_field},
        {"output.label", &output.label_field},
        {"output.event_time", &output.event_time_field}};
    for (const auto& [path, name] : names) {
      const bool optional = name == &output.key_field || name == &output.event_time_field;
      if (name->empty()) {
        if (!optional) error(path, "'" + std::string(path) + "' is empty");
        continue;
      }
      const auto [first, is_new] = used.emplace(*name, path);
      if (is_new) continue;
      error(path, "'" + std::string(path) + "': '" + printable(*name, 100) +
                      "' is already the name of " +
                      (first->second.empty() ? "a field that is always written"
                                             : "'" + first->second + "'"));
    }
  }

  const Pipeline& pipeline_;
  const data::Schema& schema_;
  config::Reading& reading_;
};

}  // namespace

void check_pipeline(const Pipeline& pipeline, config::Reading& reading) {
  Checker(pipeline, reading).run();
}

}  // namespace millrace::spec::internal
