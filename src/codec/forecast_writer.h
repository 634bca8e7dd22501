// The message that `score` publishes for a reading of a pipeline that forecasts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace millrace::codec {

struct Forecast {
  std::string_view key;
  Timestamp features_as_of;  // the step of the reading, by its beginning
  Timestamp forecast_for;    // the step that is forecast
  // Not set while the key is too young, or the target was missing for too long.
  struct Value {
    double forecast = 0;
    double lower = 0;
    double upper = 0;
  };
  std::optional<Value> value;
  std::uint32_t readings_missing = 0;  // steps until the first forecast; 0 with a value
  Timestamp processed;
  double latency_ms = 0;
};

// One JSON object a call: the key under its field's name, event_ts, forecast_ts, target, horizon,
// forecast, lower, upper (null without a value), status (ok, warming_up, target_missing),
// readings_missing, processed_ts, inference_latency_ms, model_version. Numbers have at most
// `decimals` decimals. Not thread-safe.
class ForecastWriter {
 public:
  ForecastWriter(const std::string& key_field, const std::string& event_time_field,
                 const std::string& target, std::uint32_t horizon, std::string_view model_version,
                 int decimals);

  // Replaces `out`.
  void write(const Forecast& forecast, std::string& out) const;

 private:
  std::string head_;   // up to the key's value
  std::string event_;  // name of the event time
  std::string middle_;
  std::string end_;
  int decimals_;
};

}  // namespace millrace::codec
