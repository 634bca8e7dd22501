#include "app/record_log.h"

#include <algorithm>
#include <utility>

#include "data/record_error.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr double kMsPerSecond = 1000;

json::Value place_of(const log::TopicPartition& source, const log::Record& record) {
  return {{"topic", source.topic.value()},
          {"partition", source.partition.value()},
          {"offset", record.offset.value()}};
}

}  // namespace

RecordLog::RecordLog(telemetry::Logger& logger, const spec::Pipeline& pipeline,
                     std::string algorithm)
    : logger_(logger), algorithm_(std::move(algorithm)), forecasts_(pipeline.forecast.has_value()) {
  if (forecasts_) return;
  const std::vector<std::string>& levels = pipeline.schema.field(*pipeline.schema.label()).values;
  positive_label_ = levels.at(pipeline.positive_code());
  negative_label_ = levels.at(1 - pipeline.positive_code());
}

void RecordLog::on_scored(const log::TopicPartition& source, std::span<const log::Record> records,
                          const engine::ScoredBatch& batch) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    const engine::ScoredRecord& scored = batch.records[i];
    switch (scored.outcome) {
      case engine::Outcome::kPredicted:
        tell_prediction(source, records[i], scored);
        break;
      case engine::Outcome::kDeadLetter:
        tell_dead_letter(source, records[i], batch.errors[scored.errors]);
        break;
      case engine::Outcome::kSkipped:
        break;
    }
  }
}

void RecordLog::tell_prediction(const log::TopicPartition& source, const log::Record& record,
                                const engine::ScoredRecord& scored) {
  json::Value line = place_of(source, record);
  line["predictions"][algorithm_] =
      scored.has_value ? json::Value(scored.probability) : json::Value();
  if (forecasts_) {
    line["status"] = scored.has_value ? "ok" : "warming_up";
  } else {
    line["prediction"] = scored.positive ? positive_label_ : negative_label_;
  }
  line["latency_sec"] = scored.latency_ms / kMsPerSecond;
  line["drift"] = any_drifting_;
  waiting_.push_back({telemetry::Level::kInfo, "prediction", std::move(line)});
}

void RecordLog::tell_dead_letter(const log::TopicPartition& source, const log::Record& record,
                                 const data::RecordErrors& errors) {
  json::Value line = place_of(source, record);
  const data::RecordCode code = errors.empty() ? data::RecordCode::kUnknown : errors.front().code;
  line["error_type"] = data::to_string(data::type_of(code));
  line["code"] = data::to_string(code);
  if (!errors.empty() && !errors.front().field.empty()) line["field"] = errors.front().field;
  waiting_.push_back({telemetry::Level::kWarning, "dead_letter", std::move(line)});
}

void RecordLog::on_committed(const data::RunSummary& /*all*/, Nanoseconds /*took*/) {
  for (const Line& line : waiting_) logger_.event(line.level, line.event, line.fields);
  waiting_.clear();
}

void RecordLog::on_drift(const drift::DriftMonitor& drift) {
  const std::vector<drift::ReferenceColumn>& columns = drift.reference().columns;
  drifting_.resize(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool now = drift.is_drifting(i);
    if (now == drifting_[i]) continue;
    drifting_[i] = now;
    logger_.event(
        telemetry::Level::kWarning, "drift",
        {{"feature", columns[i].profile.column.name}, {"state", now ? "raised" : "cleared"}});
  }
  any_drifting_ = std::find(drifting_.begin(), drifting_.end(), true) != drifting_.end();
}

}  // namespace millrace::app
