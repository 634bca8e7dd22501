// Forecasts of a stream by ARIMA: one filter a key, kept as numbers in the key's state, which takes
// each step once and is never refitted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "json/fwd.h"
#include "series/arima.h"

namespace millrace::engine {

// Immutable; threads may share it.
class ArimaPath {
 public:
  // `given`: what a manifest's forecast says under "arima" (docs/formats/model.md). `coverage` of
  // the intervals, in (0, 1); `horizon` in steps. Errors: kBadModel.
  static Result<ArimaPath> make(const json::Value& given, double coverage, std::uint32_t horizon);

  // Of one key's state. A state begins as zeros.
  std::size_t state_doubles() const;
  // Whether a state is laid out alike; parameters may differ.
  std::string fingerprint() const;

  struct Value {
    double mean = 0;
    double half_width = 0;  // of the interval
  };
  // A reading of a key: the step's number, not below that of the reading before, and what was
  // observed in it until now (NaN = nothing). Gives the forecast `horizon` steps ahead; nothing
  // before there were enough observations to say where the level is. A state that other parameters
  // made, or with more than kStepsMissingMax steps since its last reading, begins anew.
  std::optional<Value> take(std::string_view key, std::int64_t step, double observed,
                            std::span<double> state) const;

  static constexpr std::int64_t kStepsMissingMax = series::kArimaStepsMissingMax;
  static constexpr std::size_t kKeysMax = 10'000;  // with parameters of their own

 private:
  explicit ArimaPath(series::ArimaFilter others) : others_(std::move(others)) {}
  const series::ArimaFilter& fresh(std::string_view key) const;

  series::ArimaFilter others_;  // of keys that were not trained on
  std::map<std::string, series::ArimaFilter, std::less<>> of_key_;
  double tag_ = 0;  // of the parameters, never 0
  double z_ = 0;
  std::uint32_t horizon_ = 1;
};

}  // namespace millrace::engine
