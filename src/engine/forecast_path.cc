#include "engine/forecast_path.h"

#include <cmath>
#include <utility>

#include "env/clock.h"
#include "json/json.h"

namespace millrace::engine {
namespace {

// Of a forecast that waits for its hour: the step's number, the forecast, half of its interval.
constexpr std::size_t kPendingDoubles = 3;

Error misfit(const spec::Pipeline& pipeline, const model::Manifest& manifest,
             const std::string& why) {
  return Error(ErrorCode::kBadModel,
               "model " + manifest.version + " of pipeline '" + manifest.pipeline + "' " + why +
                   "; train it again (millrace train " + pipeline.name + " --data FILE)");
}

}  // namespace

Result<ForecastPath> ForecastPath::make(const spec::Pipeline& pipeline,
                                        const model::LoadedModel& model) {
  const model::Manifest& manifest = model.manifest;
  const spec::ForecastSpec& spec = *pipeline.forecast;
  const json::Value& given = manifest.forecast;
  if (!given.is_object()) return misfit(pipeline, manifest, "does not forecast");
  const json::Value wanted = {
      {"target", spec.target},
      {"horizon", spec.horizon},
      {"step_ms", pipeline.series.plan.step.count()},
      {"predict", spec.predict == spec::ForecastSpec::Predict::kChange ? "change" : "level"}};
  for (const auto& [key, value] : wanted.items()) {
    if (given.value(key, json::Value()) == value) continue;
    return misfit(pipeline, manifest,
                  "forecasts with another '" + key + "' (" +
                      json::to_line(given.value(key, json::Value())) +
                      ") than the pipeline says (" + json::to_line(value) + ")");
  }
  MILLRACE_ASSIGN(auto transform,
                  features::SeriesTransform::make(pipeline.series.plan, pipeline.schema));
  if (transform.fingerprint() != manifest.feature_fingerprint ||
      transform.columns() != model.ensemble->features)
    return misfit(pipeline, manifest, "was trained with other features than the pipeline has now");
  const json::Value width = given.value("interval_half_width", json::Value());
  if (!width.is_number() || !(width.get<double>() >= 0))
    return misfit(pipeline, manifest, "does not say how wide its intervals are");
  ForecastPath path(std::move(transform));
  path.spec_ = spec;
  path.late_ = pipeline.series.late;
  path.step_ = pipeline.series.plan.step;
  path.half_width_ = width.get<double>();
  if (manifest.parameters.algorithm == model::Algorithm::kArima) {
    const auto arima = given.find("arima");
    if (arima == given.end()) return misfit(pipeline, manifest, "has lost its parameters");
    MILLRACE_ASSIGN(path.arima_, ArimaPath::make(*arima, spec.coverage, spec.horizon));
  }
  path.track_ = path.transform_.track_of(spec.target);
  path.key_field_ = *pipeline.schema.find(pipeline.input.key);
  path.time_field_ = *pipeline.schema.find(*pipeline.input.event_time);
  return path;
}

std::size_t ForecastPath::state_doubles() const {
  return transform_.state_size() + kPendingDoubles * spec_.horizon +
         (arima_ ? arima_->state_doubles() : 0);
}

std::string ForecastPath::fingerprint() const {
  return transform_.fingerprint() + "-" + spec_.target + "-" + std::to_string(spec_.horizon) +
         (arima_ ? "-" + arima_->fingerprint() : "");
}

bool ForecastPath::take(const log::Record& record, std::span<const data::Cell> cells,
                        KeyedState& state, std::span<double> row, Reading& reading,
                        data::RecordErrors& errors) {
  const std::string_view key = cells[key_field_].text;
  if (record.key.value_or("") != key) {
    errors.push_back({data::RecordCode::kKeyMismatch, "",
                      "the record's key is not the reading's, so its past is elsewhere"});
    return false;
  }
  const data::Cell& cell = cells[time_field_];
  const Timestamp time =
      cell.state == data::CellState::kText ? Timestamp(cell.time_ms) : record.timestamp;
  const std::span<double> values = state.touch(key, record.offset, time);
  const std::span<double> past = values.first(transform_.state_size());
  const bool is_new = transform_.steps_seen(past) == 0;
  using Taken = features::SeriesTransform::Taken;
  const Taken taken = transform_.take(cells, time, past);
  if (taken == Taken::kTooLarge) {
    errors.push_back({data::RecordCode::kNonFinite, "",
                      "a value is not a finite number in the model's precision"});
    return false;
  }
  if (taken == Taken::kLate) {
    errors.push_back({data::RecordCode::kLate, "",
                      "the reading is of " + env::format_rfc3339(time) + ", and its key is at " +
                          env::format_rfc3339(transform_.current_step(past)) + " already"});
    return false;
  }
  if (is_new) {
    for (std::size_t i = 0; i < spec_.horizon; ++i)
      values[transform_.state_size() + i * kPendingDoubles] = -1e300;  // no step
  }
  transform_.features(past, row);
  reading.slot = state.last_touched();
  reading.step = transform_.current_step(past);
  reading.present = transform_.current_value(past, track_);
  reading.observed = transform_.observed_value(past, track_);
  const std::uint64_t seen = transform_.steps_seen(past);
  const std::uint64_t needed = transform_.steps_needed();
  reading.readings_missing = seen < needed ? static_cast<std::uint32_t>(needed - seen) : 0;
  if (arima_) {
    reading.by_series = arima_->take(key, reading.step.value() / step_.count(), reading.observed,
                                     values.last(arima_->state_doubles()));
    reading.readings_missing = reading.by_series ? 0 : 1;
  }
  return true;
}

ForecastPath::Outcome ForecastPath::look_back(const Reading& reading, KeyedState& state) const {
  Outcome outcome;
  if (std::isnan(reading.observed)) return outcome;
  const auto number = static_cast<std::uint64_t>(reading.step.value() / step_.count());
  const std::span<double> waiting =
      state.values(reading.slot)
          .subspan(transform_.state_size() + kPendingDoubles * (number % spec_.horizon),
                   kPendingDoubles);
  if (waiting[0] != static_cast<double>(number)) return outcome;
  outcome.known = true;
  outcome.forecast = waiting[1];
  outcome.half_width = waiting[2];
  outcome.error = waiting[1] - reading.observed;
  outcome.covered = std::abs(outcome.error) <= waiting[2];
  waiting[0] = -1e300;  // several readings of an hour are one outcome
  return outcome;
}

codec::Forecast ForecastPath::forecast(const Reading& reading, float output,
                                       KeyedState& state) const {
  codec::Forecast out;
  out.features_as_of = reading.step;
  out.forecast_for = Timestamp(reading.step.value() + step_.count() * std::int64_t{spec_.horizon});
  out.readings_missing = reading.readings_missing;
  const bool change = spec_.predict == spec::ForecastSpec::Predict::kChange;
  if (reading.readings_missing > 0) return out;
  if (!reading.by_series && change && std::isnan(reading.present)) return out;
  const double value = reading.by_series
                           ? reading.by_series->mean
                           : (change ? reading.present : 0) + static_cast<double>(output);
  const double half_width = reading.by_series ? reading.by_series->half_width : half_width_;
  out.value = {value, value - half_width, value + half_width};
  const auto number = static_cast<std::uint64_t>(out.forecast_for.value() / step_.count());
  const std::span<double> waiting =
      state.values(reading.slot)
          .subspan(transform_.state_size() + kPendingDoubles * (number % spec_.horizon),
                   kPendingDoubles);
  waiting[0] = static_cast<double>(number);
  waiting[1] = value;
  waiting[2] = half_width;
  return out;
}

}  // namespace millrace::engine
