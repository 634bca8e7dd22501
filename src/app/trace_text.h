// What `trace` shows of any record: where it lies, its bytes, its fields, what is wrong with it,
// its features; for people and as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "engine/dead_letter.h"
#include "engine/record_trace.h"
#include "json/json.h"
#include "log/log.h"
#include "spec/pipeline.h"

namespace millrace::app {

struct Place {
  log::TopicPartition source;
  Offset offset;
};

// "air_quality.raw/0/17".
std::string to_string(const Place& place);

// The record asked for, owned by the batch it came in.
struct Found {
  log::Batch batch;
  log::Record record;
  std::optional<engine::DeadLetter> letter;  // when it lies on the dead-letter topic
  std::optional<Arena> arena;                // the letter's original value
};

// Errors: kNoInput where there is no such record, with what there is; those of the log.
Result<Found> read_record(log::Log& log, const Place& place);
// A dead letter is traced as the record it wraps.
void unwrap(Found& found, const Place& place);

// Place, key, headers, value as bytes and as text.
std::string record_text(const Place& place, const Found& found);
// Fields, errors and features as tables; of `features` those that the trace has.
std::string steps_text(const engine::RecordTrace& trace);
std::string fields_text(const engine::RecordTrace& trace);
std::string features_text(const std::vector<std::pair<std::string, double>>& features);
// A number as it stands in messages; "missing" for NaN.
std::string number_text(double value);

// Where the answer goes: topic, and the partition where the key decides it; nothing of a record
// that is skipped.
struct Route {
  TopicName topic;
  std::optional<PartitionId> partition;
};
std::optional<Route> route_of(const spec::Pipeline& pipeline, const Found& found,
                              const engine::RecordTrace& trace);
std::string route_text(const Route& route, const engine::RecordTrace& trace);
std::string cpu_text(const engine::RecordTrace& trace);

// record, pipeline, model_version, dead_letter, fields, errors, features, raw_score, outcome.
json::Value steps_json(const Place& place, const Found& found, const engine::RecordTrace& trace,
                       const spec::Pipeline& pipeline, const std::string& model_version);
// Adds `to` and `cpu_us`.
void add_route_and_cpu(const spec::Pipeline& pipeline, const Found& found,
                       const engine::RecordTrace& trace, json::Value& result);

}  // namespace millrace::app
