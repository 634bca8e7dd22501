#include "engine/arima_path.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "env/digest.h"
#include "eval/normal.h"
#include "json/json.h"

namespace millrace::engine {
namespace {

// Before the filter's numbers: the parameters' tag, the present step, what was observed in it.
constexpr std::size_t kHeadDoubles = 3;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kTagDigits = 12;  // a double holds 53 bits

Error unsound(const std::string& why) {
  return {ErrorCode::kBadModel, "the model's 'forecast.arima' " + why};
}

std::optional<std::vector<double>> numbers_of(const json::Value& value) {
  if (!value.is_array()) return std::nullopt;
  std::vector<double> out;
  for (const json::Value& each : value) {
    if (!each.is_number()) return std::nullopt;
    out.push_back(each.get<double>());
  }
  return out;
}

Result<series::ArimaOrder> order_of(const json::Value& given) {
  const auto order = numbers_of(given.value("order", json::Value()));
  const auto legal = [](double part) {
    return part >= 0 && part <= series::kArimaStatesMax && part == std::floor(part);
  };
  if (!order || order->size() != 3 || !std::all_of(order->begin(), order->end(), legal))
    return unsound("has no 'order' of three whole numbers");
  return series::ArimaOrder{static_cast<int>((*order)[0]), static_cast<int>((*order)[1]),
                            static_cast<int>((*order)[2])};
}

Result<series::ArimaFilter> filter_of(const series::ArimaOrder& order, const json::Value& given) {
  if (!given.is_object()) return unsound("has a series without parameters");
  const auto ar = numbers_of(given.value("ar", json::Value()));
  const auto ma = numbers_of(given.value("ma", json::Value()));
  const json::Value variance = given.value("variance", json::Value());
  if (!ar || !ma || !variance.is_number()) return unsound("lacks 'ar', 'ma' or 'variance'");
  series::ArimaParameters parameters{*ar, *ma, variance.get<double>(), std::nullopt};
  if (const auto mean = given.find("mean"); mean != given.end()) {
    if (!mean->is_number()) return unsound("has a 'mean' that is no number");
    parameters.mean = mean->get<double>();
  }
  auto made = series::ArimaFilter::make(order, parameters);
  if (!made) return unsound("cannot be used: " + made.error().message());
  return made;
}

// From the text of the parameters, so that a state knows whether it is theirs.
double tag_of(const json::Value& given) {
  const std::string digest = env::sha256_hex(json::to_line(given));
  std::uint64_t number = 0;
  std::from_chars(digest.data(), digest.data() + kTagDigits, number, 16);
  return static_cast<double>(number + 1);
}

}  // namespace

Result<ArimaPath> ArimaPath::make(const json::Value& given, double coverage,
                                  std::uint32_t horizon) {
  if (!given.is_object()) return unsound("is no object");
  MILLRACE_ASSIGN(const series::ArimaOrder order, order_of(given));
  const json::Value series = given.value("series", json::Value());
  if (!series.is_object() || series.empty()) return unsound("has no 'series'");
  if (series.size() > kKeysMax)
    return unsound("has more than " + std::to_string(kKeysMax) + " series");
  MILLRACE_ASSIGN(series::ArimaFilter others,
                  filter_of(order, given.value("others", json::Value())));
  ArimaPath path(std::move(others));
  for (const auto& [key, parameters] : series.items()) {
    MILLRACE_ASSIGN(series::ArimaFilter filter, filter_of(order, parameters));
    path.of_key_.emplace(key, std::move(filter));
  }
  path.tag_ = tag_of(given);
  path.z_ = eval::normal_quantile(0.5 + coverage / 2);
  path.horizon_ = horizon;
  return path;
}

std::size_t ArimaPath::state_doubles() const {
  return kHeadDoubles + series::ArimaFilter::saved_size(others_.order());
}

std::string ArimaPath::fingerprint() const {
  const series::ArimaOrder& order = others_.order();
  return "arima-" + std::to_string(order.p) + "-" + std::to_string(order.d) + "-" +
         std::to_string(order.q);
}

const series::ArimaFilter& ArimaPath::fresh(std::string_view key) const {
  const auto found = of_key_.find(key);
  return found == of_key_.end() ? others_ : found->second;
}

std::optional<ArimaPath::Value> ArimaPath::take(std::string_view key, std::int64_t step,
                                                double observed, std::span<double> state) const {
  const series::ArimaFilter& begin = fresh(key);
  const std::span<double> saved = state.subspan(kHeadDoubles);
  const double since = static_cast<double>(step) - state[1];
  series::ArimaFilter filter = begin;
  if (state[0] == tag_ && since >= 0 && since <= static_cast<double>(kStepsMissingMax)) {
    const auto before = static_cast<std::int64_t>(state[1]);
    // One that no filter saved begins anew, too.
    if (auto kept = series::ArimaFilter::restore(begin.order(), begin.parameters(), saved)) {
      filter = std::move(*kept);
      if (step > before) filter.update(state[2]);
      for (std::int64_t missing = before + 1; missing < step; ++missing) filter.update(kMissing);
    }
  }
  const std::vector<double> numbers = filter.save();
  std::copy(numbers.begin(), numbers.end(), saved.begin());
  state[0] = tag_;
  state[1] = static_cast<double>(step);
  state[2] = observed;
  // The present step may have more readings to come: the filter keeps it only when it is over.
  filter.update(observed);
  const auto forecast = filter.forecast(static_cast<int>(horizon_));
  if (!forecast || !std::isfinite(forecast->mean) || !std::isfinite(forecast->variance))
    return std::nullopt;
  return Value{forecast->mean, z_ * std::sqrt(forecast->variance)};
}

}  // namespace millrace::engine
