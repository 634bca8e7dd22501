// target, series, and the features of a series.
#include <algorithm>
#include <array>
#include <cmath>

#include "features/series_transform.h"
#include "spec/internal/sections.h"

namespace millrace::spec::internal {
namespace {

using config::Choice;
using config::MapReader;

constexpr std::size_t kOperatorsMax = 1000;
constexpr std::int64_t kHorizonMax = 10'000;

constexpr std::array kPredicts = {
    Choice<ForecastSpec::Predict>{"level", ForecastSpec::Predict::kLevel},
    Choice<ForecastSpec::Predict>{"change", ForecastSpec::Predict::kChange}};
constexpr std::array kLates = {
    Choice<SeriesSpec::Late>{"dead_letter", SeriesSpec::Late::kDeadLetter},
    Choice<SeriesSpec::Late>{"skip", SeriesSpec::Late::kSkip}};
constexpr std::array kFills = {
    Choice<features::CausalFill>{"carry_forward", features::CausalFill::kCarryForward},
    Choice<features::CausalFill>{"seasonal", features::CausalFill::kSeasonal},
    Choice<features::CausalFill>{"past_mean", features::CausalFill::kPastMean}};
constexpr std::array kStatistics = {
    Choice<features::RollingStatistic>{"mean", features::RollingStatistic::kMean},
    Choice<features::RollingStatistic>{"std", features::RollingStatistic::kStd},
    Choice<features::RollingStatistic>{"min", features::RollingStatistic::kMin},
    Choice<features::RollingStatistic>{"max", features::RollingStatistic::kMax}};
constexpr std::array kParts = {
    Choice<features::CalendarPart>{"hour", features::CalendarPart::kHour},
    Choice<features::CalendarPart>{"day", features::CalendarPart::kDay},
    Choice<features::CalendarPart>{"month", features::CalendarPart::kMonth},
    Choice<features::CalendarPart>{"weekday", features::CalendarPart::kWeekday},
    Choice<features::CalendarPart>{"season", features::CalendarPart::kSeason},
    Choice<features::CalendarPart>{"hour_sin", features::CalendarPart::kHourSin},
    Choice<features::CalendarPart>{"hour_cos", features::CalendarPart::kHourCos},
    Choice<features::CalendarPart>{"weekday_sin", features::CalendarPart::kWeekdaySin},
    Choice<features::CalendarPart>{"weekday_cos", features::CalendarPart::kWeekdayCos},
    Choice<features::CalendarPart>{"month_sin", features::CalendarPart::kMonthSin},
    Choice<features::CalendarPart>{"month_cos", features::CalendarPart::kMonthCos}};

double required_number(MapReader& map, std::string_view key) {
  const auto value = map.optional_number(key);
  if (!value && !map.has(key))
    map.reading().error(map.where(), "'" + std::string(key) + "' is missing");
  return value.value_or(0);
}

// Whole numbers of a list.
std::vector<std::uint32_t> counts(MapReader& map, std::string_view key) {
  std::vector<std::uint32_t> out;
  for (const std::string& text : map.required_texts(key)) {
    const bool digits =
        !text.empty() && text.size() <= 6 &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits) {
      out.push_back(static_cast<std::uint32_t>(std::stoul(text)));
    } else {
      map.error(key, "'" + std::string(key) + "': '" + text + "' is no whole number of steps");
    }
  }
  return out;
}

// Words of a list.
template <class Choices>
auto words(MapReader& map, std::string_view key, const std::vector<std::string>& texts,
           const Choices& choices) {
  std::vector<decltype(choices.front().value)> out;
  for (const std::string& text : texts) {
    const auto found = std::find_if(choices.begin(), choices.end(),
                                    [&text](const auto& each) { return each.name == text; });
    if (found != choices.end()) {
      out.push_back(found->value);
      continue;
    }
    std::string known;
    for (const auto& each : choices) known += (known.empty() ? "" : ", ") + std::string(each.name);
    map.error(key, "'" + std::string(key) + "': expected " + known + ", found '" + text + "'");
  }
  return out;
}

features::SeriesOperator read_numeric(MapReader& map, std::string_view key) {
  return features::Lag{map.required_texts(key), {0}};
}

features::SeriesOperator read_impute(MapReader& map, std::string_view key) {
  features::Fill op;
  op.fields = map.required_texts(key);
  op.with = map.choice("with", features::CausalFill::kCarryForward, kFills);
  op.limit = static_cast<std::uint32_t>(
      map.integer("limit", 0, {0, static_cast<std::int64_t>(features::kSeriesStepsMax)}));
  op.season = static_cast<std::uint32_t>(
      map.integer("season", 24, {1, static_cast<std::int64_t>(features::kSeriesStepsMax)}));
  if (map.has("season") && op.with != features::CausalFill::kSeasonal)
    map.error("season", "'season' is for 'with: seasonal'");
  return op;
}

features::SeriesOperator read_clip(MapReader& map, std::string_view key) {
  return features::Clip{map.required_texts(key), required_number(map, "min"),
                        required_number(map, "max")};
}

features::SeriesOperator read_lag(MapReader& map, std::string_view key) {
  return features::Lag{map.required_texts(key), counts(map, "steps")};
}

features::SeriesOperator read_difference(MapReader& map, std::string_view key) {
  return features::Difference{map.required_texts(key), counts(map, "steps")};
}

features::SeriesOperator read_ema(MapReader& map, std::string_view key) {
  return features::Ema{map.required_texts(key), counts(map, "spans")};
}

features::SeriesOperator read_rolling(MapReader& map, std::string_view key) {
  features::Rolling op{map.required_texts(key), counts(map, "windows"), {}};
  op.statistics = words(map, "statistics", map.required_texts("statistics"), kStatistics);
  return op;
}

features::SeriesOperator read_slope(MapReader& map, std::string_view key) {
  return features::Slope{map.required_texts(key), counts(map, "windows")};
}

features::SeriesOperator read_interact(MapReader& map, std::string_view key) {
  return features::Interact{map.required_texts(key)};
}

features::SeriesOperator read_min_max(MapReader& map, std::string_view key) {
  return features::MinMax{map.required_texts(key), required_number(map, "min"),
                          required_number(map, "max")};
}

features::SeriesOperator read_calendar(MapReader& map, std::string_view key) {
  return features::Calendar{words(map, key, map.required_texts(key), kParts)};
}

struct OperatorKey {
  std::string_view key;
  features::SeriesOperator (*read)(MapReader&, std::string_view);
};
constexpr std::array kOperators = {
    OperatorKey{"numeric", read_numeric},
    OperatorKey{"impute", read_impute},
    OperatorKey{"clip", read_clip},
    OperatorKey{"lag", read_lag},
    OperatorKey{"difference", read_difference},
    OperatorKey{"ema", read_ema},
    OperatorKey{"rolling", read_rolling},
    OperatorKey{"slope", read_slope},
    OperatorKey{"interact", read_interact},
    OperatorKey{"min_max", read_min_max},
    OperatorKey{"calendar", read_calendar},
};

// One item of the list, read into the plan.
void read_item(const config::NodePtr& item, const std::string& path, config::Reading& reading,
               features::SeriesPlan& plan) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const OperatorKey& op : kOperators) all.emplace_back(op.key);
    return all;
  }();
  if (item->kind != config::NodeKind::kMap) {
    reading.error(item->where, "expected an operator such as {lag: [field, ...], steps: [1, 24]}");
    return;
  }
  const std::string key = operator_key(*item, names, reading);
  if (key.empty()) return;
  MapReader map(item.get(), path, reading);
  for (const OperatorKey& op : kOperators) {
    if (op.key == key) plan.operators.push_back(op.read(map, op.key));
  }
  map.finish();
}

