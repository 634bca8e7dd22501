#include "codec/prediction_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "codec/internal/json_buffer.h"
#include "env/clock.h"
#include "json/text.h"

namespace millrace::codec {
namespace {

constexpr int kDecimalsMax = 15;
constexpr int kLatencyDecimals = 2;
constexpr std::size_t kTimeBytes = 24;  // env::format_rfc3339
constexpr double kPowersOfTen[kDecimalsMax + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
constexpr double kScaledMax = 1e15;  // below, whole numbers and their halves are exact

double round_exactly(double value, int decimals) {
  char digits[std::numeric_limits<double>::max_exponent10 + kDecimalsMax + 8];
  const auto printed =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, decimals);
  double rounded = value;
  std::from_chars(digits, printed.ptr, rounded);
  return rounded;
}

}  // namespace

// The scaled value is off by a rounding of its own, which matters only near a tie: there the exact
// decimal expansion decides. A quotient of two exact doubles is correctly rounded.
double round_to(double value, int decimals) {
  CHECK(decimals >= 0 && decimals <= kDecimalsMax);
  if (!std::isfinite(value)) return value;
  const double scale = kPowersOfTen[decimals];
  const double scaled = std::abs(value) * scale;
  if (!(scaled < kScaledMax)) return round_exactly(value, decimals);
  const double whole = std::floor(scaled);
  const double fraction = scaled - whole;
  const double near = std::max(1.0, scaled) * 1e-12;
  if (std::abs(fraction - 0.5) <= near) return round_exactly(value, decimals);
  return std::copysign((fraction > 0.5 ? whole + 1 : whole) / scale, value);
}

struct PredictionWriter::State {
  // `"name":` behind a brace or a comma; "" for a field that is left out.
  std::string prefix(const std::string& name) {
    if (name.empty()) return "";
    std::string text = first ? "{" : ",";
    first = false;
    json::append_string(text, name);
    return text + ':';
  }
  void put_decimal(double value, int places);
  const std::string& tail_of(const Prediction& prediction);
  void put_text(const std::string& name, std::string_view text) {
    if (name.empty()) return;
    out.put(name);
    out.put_string(text);
  }

  bool first = true;
  std::string key;
  std::string probability;
  std::string label;
  std::string event_time;
  std::string processed_time;
  std::string latency;
  std::string model_version;
  std::string end;   // with the model's version
  std::string tail;  // the fields from the processed time on, for these two:
  Timestamp tail_processed;
  double tail_latency_ms = 0;
  int decimals = 6;
  internal::JsonBuffer out;
};

PredictionWriter::PredictionWriter(const PredictionFields& fields, std::string_view model_version,
                                   int decimals)
    : state_(std::make_unique<State>()) {
  CHECK(decimals >= 0 && decimals <= kDecimalsMax);
  State& state = *state_;
  state.decimals = decimals;
  state.key = state.prefix(fields.key);
  state.probability = state.prefix(fields.probability);
  state.label = state.prefix(fields.label);
  state.event_time = state.prefix(fields.event_time);
  state.processed_time = state.prefix(fields.processed_time);
  state.latency = state.prefix(fields.latency);
  state.model_version = state.prefix(fields.model_version);
  CHECK(!state.first);  // an object with no field is no prediction
  set_model_version(model_version);
}

PredictionWriter::PredictionWriter(PredictionWriter&&) noexcept = default;
PredictionWriter& PredictionWriter::operator=(PredictionWriter&&) noexcept = default;
PredictionWriter::~PredictionWriter() = default;

void PredictionWriter::set_model_version(std::string_view model_version) {
  state_->end = state_->model_version;
  if (!state_->end.empty()) json::append_string(state_->end, model_version);
  state_->end += '}';
  state_->tail.clear();
}

void PredictionWriter::write(const Prediction& prediction, std::string& out) {
  State& state = *state_;
  state.out.clear();
  if (prediction.key_form == Prediction::Key::kText) {
    state.put_text(state.key, prediction.key);
  } else if (!state.key.empty()) {
    state.out.put(state.key);
    state.out.put(prediction.key.empty() ? "null" : prediction.key);
  }
  if (!state.probability.empty()) {
    state.out.put(state.probability);
    state.put_decimal(prediction.probability, state.decimals);
  }
  state.put_text(state.label, prediction.label);
  state.put_text(state.event_time, prediction.event_time);
  state.out.put(state.tail_of(prediction));
  out.assign(state.out.view());
}

// Records of a batch share their time and their latency, so this is made once a batch.
const std::string& PredictionWriter::State::tail_of(const Prediction& prediction) {
  const bool counts = prediction.latency_ms > 0 && std::isfinite(prediction.latency_ms);
  const double latency_ms = counts ? prediction.latency_ms : 0;
  if (!tail.empty() && tail_processed == prediction.processed && tail_latency_ms == latency_ms) {
    return tail;
  }
  const std::size_t start = out.view().size();
  if (!processed_time.empty()) {
    char time[kTimeBytes];
    env::format_rfc3339(prediction.processed, time);
    out.put(processed_time);
    out.put('"');
    out.put(std::string_view(time, kTimeBytes));
    out.put('"');
  }
  if (!latency.empty()) {
    out.put(latency);
    put_decimal(round_to(latency_ms, kLatencyDecimals), kLatencyDecimals);
  }
  out.put(end);
  tail = out.view().substr(start);
  out.cut(start);
  tail_processed = prediction.processed;
  tail_latency_ms = latency_ms;
  return tail;
}

// A number that has at most `places` decimals as its digits, at least one behind the point; any
// other in its shortest form.
void PredictionWriter::State::put_decimal(double value, int places) {
  const double scale = kPowersOfTen[places];
  const double scaled = std::nearbyint(value * scale);
  if (!(value >= 0 && scaled < kScaledMax && scaled / scale == value)) {
    return out.put_number(value);
  }
  auto digits = static_cast<std::uint64_t>(scaled);
  if (places == 0) digits *= 10;
  places = std::max(places, 1);
  for (; places > 1 && digits % 10 == 0; digits /= 10) --places;
  char text[32];
  char* const text_end = std::end(text);
  char* at = text_end;
  for (int i = 0; i <= places || digits != 0; ++i, digits /= 10) {
    if (i == places) *--at = '.';
    *--at = static_cast<char>('0' + digits % 10);
  }
  out.put(std::string_view(at, static_cast<std::size_t>(text_end - at)));
}

}  // namespace millrace::codec
