#include <array>

#include "base/text.h"
#include "log/append_rules.h"
#include "spec/internal/sections.h"

namespace millrace::spec::internal {
namespace {

using config::Choice;
using config::MapReader;

// Room for the headers that a dead letter carries beside the record's own bytes.
constexpr std::size_t kDeadLetterHeaderBytes = std::size_t{64} << 10;
constexpr std::uint64_t kMessageBytesMax = std::uint64_t{255} << 20;
// What a pipeline may ask for, every log can make, dead letters of the largest records included.
static_assert(kMessageBytesMax + kDeadLetterHeaderBytes <= log::kMessageBytesMaxMax);
constexpr std::string_view kNone = "none";

enum class Format { kJson, kNotBuilt };
enum class UnknownFields { kIgnore, kRefuse };

constexpr std::array kTombstones = {
    Choice<TombstonePolicy>{"dead_letter", TombstonePolicy::kDeadLetter},
    Choice<TombstonePolicy>{"skip", TombstonePolicy::kSkip}};
constexpr std::array kUnknownFields = {Choice<UnknownFields>{"ignore", UnknownFields::kIgnore},
                                       Choice<UnknownFields>{"refuse", UnknownFields::kRefuse}};
constexpr std::array kDeadLetterFormats = {
    Choice<DeadLetterFormat>{"headers", DeadLetterFormat::kHeaders},
    Choice<DeadLetterFormat>{"envelope", DeadLetterFormat::kEnvelope}};
constexpr std::array<std::string_view, 3> kFormatsNotBuilt = {"csv", "avro", "protobuf"};

// The largest message, by our name or by Kafka's.
std::size_t read_message_bytes(MapReader& map, std::size_t fallback) {
  constexpr std::string_view kKafkaName = "max.message.bytes";
  const config::BytesRange range{.min = 1024, .max = kMessageBytesMax};
  if (!map.has(kKafkaName)) {
    return static_cast<std::size_t>(map.bytes("message_bytes_max", fallback, range));
  }
  if (map.has("message_bytes_max")) {
    map.error(kKafkaName, "'max.message.bytes' and 'message_bytes_max' are one setting; give one");
  }
  return static_cast<std::size_t>(map.optional_bytes(kKafkaName, range).value_or(fallback));
}

void read_topic_config(MapReader& map, log::TopicConfig& config) {
  const auto* entries = map.entries("topic_config");
  if (entries == nullptr) return;
  MapReader other = map.map("topic_config");
  for (const config::MapEntry& entry : *entries) {
    if (entry.key == "retention.ms" || entry.key == "max.message.bytes") {
      other.error(entry.key, "'" + entry.key + "' has a key of its own beside 'topic': " +
                                 (entry.key == "retention.ms" ? "retention" : "message_bytes_max"));
    }
    config.other[entry.key] = other.optional_text(entry.key).value_or("");
  }
  other.finish();
}

TopicSpec read_topic(MapReader& map, const std::string& default_name,
                     const log::TopicConfig& defaults) {
  TopicSpec topic;
  topic.name = TopicName(map.text("topic", default_name));
  topic.config.partitions = static_cast<std::int32_t>(
      map.integer("partitions", defaults.partitions, {1, log::kPartitionsMax}));
  topic.config.replication =
      static_cast<std::int16_t>(map.integer("replication", defaults.replication, {1, 100}));
  topic.config.retention = map.optional_duration("retention", {.min = Milliseconds(1)});
  topic.config.message_bytes_max = read_message_bytes(map, defaults.message_bytes_max);
  read_topic_config(map, topic.config);
  return topic;
}

void read_format(MapReader& input) {
  const std::string format = input.text("format", "json");
  if (format == "json") return;
  for (const std::string_view known : kFormatsNotBuilt) {
    if (format != known) continue;
    input.error("format", "messages in '" + format + "' are not built yet; json is");
    return;
  }
  input.error("format", "'format': expected json, found '" + printable(format, 60) + "'");
}

void read_input(MapReader& top, Pipeline& pipeline) {
  MapReader input = top.map("input");
  InputSpec& spec = pipeline.input;
  spec.topic = read_topic(input, pipeline.name + ".raw", {});
  spec.key = input.text("key", "");
  spec.event_time = input.optional_text("event_time");
  read_format(input);
  pipeline.schema.unknown_fields_allowed = input.choice("unknown_fields", UnknownFields::kIgnore,
                                                        kUnknownFields) == UnknownFields::kIgnore;
  spec.tombstone = input.choice("tombstone", TombstonePolicy::kDeadLetter, kTombstones);
  input.finish();
}

void read_output(MapReader& top, Pipeline& pipeline) {
  MapReader output = top.map("output");
  OutputSpec& spec = pipeline.output;
  log::TopicConfig defaults;
  defaults.partitions = pipeline.input.topic.config.partitions;
  defaults.replication = pipeline.input.topic.config.replication;
  spec.topic = read_topic(output, pipeline.name + ".predictions", defaults);
  spec.key_field = output.text("key", pipeline.input.key.empty() ? kNone : pipeline.input.key);
  if (spec.key_field == kNone) spec.key_field.clear();
  spec.label_field = output.text("label", "prediction");
  spec.probability_field = output.text("probability", "probability");
  spec.event_time_field =
      output.text("event_time", pipeline.input.event_time.value_or(spec.event_time_field));
  spec.event_time = spec.event_time_field != kNone;
  if (!spec.event_time) spec.event_time_field.clear();
  const auto label = pipeline.schema.label();
  const bool has_levels = label && !pipeline.schema.field(*label).values.empty();
  spec.positive =
      output.text("positive", has_levels ? pipeline.schema.field(*label).values.back() : "");
  spec.probability_decimals =
      static_cast<int>(output.integer("probability_decimals", spec.probability_decimals, {1, 15}));
  output.finish();
}

void read_dead_letter(MapReader& top, Pipeline& pipeline) {
  MapReader map = top.map("dead_letter");
  DeadLetterSpec& spec = pipeline.dead_letter;
  log::TopicConfig defaults;
  defaults.replication = pipeline.input.topic.config.replication;
  defaults.message_bytes_max =
      pipeline.input.topic.config.message_bytes_max + kDeadLetterHeaderBytes;
  spec.topic = read_topic(map, pipeline.name + ".deadletter", defaults);
  spec.format = map.choice("format", DeadLetterFormat::kHeaders, kDeadLetterFormats);
  spec.attempts_max =
      static_cast<std::uint32_t>(map.integer("attempts", spec.attempts_max, {1, 1000}));
  MapReader breaker = map.map("stop_above");
  const config::NumberRange ratio{
      .min = 0, .max = 1, .at_min = config::NumberRange::Min::kExcluded};
  const config::IntegerRange window{1, 10'000'000};
  if (breaker.is_present()) {
    if (!breaker.has("ratio")) {
      top.reading().error(breaker.where(), "'dead_letter.stop_above.ratio' is missing");
    }
    FloodBreaker flood;
    flood.ratio = breaker.optional_number("ratio", ratio).value_or(flood.ratio);
    flood.window_records = static_cast<std::uint64_t>(
        breaker.integer("window", static_cast<std::int64_t>(flood.window_records), window));
    spec.stop_above = flood;
  } else {
    breaker.known("ratio");
    breaker.known("window");
  }
  breaker.finish();
  map.finish();
}

}  // namespace

void read_topics(MapReader& top, Pipeline& pipeline) {
  read_input(top, pipeline);
  read_output(top, pipeline);
  read_dead_letter(top, pipeline);
  MapReader alerts = top.map("alerts");
  pipeline.alerts_topic = TopicName(alerts.text("topic", pipeline.name + ".alerts"));
  alerts.finish();
}

}  // namespace millrace::spec::internal
