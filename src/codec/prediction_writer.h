// The message that `score` publishes for a record.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"

namespace millrace::codec {

// The double nearest to `value` rounded to `decimals` (0 to 15) decimal places, exact ties of its
// decimal expansion to even, as Python's round() does. Non-finite values stay as they are.
double round_to(double value, int decimals);

// Names of the fields, in the order in which they are written. An empty name leaves its field out.
struct PredictionFields {
  std::string key = "customerID";
  std::string probability = "churn_probability";
  std::string label = "prediction";
  std::string event_time = "event_ts";
  std::string processed_time = "processed_ts";
  std::string latency = "inference_latency_ms";
  std::string model_version = "model_version";
};

// What changes from record to record. Texts are escaped as needed.
struct Prediction {
  std::string_view key;
  double probability = 0;  // rounded already, so that the label is decided on what is published
  std::string_view label;
  std::string_view event_time;
  Timestamp processed;
  double latency_ms =
      0;  // written with at most two decimals; below zero and NaN are written as 0.0
  // A text, or JSON that is written as it is: the number or boolean that the key is in the input;
  // null where it is empty.
  enum class Key : std::uint8_t { kText, kJson };
  Key key_form = Key::kText;
};

// Writes one JSON object a call from parts made once. Not thread-safe.
class PredictionWriter {
 public:
  // `model_version` is the value of that field; `decimals`: of probabilities, which are written in
  // full where they have more.
  PredictionWriter(const PredictionFields& fields, std::string_view model_version,
                   int decimals = 6);
  PredictionWriter(PredictionWriter&&) noexcept;
  PredictionWriter& operator=(PredictionWriter&&) noexcept;
  ~PredictionWriter();

  // Replaces `out`. Probabilities are written without exponent and with a decimal point: 0.71197,
  // 0.000001, 1.0.
  void write(const Prediction& prediction, std::string& out);
  // From the next call on (a model was swapped).
  void set_model_version(std::string_view model_version);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::codec
