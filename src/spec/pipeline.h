// A pipeline file as typed, cross-checked values: what everything above is driven by.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "codec/record_decoder.h"
#include "codec/table_reader.h"
#include "data/schema.h"
#include "drift/monitor.h"
#include "env/file.h"
#include "eval/search_space.h"
#include "features/operator.h"
#include "features/series_operator.h"
#include "json/fwd.h"
#include "log/log.h"
#include "model/parameters.h"
#include "series/arima.h"

namespace millrace::spec {

enum class Delivery { kExactlyOnce, kAtLeastOnce };
enum class DeadLetterFormat { kHeaders, kEnvelope };
enum class TombstonePolicy { kDeadLetter, kSkip };

struct TopicSpec {
  TopicName name;
  log::TopicConfig config;
};

struct InputSpec {
  TopicSpec topic;
  std::string key;  // field whose value is the record key when producing; "" = null keys
  std::optional<std::string> event_time;  // field with the event time
  TombstonePolicy tombstone = TombstonePolicy::kDeadLetter;

  // Of messages on the topic: what the topic takes can be decoded.
  codec::DecodeLimits decode_limits() const {
    codec::DecodeLimits limits;
    limits.bytes_max = topic.config.message_bytes_max;
    return limits;
  }
};

// The prediction message.
struct OutputSpec {
  TopicSpec topic;
  std::string key_field;  // copied from the input ("customerID"), "" = none
  std::string label_field = "prediction";
  std::string probability_field = "probability";
  bool event_time = true;  // copy the input's event time (the record's timestamp without one) as
                           // `event_time_field`
  std::string event_time_field = "event_ts";
  std::string positive;  // a level of the label; default the last of its values
  int probability_decimals = 6;
  // Always written: processed_ts, inference_latency_ms (2 decimals), model_version.
};

struct FloodBreaker {
  double ratio = 1;  // stop when dead letters exceed this share of the window, (0, 1]
  std::uint64_t window_records = 1000;
};

struct DeadLetterSpec {
  TopicSpec topic;
  DeadLetterFormat format = DeadLetterFormat::kHeaders;
  std::optional<FloodBreaker> stop_above;
  std::uint32_t attempts_max = 3;  // a record replayed more often stays in the dead-letter topic
};

struct ReportSpec {
  std::string noun = "record";           // what one record is, for people: "customer"
  std::string nouns = "records";         // several of them
  std::vector<std::string> segments;     // fields: share of positives by level
  std::vector<std::string> risk_fields;  // shown beside the top risks
  std::size_t top_risk = 10;
};

struct SplitSpec {
  enum class Kind { kStratified, kHash, kChronological } kind = Kind::kStratified;
  double test_fraction = 0.2;
  std::uint64_t seed = 42;
  std::string key;  // of a hash split
};

// Of a pipeline whose features are made of the past of each key.
struct SeriesSpec {
  features::SeriesPlan plan;
  enum class Late { kDeadLetter, kSkip } late = Late::kDeadLetter;
  // A key is forgotten when the newest reading of its partition is this much younger than its own
  // last one; nothing: never.
  std::optional<Milliseconds> evict_after;
  std::size_t keys_max = 1'000'000;  // of one partition; the one unseen for longest goes first
};

// What is forecast: the value of `target` so many steps after the reading.
struct ForecastSpec {
  std::string target;
  std::uint32_t horizon = 1;
  // What the model learns: the value, or its difference to the present one.
  enum class Predict { kLevel, kChange } predict = Predict::kChange;
  double coverage = 0.9;  // of the interval, (0, 1)
  // Of the models that are measured beside the trees.
  series::ArimaOrder arima{2, 1, 2};
  std::uint32_t season = 24;  // steps
};

// What of the stream is compared with the training data (docs/drift.md).
struct DriftSpec {
  drift::WindowSpec window;
  std::vector<std::string> features;  // columns of the model, or fields (all their columns); empty:
                                      // every column
  enum class Score { kWatched, kIgnored } score = Score::kWatched;
  drift::MonitorOptions monitor;
};

struct Pipeline {
  int version = 1;
  std::string name;
  std::string origin;  // file it came from, "built-in telco-churn" for a shipped one
  std::string text;    // the YAML as read, --set applied
  InputSpec input;
  OutputSpec output;
  DeadLetterSpec dead_letter;
  TopicName alerts_topic;
  GroupId group;  // <name>-consumer by default
  Delivery delivery = Delivery::kExactlyOnce;
  Milliseconds commit_interval{100};
  std::size_t commit_records_max = 10'000;
  data::Schema schema;
  codec::CsvDialect csv;
  std::vector<features::Operator> features;  // empty where there is a forecast
  SeriesSpec series;                         // where there is a forecast
  std::optional<ForecastSpec> forecast;      // otherwise the label is predicted
  model::TrainingParameters model;
  eval::SearchSpace tune;  // keys of `model` and what `tune` tries of each; empty: its own choice
  SplitSpec split;
  std::string sample_weight;  // field with row weights, "" = none
  ReportSpec report;
  std::optional<DriftSpec> drift;            // nothing is watched without it
  std::map<std::string, std::string> kafka;  // properties of the Kafka client
  std::string simulator;  // text of the simulator file beside the pipeline, "" without one

  // Index of the positive level in the label's values.
  std::size_t positive_code() const;
};

// Where a resolved value came from, for `explain`.
struct Provenance {
  std::string path;    // "input.topic"
  std::string value;   // as YAML
  std::string origin;  // "telco.yaml:4:11", "default", "--set", "environment MILLRACE_GROUP"
};

struct LoadedPipeline {
  Pipeline pipeline;
  std::vector<Provenance> provenance;  // every key, in file order, defaults included
};

struct LoadOptions {
  std::vector<std::string> set;  // key=value with dotted keys, applied over the file
};

// `name`: a pipeline file, a folder with pipeline.yaml, or the name of a shipped pipeline (files
// win over names only when the argument has a '/' or ends in .yaml or .yml, or no shipped pipeline
// has the name). All errors of the file are reported at once, one a line: "file:line:col: unknown
// key 'x', did you mean 'y'?". Errors: kNoInput, kConfig.
Result<LoadedPipeline> load_pipeline(const std::string& name, const LoadOptions& options = {});
// The same from text, for tests and for `init`; `origin` stands in messages.
Result<LoadedPipeline> parse_pipeline(std::string_view text, const std::string& origin,
                                      const LoadOptions& options = {});

std::vector<std::string> shipped_pipelines();
// A file of a shipped pipeline ("pipeline.yaml", "simulator.yaml", "README.md", ...), embedded in
// the program.
std::optional<std::string_view> shipped_file(std::string_view pipeline, std::string_view file);

// JSON Schemas (draft-07) of the messages on the pipeline's topics, generated from the pipeline.
json::Value input_json_schema(const Pipeline& pipeline);
json::Value prediction_json_schema(const Pipeline& pipeline);
json::Value dead_letter_json_schema(const Pipeline& pipeline);
json::Value drift_alert_json_schema(const Pipeline& pipeline);

}  // namespace millrace::spec
