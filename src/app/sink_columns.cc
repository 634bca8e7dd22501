#include "app/sink_columns.h"

namespace millrace::app {
namespace {

using codec::ColumnKind;

ColumnKind kind_of(data::FieldType type) {
  switch (type) {
    case data::FieldType::kInteger:
      return ColumnKind::kInteger;
    case data::FieldType::kNumber:
      return ColumnKind::kNumber;
    case data::FieldType::kBoolean:
      return ColumnKind::kBoolean;
    case data::FieldType::kTimestamp:
      return ColumnKind::kTimestamp;
    case data::FieldType::kCategory:
      return ColumnKind::kCategory;
    case data::FieldType::kString:
      break;
  }
  return ColumnKind::kText;
}

SinkColumns input_columns(const spec::Pipeline& pipeline) {
  SinkColumns columns;
  columns.event_time = pipeline.input.event_time;
  for (const data::Field& field : pipeline.schema.fields()) {
    columns.typed.push_back({field.name, kind_of(field.type)});
  }
  return columns;
}

SinkColumns prediction_columns(const spec::Pipeline& pipeline) {
  const spec::OutputSpec& output = pipeline.output;
  SinkColumns columns;
  if (const auto key = pipeline.schema.find(output.key_field)) {
    columns.typed.push_back({output.key_field, kind_of(pipeline.schema.field(*key).type)});
  }
  if (!pipeline.forecast) {
    columns.typed.push_back({output.probability_field, ColumnKind::kNumber});
    columns.typed.push_back({output.label_field, ColumnKind::kCategory});
  }
  if (output.event_time) {
    columns.event_time = output.event_time_field;
    columns.typed.push_back({output.event_time_field, ColumnKind::kTimestamp});
  }
  if (pipeline.forecast) {  // codec/forecast_writer.h
    columns.typed.push_back({"forecast_ts", ColumnKind::kTimestamp});
    columns.typed.push_back({"target", ColumnKind::kCategory});
    columns.typed.push_back({"horizon", ColumnKind::kInteger});
    for (const char* number : {"forecast", "lower", "upper"})
      columns.typed.push_back({number, ColumnKind::kNumber});
    columns.typed.push_back({"status", ColumnKind::kCategory});
    columns.typed.push_back({"readings_missing", ColumnKind::kInteger});
  }
  columns.typed.push_back({"processed_ts", ColumnKind::kTimestamp});
  columns.typed.push_back({"inference_latency_ms", ColumnKind::kNumber});
  columns.typed.push_back({"model_version", ColumnKind::kCategory});
  return columns;
}

}  // namespace

std::optional<SinkColumns> columns_of(const spec::Pipeline& pipeline, const TopicName& topic) {
  if (topic == pipeline.input.topic.name) return input_columns(pipeline);
  if (topic == pipeline.output.topic.name) return prediction_columns(pipeline);
  return std::nullopt;
}

SinkColumns columns_of_shipped(const TopicName& topic) {
  for (const std::string& name : spec::shipped_pipelines()) {
    const auto loaded = spec::load_pipeline(name);
    if (!loaded) continue;
    if (auto columns = columns_of(loaded->pipeline, topic)) return *std::move(columns);
  }
  return {};
}

}  // namespace millrace::app
