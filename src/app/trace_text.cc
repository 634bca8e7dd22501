#include "app/trace_text.h"

#include <cmath>
#include <memory>
#include <utility>

#include "app/record_json.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "base/text.h"
#include "env/clock.h"
#include "json/text.h"
#include "log/append_rules.h"

namespace millrace::app {
namespace {

constexpr Milliseconds kReadMax{10'000};
constexpr std::size_t kBytesShown = 256;
constexpr std::size_t kTextShown = 2000;

std::string hex_lines(std::string_view bytes) {
  constexpr std::size_t kPerLine = 16;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  const std::string_view shown = bytes.substr(0, kBytesShown);
  for (std::size_t at = 0; at < shown.size(); at += kPerLine) {
    const std::string_view line = shown.substr(at, kPerLine);
    std::string hex;
    std::string text;
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      hex += kDigits[byte >> 4U];
      hex += kDigits[byte & 15U];
      hex += ' ';
      text += byte >= 0x20 && byte < 0x7f ? c : '.';
    }
    hex.resize(kPerLine * 3, ' ');
    out += "  " + hex + " " + text + "\n";
  }
  if (bytes.size() > shown.size()) {
    out += "  ... " + human_count(bytes.size() - shown.size()) + " more bytes\n";
  }
  return out;
}

std::string_view word_of(data::CellState state) {
  switch (state) {
    case data::CellState::kMissing:
      return "missing";
    case data::CellState::kNumber:
      return "number";
    case data::CellState::kCategory:
      return "level";
    case data::CellState::kText:
      return "text";
    case data::CellState::kInvalid:
      break;
  }
  return "invalid";
}

std::string_view word_of(engine::Outcome outcome) {
  switch (outcome) {
    case engine::Outcome::kPredicted:
      return "prediction";
    case engine::Outcome::kDeadLetter:
      return "dead_letter";
    case engine::Outcome::kSkipped:
      break;
  }
  return "skipped";
}

std::string value_of(const engine::TracedField& field) {
  if (field.state == data::CellState::kNumber && field.text.empty()) {
    return number_text(field.number);
  }
  return field.text;
}

}  // namespace

std::string to_string(const Place& place) {
  return place.source.topic.value() + "/" + std::to_string(place.source.partition.value()) + "/" +
         std::to_string(place.offset.value());
}

Result<Found> read_record(log::Log& log, const Place& place) {
  MILLRACE_ASSIGN(const log::TopicInfo topic, log.admin().describe_topic(place.source.topic));
  const std::string where =
      place.source.topic.value() + "/" + std::to_string(place.source.partition.value());
  log::ReaderOptions reading;
  reading.topic = place.source.topic;
  reading.partitions = {place.source.partition};
  reading.from = {{place.source.partition, place.offset}};
  MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader, log.open_reader(reading));
  const log::PartitionInfo& partition =
      topic.partitions.at(static_cast<std::size_t>(place.source.partition.value()));
  if (place.offset < partition.begin || place.offset >= partition.end) {
    const std::string has = partition.begin == partition.end
                                ? "is empty"
                                : "has " + std::to_string(partition.begin.value()) + " to " +
                                      std::to_string(partition.end.value() - 1);
    return Error(ErrorCode::kNoInput, "no record at offset " +
                                          std::to_string(place.offset.value()) + " of " + where +
                                          ", which " + has);
  }
  while (!reader->at_end()) {
    MILLRACE_ASSIGN(std::optional<log::Batch> batch,
                    reader->next(env::real_clock().steady() + kReadMax));
    if (!batch) continue;
    for (const log::Record& record : batch->records) {
      if (record.offset == place.offset) {
        const log::Record found = record;
        return Found{std::move(*batch), found, std::nullopt, std::nullopt};
      }
      if (record.offset > place.offset) {
        return Error(ErrorCode::kNoInput, "offset " + std::to_string(place.offset.value()) +
                                              " of " + where +
                                              " holds no record (a mark of the log); the next is " +
                                              std::to_string(record.offset.value()));
      }
    }
  }
  return Error(ErrorCode::kNoInput, "offset " + std::to_string(place.offset.value()) + " of " +
                                        where +
                                        " holds no record (a mark of the log), and none follows");
}

// A dead letter is traced as the record it wraps.
void unwrap(Found& found, const Place& place) {
  found.letter = engine::read_dead_letter(place.source, found.record);
  found.arena.emplace();
  found.record.value.reset();
  if (found.letter->value) found.record.value = found.arena->copy(*found.letter->value);
  found.record.key.reset();
  if (found.letter->key) found.record.key = *found.letter->key;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "missing";
  std::string text;
  json::append_number(text, value);
  return text;
}

std::string record_text(const Place& place, const Found& found) {
  const log::Record& record = found.record;
  std::string text = place.source.topic.value() + " partition " +
                     std::to_string(place.source.partition.value()) + " offset " +
                     std::to_string(place.offset.value()) + ", " +
                     env::format_rfc3339(record.timestamp) + "\n";
  if (found.letter) {
    const engine::DeadLetter& letter = *found.letter;
    text += "dead letter: " + letter.code + ": " + printable(letter.message, kTextShown) +
            "\nit came from " + letter.source_topic + "/" +
            std::to_string(letter.source_partition) + "/" + std::to_string(letter.source_offset) +
            ", attempt " + std::to_string(letter.attempt) + "\n";
  }
  text += "key: " + (record.key ? printable(*record.key) : std::string("none")) + "\n";
  for (const log::Header& header : record.headers) {
    text += "header " + printable(header.name) + ": " +
            (header.value ? printable(*header.value) : std::string("null")) + "\n";
  }
  if (!record.value) return text + "value: none (a tombstone)\n";
  text += "value, " + human_count(record.value->size()) + " bytes:\n" + hex_lines(*record.value);
  return text + "  as text: " + printable(*record.value, kTextShown) + "\n";
}

