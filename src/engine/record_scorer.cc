#include "engine/record_scorer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "codec/forecast_writer.h"
#include "codec/prediction_writer.h"
#include "codec/record_decoder.h"
#include "data/feature_batch.h"
#include "engine/forecast_path.h"
#include "engine/model_fit.h"
#include "json/json.h"
#include "json/text.h"
#include "model/predictor.h"

namespace millrace::engine {
namespace {

// Records that take each step together: few enough that what one step writes is in the processor's
// cache for the next, many enough for a step's start-up.
constexpr std::size_t kChunkRecords = 512;

// What a record's message needs beyond its score, kept from the first pass (decode) for the last
// (encode).
struct Kept {
  std::size_t record = 0;
  std::string_view key_text;
  codec::Prediction::Key key_form = codec::Prediction::Key::kText;
  std::string_view event_time;
  Reading reading;  // of a forecast
  Timestamp time;
};

// A time that the message may carry as it came: RFC 3339 in UTC.
bool is_utc(std::string_view text) {
  constexpr std::size_t kDateBytes = 10;
  return text.size() > kDateBytes && text[kDateBytes] == 'T' && text.back() == 'Z';
}

}  // namespace

struct RecordScorer::State {
  State(const spec::Pipeline& from, codec::RecordDecoder record_decoder,
        std::unique_ptr<model::Predictor> made, env::Clock& time)
      : pipeline(from),
        decoder(std::move(record_decoder)),
        predictor(std::move(made)),
        clock(time),
        cells(from.schema.size()),
        rows(predictor->features()) {}

  spec::Pipeline pipeline;
  codec::RecordDecoder decoder;
  std::unique_ptr<model::Predictor> predictor;
  env::Clock& clock;
  // A label's probability, or a forecast.
  std::optional<ModelFit> fit;
  std::optional<codec::PredictionWriter> writer;
  std::optional<ForecastPath> path;
  std::optional<codec::ForecastWriter> forecast_writer;
  std::vector<std::size_t> watched;  // columns
  bool compares_each = false;
  KeyedState* keys = nullptr;  // of the records at hand, with a path
  std::string model_version;
  ScorerOptions::Check check = ScorerOptions::Check::kInput;
  std::optional<std::size_t> key_field;
  std::optional<std::size_t> event_time_field;
  std::vector<std::size_t> segment_fields;
  std::string_view negative_label;
  std::string_view positive_label;
  double threshold = 0.5;

  // Scratch, kept between batches.
  std::vector<data::Cell> cells;
  data::FeatureBatch rows;
  std::vector<Kept> kept;
  std::vector<float> probabilities;
  data::RecordErrors errors;
  std::string message;

