#include "codec/forecast_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "codec/prediction_writer.h"
#include "env/clock.h"
#include "json/text.h"

namespace millrace::codec {
namespace {

constexpr std::size_t kTimeBytes = 24;  // env::format_rfc3339
constexpr int kLatencyDecimals = 2;

std::string name_of(const std::string& field) {
  std::string text;
  json::append_string(text, field);
  return text + ':';
}

void put_time(std::string& out, Timestamp time) {
  std::array<char, kTimeBytes> text{};
  env::format_rfc3339(time, text.data());
  out += '"';
  out.append(text.data(), text.size());
  out += '"';
}

void put_number(std::string& out, double value, int decimals) {
  std::array<char, 400> text{};
  const double rounded = round_to(value, decimals);
  const auto end = std::to_chars(text.data(), text.data() + text.size(), rounded).ptr;
  out.append(text.data(), end);
}

}  // namespace

ForecastWriter::ForecastWriter(const std::string& key_field, const std::string& event_time_field,
                               const std::string& target, std::uint32_t horizon,
                               std::string_view model_version, int decimals)
    : decimals_(decimals) {
  head_ = key_field.empty() ? "" : name_of(key_field);
  event_ = event_time_field.empty() ? "" : name_of(event_time_field);
  middle_ = ",\"target\":";
  json::append_string(middle_, target);
  middle_ += ",\"horizon\":" + std::to_string(horizon) + ",\"forecast\":";
  end_ = ",\"model_version\":";
  json::append_string(end_, model_version);
  end_ += '}';
}

void ForecastWriter::write(const Forecast& forecast, std::string& out) const {
  out = "{";
  if (!head_.empty()) {
    out += head_;
    json::append_string(out, forecast.key);
    out += ',';
  }
  if (!event_.empty()) {
    out += event_;
    put_time(out, forecast.features_as_of);
    out += ',';
  }
  out += "\"forecast_ts\":";
  put_time(out, forecast.forecast_for);
  out += middle_;
  if (forecast.value) {
    put_number(out, forecast.value->forecast, decimals_);
    out += ",\"lower\":";
    put_number(out, forecast.value->lower, decimals_);
    out += ",\"upper\":";
    put_number(out, forecast.value->upper, decimals_);
    out += R"(,"status":"ok","readings_missing":0)";
  } else {
    out += R"(null,"lower":null,"upper":null,"status":)";
    out += forecast.readings_missing > 0 ? R"("warming_up")" : R"("target_missing")";
    out += ",\"readings_missing\":" + std::to_string(forecast.readings_missing);
  }
  out += ",\"processed_ts\":";
  put_time(out, forecast.processed);
  out += ",\"inference_latency_ms\":";
  const bool counts = forecast.latency_ms > 0 && std::isfinite(forecast.latency_ms);
  put_number(out, counts ? forecast.latency_ms : 0, kLatencyDecimals);
  out += end_;
}

}  // namespace millrace::codec