std::string fields_text(const engine::RecordTrace& trace) {
  if (trace.fields.empty()) return {};
  Table fields({{"field"}, {"type"}, {"state"}, {"value"}});
  for (const engine::TracedField& field : trace.fields) {
    fields.add_row({field.name, std::string(data::to_string(field.type)),
                    std::string(word_of(field.state)), value_of(field)});
  }
  return "\n" + fields.to_string();
}

std::string features_text(const std::vector<std::pair<std::string, double>>& features) {
  if (features.empty()) return {};
  Table table({{"feature"}, {"value", Table::Align::kRight}});
  for (const auto& [name, value] : features) table.add_row({name, number_text(value)});
  return "\n" + table.to_string();
}

std::string errors_text(const engine::RecordTrace& trace) {
  std::string text;
  if (!trace.errors.empty()) text += "\nwrong with it:\n";
  for (const data::RecordError& error : trace.errors) {
    text += "  " + std::string(data::to_string(error.code)) + ": " +
            printable(error.message(), kTextShown) + "\n";
  }
  return text;
}

std::string steps_text(const engine::RecordTrace& trace) {
  return fields_text(trace) + errors_text(trace) + features_text(trace.features);
}

std::string route_text(const Route& route, const engine::RecordTrace& trace) {
  const bool predicted = trace.outcome == engine::Outcome::kPredicted;
  return std::string("it goes to the ") + (predicted ? "predictions" : "dead letters") + ", " +
         route.topic.value() + ", partition " +
         (route.partition ? std::to_string(route.partition->value()) : "in turn (no key)") + "\n";
}

std::string cpu_text(const engine::RecordTrace& trace) {
  const auto seconds = [](Nanoseconds span) {
    return human_seconds(static_cast<double>(span.count()) / 1e9);
  };
  return "CPU, caches cold: decode and features " + seconds(trace.decode_cpu) + ", predict " +
         seconds(trace.predict_cpu) + ", encode " + seconds(trace.encode_cpu) + "\n";
}

std::optional<Route> route_of(const spec::Pipeline& pipeline, const Found& found,
                              const engine::RecordTrace& trace) {
  if (trace.outcome == engine::Outcome::kSkipped) return std::nullopt;
  const bool predicted = trace.outcome == engine::Outcome::kPredicted;
  const spec::TopicSpec& topic = predicted ? pipeline.output.topic : pipeline.dead_letter.topic;
  Route route{topic.name, std::nullopt};
  if (!found.record.key) return route;
  log::NewRecord record;
  record.key = found.record.key;
  std::uint32_t turn = 0;
  const auto partition = log::choose_partition(topic.name, topic.config.partitions, record, turn);
  if (partition) route.partition = *partition;
  return route;
}

json::Value steps_json(const Place& place, const Found& found, const engine::RecordTrace& trace,
                       const spec::Pipeline& pipeline, const std::string& model_version) {
  json::Value result;
  result["record"] = record_to_json(place.source, found.record);
  result["pipeline"] = pipeline.name;
  result["model_version"] = model_version;
  if (found.letter) {
    result["dead_letter"] = {{"type", found.letter->type},
                             {"code", found.letter->code},
                             {"message", found.letter->message},
                             {"source_topic", found.letter->source_topic},
                             {"source_partition", found.letter->source_partition},
                             {"source_offset", found.letter->source_offset},
                             {"attempt", found.letter->attempt}};
  }
  result["fields"] = json::Value::array();
  for (const engine::TracedField& field : trace.fields) {
    json::Value value = field.text;
    if (field.state == data::CellState::kNumber) value = field.number;
    if (field.state == data::CellState::kMissing) value = nullptr;
    result["fields"].push_back({{"name", field.name},
                                {"type", data::to_string(field.type)},
                                {"state", word_of(field.state)},
                                {"value", std::move(value)}});
  }
  result["errors"] = json::Value::array();
  for (const data::RecordError& error : trace.errors) {
    result["errors"].push_back({{"code", data::to_string(error.code)},
                                {"field", error.field},
                                {"message", error.message()}});
  }
  result["features"] = json::Value::array();
  for (const auto& [name, value] : trace.features) {
    result["features"].push_back({{"name", name}, {"value", value}});
  }
  result["raw_score"] = trace.margin ? json::Value(*trace.margin) : json::Value();
  result["outcome"] = word_of(trace.outcome);
  return result;
}

void add_route_and_cpu(const spec::Pipeline& pipeline, const Found& found,
                       const engine::RecordTrace& trace, json::Value& result) {
  const auto route = route_of(pipeline, found, trace);
  result["to"] = nullptr;
  if (route) {
    result["to"] = {
        {"topic", route->topic.value()},
        {"partition", route->partition ? json::Value(route->partition->value()) : json::Value()}};
  }
  const auto micros = [](Nanoseconds span) { return static_cast<double>(span.count()) / 1000; };
  result["cpu_us"] = {{"decode_and_features", micros(trace.decode_cpu)},
                      {"predict", micros(trace.predict_cpu)},
                      {"encode", micros(trace.encode_cpu)}};
}

}  // namespace millrace::app