  void decode_all(std::span<const log::Record> records, std::size_t first, std::size_t end,
                  ScoredBatch& out, Arena& texts);
  bool decode_one(const log::Record& record, Reading& reading);
  void keep_key(Kept& entry, Arena& texts);
  Timestamp time_of(const log::Record& record) const;
  void keep_event_time(const log::Record& record, Kept& entry, Arena& texts) const;
  void keep(std::size_t index, const log::Record& record, const Reading& reading, ScoredBatch& out,
            Arena& texts);
  void encode_all(SteadyTime arrived, ScoredBatch& out, Arena& texts);
  void encode_prediction(const Kept& entry, double p, Timestamp now, ScoredRecord& record);
  void encode_forecast(const Kept& entry, float output, Timestamp now, ScoredBatch& out);
  bool good_output(const ScoredRecord& record, std::string_view published,
                   data::RecordErrors& found) const;
};

// Cells and features of one record; false with `errors` filled where it must be set aside.
bool RecordScorer::State::decode_one(const log::Record& record, Reading& reading) {
  errors.clear();
  if (!record.value) {
    errors.push_back({data::RecordCode::kTombstone, "", "the record has no value (a tombstone)"});
    return false;
  }
  if (!decoder.decode(*record.value, cells, errors)) {
    // A key that stands twice makes what else is wrong doubtful, so it is the headline.
    std::stable_partition(errors.begin(), errors.end(), [](const data::RecordError& error) {
      return error.code == data::RecordCode::kDuplicateKey;
    });
    return false;
  }
  const std::span<double> row = rows.add_row();
  const bool taken = path ? path->take(record, cells, *keys, row, reading, errors)
                          : fit->transform.apply(cells, row, errors);
  if (taken) return true;
  rows.remove_last_row();
  return false;
}

// The key is in the prediction what it is in the input: a text, a number, a boolean, or null.
void RecordScorer::State::keep_key(Kept& entry, Arena& texts) {
  const data::Cell& cell = cells[*key_field];
  const bool has_text = cell.state == data::CellState::kText ||
                        cell.state == data::CellState::kCategory || cell.came_as_text();
  if (has_text) {
    entry.key_text = texts.copy(cell.text);
    return;
  }
  entry.key_form = codec::Prediction::Key::kJson;
  if (cell.state != data::CellState::kNumber) return;
  if (!cell.text.empty()) {
    entry.key_text = texts.copy(cell.text);
    return;
  }
  if (pipeline.schema.field(*key_field).type == data::FieldType::kBoolean) {
    entry.key_text = cell.number != 0 ? "true" : "false";
    return;
  }
  message.clear();
  json::append_number(message, cell.number);
  entry.key_text = texts.copy(message);
}

Timestamp RecordScorer::State::time_of(const log::Record& record) const {
  const bool has_field =
      event_time_field && cells[*event_time_field].state == data::CellState::kText;
  return has_field ? Timestamp(cells[*event_time_field].time_ms) : record.timestamp;
}

void RecordScorer::State::keep_event_time(const log::Record& record, Kept& entry,
                                          Arena& texts) const {
  Timestamp time = record.timestamp;
  if (event_time_field && cells[*event_time_field].state == data::CellState::kText) {
    const data::Cell& cell = cells[*event_time_field];
    if (is_utc(cell.text)) {
      entry.event_time = texts.copy(cell.text);
      return;
    }
    time = Timestamp(cell.time_ms);
  }
  constexpr std::size_t kTimeBytes = 24;
  char* text = texts.allocate(kTimeBytes);
  env::format_rfc3339(time, text);
  entry.event_time = {text, kTimeBytes};
}

void RecordScorer::State::keep(std::size_t index, const log::Record& record, const Reading& reading,
                               ScoredBatch& out, Arena& texts) {
  Kept entry;
  entry.record = index;
  entry.reading = reading;
  entry.time = path ? reading.step : time_of(record);
  if (key_field) keep_key(entry, texts);
  keep_event_time(record, entry, texts);
  for (std::size_t s = 0; s < segment_fields.size(); ++s) {
    const data::Cell& cell = cells[segment_fields[s]];
    const bool known = cell.state == data::CellState::kCategory;
    out.segment_codes[index * segment_fields.size() + s] =
        known ? static_cast<std::int16_t>(cell.code) : std::int16_t{-1};
  }
  kept.push_back(entry);
}

// Records [first, end) of the batch.
void RecordScorer::State::decode_all(std::span<const log::Record> records, std::size_t first,
                                     std::size_t end, ScoredBatch& out, Arena& texts) {
  rows.clear();
  kept.clear();
  for (std::size_t i = first; i < end; ++i) {
    const std::size_t ahead = i + KeyedState::kKeysAhead;
    if (keys != nullptr && ahead < records.size()) keys->expect(records[ahead].key.value_or(""));
    Reading reading;
    if (decode_one(records[i], reading)) {
      keep(i, records[i], reading, out, texts);
      continue;
    }
    const bool skip = !records[i].value && pipeline.input.tombstone == spec::TombstonePolicy::kSkip;
    const bool late = path && path->skips_late() && errors.size() == 1 &&
                      errors.front().code == data::RecordCode::kLate;
    if (skip || late) continue;
    ScoredRecord& record = out.records[i];
    record.outcome = Outcome::kDeadLetter;
    record.errors = out.errors.size();
    out.errors.push_back(errors);
  }
}

// What `score --validate` checks of its own output beyond what the writer guarantees by
// construction.
bool RecordScorer::State::good_output(const ScoredRecord& record, std::string_view published,
                                      data::RecordErrors& found) const {
  const auto parsed = json::parse(published, "prediction");
  if (!parsed) {
    found.push_back({data::RecordCode::kOutputInvalid, "",
                     "the prediction is no JSON object: " + parsed.error().message()});
    return false;
  }
  auto require = [&](const std::string& field, auto matches) {
    if (field.empty()) return;
    const auto at = parsed->find(field);
    if (at == parsed->end() || !matches(*at)) {
      found.push_back({data::RecordCode::kOutputInvalid, field,
                       "missing in the prediction, or not of its type"});
    }
  };
  const spec::OutputSpec& output = pipeline.output;
  const auto filled = [](const json::Value& v) {
    return v.is_string() && !v.get_ref<const std::string&>().empty();
  };
  // The input's own check has decided what a key may be.
  require(output.key_field,
          [&filled](const json::Value& v) { return !v.is_string() || filled(v); });
  require(output.label_field,
          [this](const json::Value& v) { return v == positive_label || v == negative_label; });
  require(output.probability_field, [&record](const json::Value& v) {
    return v.is_number() && v.get<double>() == record.probability && record.probability >= 0 &&
           record.probability <= 1;
  });
  const auto time = [](const json::Value& v) {
    return v.is_string() && env::parse_rfc3339(v.get<std::string>());
  };
  if (output.event_time) require(output.event_time_field, time);
  require("processed_ts", time);
  require("model_version", filled);
  require("inference_latency_ms",
          [](const json::Value& v) { return v.is_number() && v.get<double>() >= 0; });
  return found.empty();
}

void RecordScorer::State::encode_prediction(const Kept& entry, double p, Timestamp now,
                                            ScoredRecord& record) {
  record.probability = codec::round_to(fit->of_positive(p), pipeline.output.probability_decimals);
  record.positive = record.probability >= threshold;
  writer->write({.key = entry.key_text,
                 .probability = record.probability,
                 .label = record.positive ? positive_label : negative_label,
                 .event_time = entry.event_time,
                 .processed = now,
                 .latency_ms = record.latency_ms,
                 .key_form = entry.key_form},
                message);
}

void RecordScorer::State::encode_forecast(const Kept& entry, float output, Timestamp now,
                                          ScoredBatch& out) {
  const ForecastPath::Outcome before = path->look_back(entry.reading, *keys);
  if (before.known) {
    ++out.live.forecasts;
    out.live.absolute_error += std::abs(before.error);
    out.live.error += before.error;
    out.live.covered += before.covered ? 1 : 0;
    if (compares_each)
      out.compared.push_back({static_cast<std::uint32_t>(entry.record), before.forecast,
                              before.half_width, before.error, before.covered});
  }
  codec::Forecast forecast = path->forecast(entry.reading, output, *keys);
  ScoredRecord& record = out.records[entry.record];
  record.has_value = forecast.value.has_value();
  record.probability = forecast.value ? forecast.value->forecast : 0;
  out.warming_up += forecast.value ? 0 : 1;
  forecast.key = entry.key_text;
  forecast.processed = now;
  forecast.latency_ms = record.latency_ms;
  forecast_writer->write(forecast, message);
}

void RecordScorer::State::encode_all(SteadyTime arrived, ScoredBatch& out, Arena& texts) {
  const Timestamp now = clock.now();
  const double latency =
      std::chrono::duration<double, std::milli>(clock.steady() - arrived).count();
  out.latency_ms = std::max(latency, 0.0);
  const auto set_aside = [&out](ScoredRecord& record, data::RecordErrors found) {
    record.outcome = Outcome::kDeadLetter;
    record.errors = out.errors.size();
    out.errors.push_back(std::move(found));
  };
  for (std::size_t i = 0; i < kept.size(); ++i) {
    ScoredRecord& record = out.records[kept[i].record];
    const double p = static_cast<double>(probabilities[i]);
    if (!std::isfinite(p)) {
      set_aside(record,
                {{data::RecordCode::kNonFinite, "", "the model gave no finite probability"}});
      continue;
    }
    record.outcome = Outcome::kPredicted;
    record.key_text = kept[i].key_text;
    record.latency_ms = out.latency_ms;
    record.event_time = kept[i].time;
    if (!watched.empty()) {
      record.watched = static_cast<std::uint32_t>(out.watched.size() / watched.size());
      for (const std::size_t column : watched) out.watched.push_back(rows.row(i)[column]);
    }
    if (path) {
      encode_forecast(kept[i], probabilities[i], now, out);
    } else {
      encode_prediction(kept[i], p, now, record);
    }
    record.message = texts.copy(message);
    if (check == ScorerOptions::Check::kInput || path) continue;
    data::RecordErrors found;
    if (!good_output(record, record.message, found)) set_aside(record, std::move(found));
  }
}

Result<RecordScorer> RecordScorer::make(const spec::Pipeline& pipeline,
                                        const model::LoadedModel& model, env::Clock& clock,
                                        const ScorerOptions& options) {
  MILLRACE_ASSIGN(codec::RecordDecoder decoder,
                  codec::RecordDecoder::make(pipeline.schema, codec::Purpose::kScoring,
                                             pipeline.input.decode_limits()));
  std::optional<ForecastPath> path;
  std::optional<ModelFit> fit;
  if (pipeline.forecast) {
    MILLRACE_ASSIGN(path, ForecastPath::make(pipeline, model));
  } else {
    MILLRACE_ASSIGN(fit, fit_model_to(pipeline, model));
  }
  MILLRACE_ASSIGN(auto predictor, model::make_predictor(model.ensemble, options.predictor));
  const spec::OutputSpec& output = pipeline.output;
  auto state = std::make_unique<State>(pipeline, std::move(decoder), std::move(predictor), clock);
  state->path = std::move(path);
  state->fit = std::move(fit);
  const std::string event_time = output.event_time ? output.event_time_field : std::string();
  if (pipeline.forecast) {
    state->forecast_writer.emplace(output.key_field, event_time, pipeline.forecast->target,
                                   pipeline.forecast->horizon, model.manifest.version,
                                   output.probability_decimals);
  } else {
    codec::PredictionFields fields;
    fields.key = output.key_field;
    fields.probability = output.probability_field;
    fields.label = output.label_field;
    fields.event_time = event_time;
    state->writer.emplace(fields, model.manifest.version, output.probability_decimals);
  }
  const data::Schema& schema = state->pipeline.schema;
  state->model_version = model.manifest.version;
  state->check = options.check;
  if (!output.key_field.empty()) state->key_field = schema.find(output.key_field);
  if (pipeline.input.event_time) state->event_time_field = schema.find(*pipeline.input.event_time);
  for (const std::string& name : pipeline.report.segments) {
    const auto field = schema.find(name);
    CHECK(field.has_value());  // spec checks that report fields exist
    state->segment_fields.push_back(*field);
  }
  if (!pipeline.forecast) {
    const std::vector<std::string>& levels = schema.field(*schema.label()).values;
    const std::size_t positive = state->pipeline.positive_code();
    state->positive_label = levels.at(positive);
    state->negative_label = levels.at(1 - positive);
  }
  state->threshold = pipeline.model.threshold;
  return RecordScorer(std::move(state));
}

RecordScorer::RecordScorer(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordScorer::RecordScorer(RecordScorer&&) noexcept = default;
RecordScorer& RecordScorer::operator=(RecordScorer&&) noexcept = default;
RecordScorer::~RecordScorer() = default;

void RecordScorer::score(std::span<const log::Record> records, SteadyTime arrived, ScoredBatch& out,
                         KeyedState* keys) {
  State& state = *state_;
  CHECK(!state.path || keys != nullptr);
  state.keys = keys;
  out.live = {};
  out.warming_up = 0;
  out.compared.clear();
  out.watched.clear();
  out.records.assign(records.size(), ScoredRecord{});
  out.errors.clear();
  out.segment_codes.assign(records.size() * state.segment_fields.size(), -1);
  out.texts_.clear();
  out.decode_cpu = out.predict_cpu = out.encode_cpu = Nanoseconds{0};
  Nanoseconds start = env::thread_cpu_time();
  for (std::size_t first = 0; first < records.size(); first += kChunkRecords) {
    const std::size_t end = std::min(first + kChunkRecords, records.size());
    state.decode_all(records, first, end, out, out.texts_);
    const Nanoseconds decoded = env::thread_cpu_time();
    state.probabilities.resize(state.rows.rows());
    if (state.rows.rows() > 0) state.predictor->predict(state.rows, state.probabilities);
    const Nanoseconds predicted = env::thread_cpu_time();
    state.encode_all(arrived, out, out.texts_);
    if (keys != nullptr) keys->evict();
    out.decode_cpu += decoded - start;
    out.predict_cpu += predicted - decoded;
    start = env::thread_cpu_time();
    out.encode_cpu += start - predicted;
  }
}

std::vector<std::string> RecordScorer::field_texts(const log::Record& record,
                                                   const std::vector<std::string>& fields) {
  std::vector<std::string> texts(fields.size());
  state_->errors.clear();
  if (!record.value || !state_->decoder.decode(*record.value, state_->cells, state_->errors))
    return texts;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto index = state_->pipeline.schema.find(fields[i]);
    if (!index) continue;
    const data::Cell& cell = state_->cells[*index];
    if (state_->pipeline.schema.field(*index).pii) {
      texts[i] = "(redacted)";
    } else if (cell.state == data::CellState::kNumber && cell.text.empty()) {
      json::append_number(texts[i], cell.number);
    } else {
      texts[i] = cell.text;
    }
  }
  return texts;
}

void RecordScorer::watch(std::vector<std::size_t> columns) { state_->watched = std::move(columns); }

void RecordScorer::compare_each() { state_->compares_each = true; }

std::size_t RecordScorer::state_doubles() const {
  return state_->path ? state_->path->state_doubles() : 0;
}

std::string RecordScorer::state_fingerprint() const {
  return state_->path ? state_->path->fingerprint() : "";
}

std::string_view RecordScorer::predictor() const { return state_->predictor->engine(); }
const std::string& RecordScorer::model_version() const { return state_->model_version; }

}  // namespace millrace::engine