// [p, d, q].
void read_arima(MapReader& target, series::ArimaOrder& order) {
  if (!target.has("arima")) return;
  const std::size_t errors_before = target.reading().errors();
  const std::vector<double> given = target.numbers("arima");
  if (target.reading().errors() != errors_before) return;
  const bool whole = std::all_of(given.begin(), given.end(), [](double value) {
    return value >= 0 && value <= series::kArimaStatesMax && value == std::floor(value);
  });
  if (given.size() != 3 || !whole) {
    target.error("arima", "'arima': expected three whole numbers [p, d, q], such as [2, 1, 2]");
    return;
  }
  const series::ArimaOrder asked{static_cast<int>(given[0]), static_cast<int>(given[1]),
                                 static_cast<int>(given[2])};
  if (const Status legal = series::check_order(asked); !legal) {
    target.error("arima", "'arima': " + legal.error().message());
    return;
  }
  order = asked;
}

}  // namespace

void read_forecast(MapReader& top, Pipeline& pipeline) {
  if (!top.has("target")) {
    if (top.has("series")) top.error("series", "'series' is for pipelines with a 'target'");
    top.known("target");
    top.known("series");
    return;
  }
  MapReader target = top.map("target");
  ForecastSpec forecast;
  forecast.target = target.required_text("column");
  forecast.horizon =
      static_cast<std::uint32_t>(target.integer("horizon", forecast.horizon, {1, kHorizonMax}));
  forecast.predict = target.choice("predict", forecast.predict, kPredicts);
  forecast.coverage = target.number("coverage", forecast.coverage, {.min = 0.5, .max = 0.999});
  read_arima(target, forecast.arima);
  forecast.season = static_cast<std::uint32_t>(
      target.integer("season", forecast.season, {1, static_cast<std::int64_t>(kHorizonMax)}));
  target.finish();
  MapReader series = top.map("series");
  constexpr Milliseconds kStepMax{std::int64_t{366} * 24 * 3'600'000};
  pipeline.series.plan.step =
      series.duration("step", pipeline.series.plan.step, {.min = Milliseconds(1), .max = kStepMax});
  pipeline.series.late = series.choice("late", SeriesSpec::Late::kDeadLetter, kLates);
  if (series.has("evict_after")) {
    pipeline.series.evict_after = series.duration(
        "evict_after", kStepMax, {.min = pipeline.series.plan.step, .max = kStepMax * 100});
  }
  pipeline.series.keys_max = static_cast<std::size_t>(series.integer(
      "keys_max", static_cast<std::int64_t>(pipeline.series.keys_max), {1, 100'000'000}));
  series.finish();
  pipeline.series.plan.tracked = {forecast.target};
  pipeline.forecast = std::move(forecast);
}

void read_series_features(MapReader& top, Pipeline& pipeline) {
  const std::size_t errors_before = top.reading().errors();
  const std::vector<config::NodePtr> items = top.items("features");
  if (items.size() > kOperatorsMax) {
    top.error("features", "more than " + std::to_string(kOperatorsMax) + " operators");
    return;
  }
  for (std::size_t i = 0; i < items.size(); ++i)
    read_item(items[i], "features[" + std::to_string(i) + "]", top.reading(), pipeline.series.plan);
  if (top.reading().errors() != errors_before || pipeline.schema.size() == 0) return;
  const auto made = features::SeriesTransform::make(pipeline.series.plan, pipeline.schema);
  if (!made) report_lines(top.reading(), top.where("features"), made.error().message());
}

}  // namespace millrace::spec::internal
