// JSON Schemas (draft-07) of the messages on a pipeline's topics. They say what the decoder
// accepts, as far as JSON Schema can.
#include <cmath>

#include "data/record_error.h"
#include "json/json.h"
#include "spec/pipeline.h"

namespace millrace::spec {
namespace {

using data::Field;
using data::FieldType;
using data::Policy;
using json::Value;

constexpr const char* kDraft = "http://json-schema.org/draft-07/schema#";
constexpr const char* kBlank = "^\\s*$";
constexpr const char* kNumberText = "^\\s*-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?\\s*$";

Value document(const std::string& title, const std::string& description) {
  return {{"$schema", kDraft}, {"title", title}, {"description", description}, {"type", "object"}};
}

// A whole number without a fraction, so that 100 does not read 100.0.
Value plain_number(double number) {
  constexpr double kExactMax = 9e15;
  if (number == std::trunc(number) && std::abs(number) < kExactMax) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

Value number_schema(const Field& field) {
  Value schema = {{"type", field.type == FieldType::kInteger ? "integer" : "number"}};
  if (std::isfinite(field.min)) schema["minimum"] = plain_number(field.min);
  if (std::isfinite(field.max)) schema["maximum"] = plain_number(field.max);
  return schema;
}

Value string_schema(const Field& field) {
  Value schema = {{"type", "string"}};
  if (field.pattern) schema["pattern"] = "^(?:" + *field.pattern + ")$";
  return schema;
}

Value value_schema(const Field& field) {
  switch (field.type) {
    case FieldType::kString:
      return string_schema(field);
    case FieldType::kInteger:
    case FieldType::kNumber:
      return number_schema(field);
    case FieldType::kBoolean:
      return {{"type", "boolean"}};
    case FieldType::kCategory:
      if (field.unknown == Policy::kMissing) return {{"type", "string"}};
      return {{"type", "string"}, {"enum", field.values}};
    case FieldType::kTimestamp:
      return {{"type", "string"}, {"format", "date-time"}};
  }
  return Value::object();
}

// What a field's value may be: its type, and by policy text, blanks, nulls and sentinels.
Value field_schema(const Field& field) {
  Value ways = Value::array({value_schema(field)});
  if (!field.sentinels.empty()) {
    Value numbers = Value::array();
    for (const double sentinel : field.sentinels) numbers.push_back(plain_number(sentinel));
    ways.push_back({{"enum", numbers}});
  }
  if (field.accept_text) ways.push_back({{"type", "string"}, {"pattern", kNumberText}});
  if (field.blank == Policy::kMissing && field.type != FieldType::kString) {
    ways.push_back({{"type", "string"}, {"pattern", kBlank}});
  }
  // Nobody asks a live record for its label: it may be null as well.
  if (field.null == Policy::kMissing || field.label) ways.push_back({{"type", "null"}});
  if (ways.size() == 1) return ways.front();
  return {{"anyOf", ways}};
}

}  // namespace

Value input_json_schema(const Pipeline& pipeline) {
  Value schema =
      document(pipeline.name + " input", "A record on topic " + pipeline.input.topic.name.value());
  Value properties = Value::object();
  Value required = Value::array();
  for (const Field& field : pipeline.schema.fields()) {
    properties[field.name] = field_schema(field);
    if (field.required && !field.label) required.push_back(field.name);
  }
  schema["properties"] = std::move(properties);
  schema["required"] = std::move(required);
  schema["additionalProperties"] = pipeline.schema.unknown_fields_allowed;
  return schema;
}

Value prediction_json_schema(const Pipeline& pipeline) {
  const OutputSpec& output = pipeline.output;
  Value schema =
      document(pipeline.name + " prediction", "A prediction on topic " + output.topic.name.value());
  Value properties = Value::object();
  Value required = Value::array();
  const auto add = [&](const std::string& name, Value value) {
    properties[name] = std::move(value);
    required.push_back(name);
  };
  if (const auto key = pipeline.schema.find(output.key_field)) {
    add(output.key_field, field_schema(pipeline.schema.field(*key)));
  }
  if (!pipeline.forecast) {
    add(output.probability_field,
        {{"type", "number"},
         {"minimum", 0},
         {"maximum", 1},
         {"description", "probability of '" + output.positive + "', rounded to " +
                             std::to_string(output.probability_decimals) + " decimals"}});
    Value levels = Value::array();
    if (const auto label = pipeline.schema.label()) levels = pipeline.schema.field(*label).values;
    add(output.label_field, {{"type", "string"}, {"enum", levels}});
  }
  const Value time = {{"type", "string"}, {"format", "date-time"}};
  if (output.event_time) add(output.event_time_field, time);
  if (pipeline.forecast) {
    const Value number = {{"type", Value::array({"number", "null"})}};
    add("forecast_ts", time);
    add("target", {{"type", "string"}, {"enum", {pipeline.forecast->target}}});
    add("horizon", {{"type", "integer"}, {"minimum", 1}});
    for (const char* const name : {"forecast", "lower", "upper"}) add(name, number);
    add("status", {{"type", "string"}, {"enum", {"ok", "warming_up", "target_missing"}}});
    add("readings_missing", {{"type", "integer"}, {"minimum", 0}});
  }
  add("processed_ts", time);
  add("inference_latency_ms",
      {{"type", "number"},
       {"minimum", 0},
       {"description", "from the batch's arrival to the end of its scoring"}});
  add("model_version", {{"type", "string"}, {"minLength", 1}});
  schema["properties"] = std::move(properties);
  schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

Value dead_letter_json_schema(const Pipeline& pipeline) {
  Value schema = document(
      pipeline.name + " dead letter",
      "A dead letter on topic " + pipeline.dead_letter.topic.name.value() +
          " with 'format: envelope'; with 'format: headers' the value is the original bytes and "
          "the same facts stand in headers __millrace.errors.*");
  const Value text = {{"type", "string"}};
  const Value count = {{"type", "integer"}, {"minimum", 0}};
  Value types = Value::array();
  for (const auto type : {data::ErrorType::kValidation, data::ErrorType::kInference,
                          data::ErrorType::kProcessing, data::ErrorType::kUnknown}) {
    types.push_back(data::to_string(type));
  }
  schema["properties"] = {
      {"original_message",
       {{"type", "object"}, {"description", "the record where it is a JSON object, else empty"}}},
      {"original_text", {{"type", "string"}, {"description", "the record's bytes, if UTF-8"}}},
      {"original_bytes_base64",
       {{"type", "string"}, {"description", "the record's bytes, if not UTF-8"}}},
      {"error_type", {{"type", "string"}, {"enum", types}}},
      {"error_code", text},
      {"error_message", text},
      {"validation_errors", {{"type", "array"}, {"items", text}}},
      {"source_topic", text},
      {"source_partition", count},
      {"source_offset", count},
      {"failed_ts", {{"type", "string"}, {"format", "date-time"}}},
      {"consumer_group", text},
      {"retry_count", {{"type", "integer"}, {"minimum", 1}}},
  };
  schema["required"] = {"original_message", "error_type", "error_message", "source_topic",
                        "failed_ts"};
  return schema;
}

Value drift_alert_json_schema(const Pipeline& pipeline) {
  Value schema =
      document(pipeline.name + " drift alert",
               "A drift alert on topic " + pipeline.alerts_topic.value() + " (docs/drift.md)");
  const Value text = {{"type", "string"}};
  const Value time = {{"type", "string"}, {"format", "date-time"}};
  const Value count = {{"type", "integer"}, {"minimum", 0}};
  Value statistics = Value::array();
  for (const drift::Statistic statistic : drift::kAllStatistics) {
    statistics.push_back(drift::to_string(statistic));
  }
  const Value range = {
      {"type", "object"},
      {"properties", {{"partition", count}, {"first_offset", count}, {"last_offset", count}}},
      {"required", {"partition", "first_offset", "last_offset"}},
      {"additionalProperties", false}};
  schema["properties"] = {
      {"alert", {{"const", "drift"}}},
      {"state", {{"type", "string"}, {"enum", {"raised", "cleared"}}}},
      {"pipeline", text},
      {"model_version", text},
      {"feature", text},
      {"statistic", {{"type", "string"}, {"enum", statistics}}},
      {"value", {{"type", Value::array({"number", "null"})}}},
      {"threshold", {{"type", "number"}}},
      {"window_start", time},
      {"window_end", time},
      {"event_ts", time},
      {"records", count},
      {"source_topic", text},
      {"offsets", {{"type", "array"}, {"items", range}}},
  };
  Value required = Value::array();
  for (const auto& [name, ignored] : schema["properties"].items()) required.push_back(name);
  schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace millrace::spec
