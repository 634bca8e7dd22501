#include "app/trace_forecast.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "app/terminal/table.h"
#include "base/human.h"
#include "base/text.h"
#include "env/clock.h"
#include "model/registry.h"

namespace millrace::app {
namespace {

constexpr Milliseconds kReadMax{10'000};
constexpr std::size_t kFeaturesShown = 15;

// What became of a reading, and of its forecast.
struct Followed {
  Offset offset;
  Timestamp timestamp;
  engine::RecordTrace trace;
  json::Value prediction;        // null where there is none
  std::optional<double> actual;  // measured later, in the hour that was forecast
  std::optional<double> error;   // forecast less that
  std::optional<bool> covered;   // within the interval
  bool hour_passed = false;      // the key went beyond it
};

std::string what_became(const engine::RecordTrace& trace, const json::Value& prediction) {
  if (trace.outcome == engine::Outcome::kPredicted) {
    const std::string status = prediction.value("status", "");
    return status == "ok" ? "forecast" : status;
  }
  const bool late = !trace.errors.empty() && trace.errors.front().code == data::RecordCode::kLate;
  if (trace.outcome == engine::Outcome::kDeadLetter) return late ? "late" : "dead_letter";
  return trace.fields.empty() ? "tombstone" : "late";  // where the pipeline skips such
}

bool has_forecast(const Followed& reading) {
  return reading.prediction.is_object() && reading.prediction["forecast"].is_number();
}

std::optional<Timestamp> time_in(const json::Value& message, const char* key) {
  const auto at = message.find(key);
  if (at == message.end() || !at->is_string()) return std::nullopt;
  const auto time = env::parse_rfc3339(at->get<std::string>());
  return time ? std::optional(*time) : std::nullopt;
}

Followed follow(const log::Record& record, engine::RecordTrace trace) {
  Followed out{record.offset, record.timestamp, std::move(trace), {}, {}, {}, {}, false};
  if (out.trace.outcome == engine::Outcome::kPredicted)
    out.prediction = json::parse(out.trace.message, "forecast").value_or(json::Value());
  return out;
}

// Joins a reading with what came after it; `now` is a later one of the same key.
void join(Followed& reading, const engine::RecordTrace& now) {
  if (!has_forecast(reading) || !now.step) return;
  const std::optional<Timestamp> hour = time_in(reading.prediction, "forecast_ts");
  if (!hour) return;
  if (*now.step > *hour) reading.hour_passed = true;
  if (*now.step != *hour || !now.came || reading.error) return;
  reading.error = now.came->error;
  reading.covered = now.came->covered;
  reading.actual =
      now.target ? *now.target : reading.prediction["forecast"].get<double>() - now.came->error;
}

// Where what was walked begins and ends.
struct Walked {
  Offset begin;
  std::uint64_t records = 0;
};

// Goes through a partition from its oldest record: every record of `key` is handed to `each`, the
// others go into the tracer's state. `each` says whether to go on.
Result<Walked> walk(Session& session, log::Log& log, const log::TopicPartition& source,
                    std::string_view key, engine::RecordTracer& tracer,
                    const std::function<bool(const log::Record&)>& each) {
  MILLRACE_ASSIGN(const log::TopicInfo topic, log.admin().describe_topic(source.topic));
  Walked walked;
  walked.begin = topic.partitions.at(static_cast<std::size_t>(source.partition.value())).begin;
  log::ReaderOptions reading;
  reading.topic = source.topic;
  reading.partitions = {source.partition};
  MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader, log.open_reader(reading));
  while (!reader->at_end()) {
    if (session.stop().requested())
      return Error(ErrorCode::kInterrupted, "stopped before the record was reached");
    MILLRACE_ASSIGN(const std::optional<log::Batch> batch,
                    reader->next(session.clock().steady() + kReadMax));
    if (!batch) continue;
    const std::span<const log::Record> records = batch->records;
    std::size_t others = 0;  // where they begin
    for (std::size_t i = 0; i < records.size(); ++i) {
      ++walked.records;
      if (records[i].key.value_or("") != key) continue;
      tracer.replay(records.subspan(others, i - others));
      others = i + 1;
      if (!each(records[i])) return walked;
    }
    tracer.replay(records.subspan(others));
  }
  return walked;
}

// A forecast as it stands on the topic of forecasts.
struct Published {
  Place place;
  json::Value message;
  bool same = false;
};

bool same_answer(json::Value one, json::Value two) {
  for (const char* key : {"processed_ts", "inference_latency_ms"}) {
    one.erase(key);
    two.erase(key);
  }
  return one == two;
}

// The last one of the reading; one of the same model goes before others.
Result<std::optional<Published>> find_published(Session& session, log::Log& log,
                                                const spec::Pipeline& pipeline,
                                                std::string_view key,
                                                const json::Value& prediction) {
  std::optional<Published> found;
  if (!prediction.is_object()) return found;
  log::ReaderOptions reading;
  reading.topic = pipeline.output.topic.name;
  auto reader = log.open_reader(reading);
  if (!reader) {
    if (reader.error().code() == ErrorCode::kUnknownTopic) return found;
    return reader.error();
  }
  while (!(*reader)->at_end()) {
    if (session.stop().requested())
      return Error(ErrorCode::kInterrupted, "stopped before the forecast was found");
    MILLRACE_ASSIGN(const std::optional<log::Batch> batch,
                    (*reader)->next(session.clock().steady() + kReadMax));
    if (!batch) continue;
    for (const log::Record& record : batch->records) {
      if (record.key.value_or("") != key || !record.value) continue;
      const auto message = json::parse(*record.value, "forecast");
      if (!message || !message->is_object()) continue;
      bool of_it = true;
      for (const char* field : {"event_ts", "forecast_ts", "target"})
        of_it =
            of_it && message->value(field, json::Value()) == prediction.value(field, json::Value());
      if (!of_it) continue;
      const bool same = same_answer(*message, prediction);
      if (found && found->same && !same) continue;
      found = Published{{batch->source, record.offset}, *message, same};
    }
  }
  return found;
}

// The columns that weigh most in the model, with their values in this row.
std::vector<std::pair<std::string, double>> weighty(const engine::RecordTrace& trace,
                                                    const model::Manifest& manifest) {
  std::vector<std::pair<std::string, double>> out;
  for (const json::Value& entry : manifest.feature_importances) {
    if (out.size() == kFeaturesShown) break;
    const std::string name = entry.value("feature", "");
    const auto at = std::find_if(trace.features.begin(), trace.features.end(),
                                 [&name](const auto& feature) { return feature.first == name; });
    if (at != trace.features.end()) out.push_back(*at);
  }
  return out;
}

json::Value number_or_null(const std::optional<double>& value) {
  return value ? json::Value(*value) : json::Value();
}

json::Value position_json(const Place& place) {
  return {{"topic", place.source.topic.value()},
          {"partition", place.source.partition.value()},
          {"offset", place.offset.value()}};
}

std::string interval_text(const json::Value& prediction) {
  return number_text(prediction["forecast"].get<double>()) + " (" +
         number_text(prediction["lower"].get<double>()) + " to " +
         number_text(prediction["upper"].get<double>()) + ")";
}

// What is known of the forecast's hour.
std::string came_text(const Followed& reading) {
  if (reading.error) {
    return "measured " + number_text(*reading.actual) + ", the forecast was " +
           human_number(std::abs(*reading.error), 4) + (*reading.error < 0 ? " below" : " above") +
           " it, " + (*reading.covered ? "within" : "outside") + " the interval";
  }
  if (reading.hour_passed) return "that hour passed without a measurement";
  return "that hour has not come yet";
}

std::string answer_text(const Followed& reading, const spec::Pipeline& pipeline) {
  const json::Value& p = reading.prediction;
  const std::string status = what_became(reading.trace, p);
  if (status == "forecast") {
    return p["target"].get<std::string>() + " for " + p["forecast_ts"].get<std::string>() + ": " +
           interval_text(p) + "\n" + came_text(reading) + "\n";
  }
  if (status == "warming_up") {
    return "no forecast yet, warming up: " +
           human_count(p.value("readings_missing", std::uint64_t{0}), "reading is",
                       "readings are") +
           " missing\n";
  }
  if (status == "target_missing") {
    return "no forecast: '" + pipeline.forecast->target + "' was missing for too long\n";
  }
  if (status == "tombstone") return "it is skipped: a tombstone (input.tombstone: skip)\n";
  if (status == "late" && reading.trace.outcome == engine::Outcome::kSkipped)
    return "it is skipped: its hour was over (series.late: skip)\n";
  return status == "late" ? "no forecast: its hour was over\n" : "no forecast: a dead letter\n";
}

std::string published_text(const std::optional<Published>& published, const Followed& reading) {
  if (reading.trace.outcome != engine::Outcome::kPredicted) return {};
  if (!published) return "not published: no scorer has written it\n";
  const std::string at = "published at " + to_string(published->place);
  if (published->same) return at + ", the same\n";
  const json::Value& p = published->message;
  const std::string said =
      p.value("forecast", json::Value()).is_number() ? interval_text(p) : p.value("status", "");
  return at + " by model " + p.value("model_version", "") + ": " + said +
         ", other than here: another model, or a scorer that began elsewhere\n";
}

struct Traced {
  Place place;  // of the reading; of a dead letter, where it came from
  Found found;
  Followed reading;
  std::optional<Published> published;
  Walked walked;
  bool past_known = true;  // its place is on the log, so the state before it is
};

json::Value to_json(const Traced& t, const spec::Pipeline& pipeline,
                    const model::Manifest& manifest) {
  const Followed& r = t.reading;
  json::Value result = steps_json(t.place, t.found, r.trace, pipeline, manifest.version);
  result["status"] = what_became(r.trace, r.prediction);
  result["readings_missing"] =
      r.prediction.is_object() ? r.prediction["readings_missing"] : nullptr;
  result["prediction"] = r.prediction;
  result["actual"] = number_or_null(r.actual);
  result["error"] = number_or_null(r.error);
  result["within_interval"] = r.covered ? json::Value(*r.covered) : json::Value();
  result["published"] = nullptr;
  if (t.published) {
    result["published"] = position_json(t.published->place);
    result["published"]["same"] = t.published->same;
    result["published"]["prediction"] = t.published->message;
  }
  result["state"] = {{"from_offset", t.walked.begin.value()},
                     {"records", t.walked.records},
                     {"complete", t.past_known && t.walked.begin.value() == 0}};
  add_route_and_cpu(pipeline, t.found, r.trace, result);
  return result;
}

std::string to_text(const Traced& t, const spec::Pipeline& pipeline,
                    const model::Manifest& manifest, const ForecastTraceOptions& options) {
  const Followed& r = t.reading;
  engine::RecordTrace shown = r.trace;
  const std::size_t all = shown.features.size();
  if (!options.all_features) shown.features = weighty(r.trace, manifest);
  std::string text = record_text(t.place, t.found) + steps_text(shown);
  if (shown.features.size() < all) {
    text += shown.features.empty()
                ? "(the model forecasts from '" + pipeline.forecast->target + "' alone)\n"
                : "(those that weigh most in the model, of " + human_count(all) +
                      "; --all-features shows the others)\n";
  }
  text += "\nmodel " + manifest.version;
  if (r.trace.margin)
    text += ": raw score " + human_number(static_cast<double>(*r.trace.margin), 6);
  text += "\n" + answer_text(r, pipeline) + published_text(t.published, r);
  if (!t.past_known) {
    text += "where it came from is no longer on the log, so this is the answer without a past\n";
  } else if (t.walked.begin.value() > 0) {
    text += "the partition begins at offset " + std::to_string(t.walked.begin.value()) +
            ": what was before is gone, so a scorer may have known more\n";
  }
  const auto route = route_of(pipeline, t.found, r.trace);
  if (route) text += route_text(*route, r.trace);
  if (!r.trace.message.empty()) text += "  " + r.trace.message + "\n";
  return text + cpu_text(r.trace);
}

// Where a dead letter came from, if its record is still there.
bool go_to_source(log::Log& log, Traced& traced) {
  const engine::DeadLetter& letter = *traced.found.letter;
  if (!is_legal_topic_name(letter.source_topic) || letter.source_partition < 0 ||
      letter.source_partition > INT32_MAX || letter.source_offset < 0)
    return false;
  const Place source{{TopicName(letter.source_topic),
                      PartitionId(static_cast<std::int32_t>(letter.source_partition))},
                     Offset(letter.source_offset)};
  auto record = read_record(log, source);
  if (!record) return false;
  traced.place = source;
  traced.found.batch = std::move(record->batch);
  traced.found.record = record->record;
  return true;
}

}  // namespace

Result<int> trace_reading(Session& session, log::Log& log, const spec::Pipeline& pipeline,
                          const Place& place, Found found, const ForecastTraceOptions& options) {
  MILLRACE_ASSIGN(const model::LoadedModel model,
                  session.registry().load(pipeline.name, options.model));
  MILLRACE_ASSIGN(engine::RecordTracer tracer,
                  engine::RecordTracer::make(pipeline, model, session.clock()));
  Traced traced{place, std::move(found), {}, {}, {}, true};
  if (traced.found.letter) traced.past_known = go_to_source(log, traced);
  const std::string key(traced.found.record.key.value_or(""));
  if (traced.past_known) {
    std::optional<Followed> reading;
    const auto each = [&](const log::Record& record) {
      if (record.offset < traced.place.offset) {
        tracer.trace(record, engine::RecordTracer::Detail::kAnswer);
        return true;
      }
      if (!reading) {
        reading = follow(traced.found.record, tracer.trace(traced.found.record));
        return has_forecast(*reading);
      }
      join(*reading, tracer.trace(record, engine::RecordTracer::Detail::kAnswer));
      return !reading->error && !reading->hour_passed;
    };
    MILLRACE_ASSIGN(traced.walked, walk(session, log, traced.place.source, key, tracer, each));
    if (!reading)
      return Error(ErrorCode::kNoInput, "retention took " + to_string(traced.place) + " meanwhile");
    traced.reading = std::move(*reading);
  } else {
    traced.reading = follow(traced.found.record, tracer.trace(traced.found.record));
  }
  MILLRACE_ASSIGN(traced.published,
                  find_published(session, log, pipeline, key, traced.reading.prediction));
  MILLRACE_TRY(session.finish(to_json(traced, pipeline, model.manifest),
                              to_text(traced, pipeline, model.manifest, options)));
  return 0;
}

// ----------------------------------------------------------------------------------------------
// a key

namespace {

struct KeyTrace {
  log::TopicPartition source;
  std::deque<Followed> last;
  std::uint64_t readings = 0;
  std::map<std::string, std::uint64_t> by_status;
  std::uint64_t compared = 0;
  double absolute_error = 0;
  std::uint64_t covered = 0;
  Walked walked;

  void take(Followed reading, std::size_t limit);
};

void KeyTrace::take(Followed reading, std::size_t limit) {
  ++readings;
  ++by_status[what_became(reading.trace, reading.prediction)];
  for (Followed& earlier : last) join(earlier, reading.trace);
  if (reading.trace.came) {
    ++compared;
    absolute_error += std::abs(reading.trace.came->error);
    covered += reading.trace.came->covered ? 1 : 0;
  }
  last.push_back(std::move(reading));
  if (last.size() > limit) last.pop_front();
}

// The partition of the first record with that key.
Result<log::TopicPartition> partition_of(Session& session, log::Log& log, const TopicName& topic,
                                         const std::string& key) {
  log::ReaderOptions reading;
  reading.topic = topic;
  MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader, log.open_reader(reading));
  while (!reader->at_end()) {
    if (session.stop().requested())
      return Error(ErrorCode::kInterrupted, "stopped before the key was found");
    MILLRACE_ASSIGN(const std::optional<log::Batch> batch,
                    reader->next(session.clock().steady() + kReadMax));
    if (!batch) continue;
    for (const log::Record& record : batch->records) {
      if (record.key.value_or("") == key) return batch->source;
    }
  }
  return Error(ErrorCode::kNoInput,
               "no record of topic '" + topic.value() + "' has the key '" + printable(key) + "'");
}

json::Value to_json(const KeyTrace& t, const spec::Pipeline& pipeline, const std::string& key,
                    const std::string& version) {
  json::Value result;
  result["pipeline"] = pipeline.name;
  result["model_version"] = version;
  result["topic"] = t.source.topic.value();
  result["partition"] = t.source.partition.value();
  result["key"] = key;
  result["target"] = pipeline.forecast->target;
  result["horizon"] = pipeline.forecast->horizon;
  result["readings"] = t.readings;
  result["by_status"] = t.by_status;
  result["forecasts_compared"] = t.compared;
  const auto n = static_cast<double>(t.compared);
  result["mae"] = t.compared == 0 ? json::Value() : json::Value(t.absolute_error / n);
  result["coverage"] =
      t.compared == 0 ? json::Value() : json::Value(static_cast<double>(t.covered) / n);
  result["last"] = json::Value::array();
  for (const Followed& r : t.last) {
    json::Value row;
    row["offset"] = r.offset.value();
    row["event_ts"] =
        r.trace.step ? json::Value(env::format_rfc3339(*r.trace.step)) : json::Value();
    row["value"] = number_or_null(r.trace.target);
    row["status"] = what_became(r.trace, r.prediction);
    row["errors"] = json::Value::array();
    for (const data::RecordError& error : r.trace.errors)
      row["errors"].push_back(data::to_string(error.code));
    for (const char* field : {"forecast_ts", "forecast", "lower", "upper", "readings_missing"})
      row[field] = r.prediction.is_object() ? r.prediction[field] : json::Value();
    row["actual"] = number_or_null(r.actual);
    row["error"] = number_or_null(r.error);
    row["within_interval"] = r.covered ? json::Value(*r.covered) : json::Value();
    result["last"].push_back(std::move(row));
  }
  result["state"] = {{"from_offset", t.walked.begin.value()},
                     {"records", t.walked.records},
                     {"complete", t.walked.begin.value() == 0}};
  return result;
}

// "2004-03-10 18:00", of a time that is a whole minute.
std::string minute_text(Timestamp time) {
  std::string text = env::format_rfc3339(time).substr(0, 16);
  text[10] = ' ';
  return text;
}

std::vector<std::string> row_of(const Followed& r) {
  const json::Value& p = r.prediction;
  const std::string status = what_became(r.trace, p);
  std::vector<std::string> row = {std::to_string(r.offset.value()),
                                  r.trace.step ? minute_text(*r.trace.step) : "",
                                  r.trace.target ? number_text(*r.trace.target) : "",
                                  status,
                                  "",
                                  "",
                                  "",
                                  ""};
  if (status == "warming_up")
    row[3] += ", " + human_count(p.value("readings_missing", std::uint64_t{0})) + " missing";
  if (!r.trace.errors.empty())
    row[3] += ": " + std::string(data::to_string(r.trace.errors[0].code));
  if (!has_forecast(r)) return row;
  const auto short_number = [&p](const char* key) { return human_number(p[key].get<double>(), 3); };
  row[4] = short_number("forecast");
  row[5] = short_number("lower") + " to " + short_number("upper");
  row[6] = r.actual ? number_text(*r.actual) : r.hour_passed ? "missing" : "not yet";
  if (r.error) row[7] = human_number(*r.error, 3) + (*r.covered ? "" : " outside");
  return row;
}

std::string to_text(const KeyTrace& t, const spec::Pipeline& pipeline, const std::string& key,
                    const std::string& version) {
  std::string text = t.source.topic.value() + " partition " +
                     std::to_string(t.source.partition.value()) + ", key " + printable(key) + ": " +
                     human_count(t.readings, "reading", "readings");
  for (const auto& [status, count] : t.by_status) text += ", " + human_count(count) + " " + status;
  text += "\nmodel " + version + ", " + pipeline.forecast->target + " " +
          std::to_string(pipeline.forecast->horizon) + " ahead";
  if (t.compared > 0) {
    const auto n = static_cast<double>(t.compared);
    text += ": " + human_count(t.compared) + " compared with what came, MAE " +
            human_number(t.absolute_error / n, 4) + ", " +
            human_percent(static_cast<double>(t.covered) / n) + " within their interval";
  }
  if (t.walked.begin.value() > 0)
    text += "\nthe partition begins at offset " + std::to_string(t.walked.begin.value()) +
            ": what was before is gone, so a scorer may have known more";
  using Align = Table::Align;
  Table table({{"offset", Align::kRight},
               {"of"},
               {pipeline.forecast->target, Align::kRight},
               {"what became of it"},
               {"forecast", Align::kRight},
               {"interval"},
               {"came", Align::kRight},
               {"error", Align::kRight}});
  for (const Followed& reading : t.last) table.add_row(row_of(reading));
  return text + "\n\n" + table.to_string();
}

}  // namespace

Result<int> trace_key(Session& session, log::Log& log, const spec::Pipeline& pipeline,
                      const TopicName& topic, const std::string& key,
                      const ForecastTraceOptions& options) {
  MILLRACE_ASSIGN(const model::LoadedModel model,
                  session.registry().load(pipeline.name, options.model));
  MILLRACE_ASSIGN(engine::RecordTracer tracer,
                  engine::RecordTracer::make(pipeline, model, session.clock()));
  KeyTrace traced;
  MILLRACE_ASSIGN(traced.source, partition_of(session, log, topic, key));
  const auto limit = static_cast<std::size_t>(options.limit);
  const auto each = [&](const log::Record& record) {
    traced.take(follow(record, tracer.trace(record, engine::RecordTracer::Detail::kAnswer)), limit);
    return true;
  };
  MILLRACE_ASSIGN(traced.walked, walk(session, log, traced.source, key, tracer, each));
  const std::string& version = model.manifest.version;
  MILLRACE_TRY(session.finish(to_json(traced, pipeline, key, version),
                              to_text(traced, pipeline, key, version)));
  return 0;
}

}  // namespace millrace::app
