#include "train/series_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "env/random.h"

namespace millrace::train {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kHour = 3'600'000;

// Readings of some keys, an hour apart, and what training makes of them.
struct Readings {
  explicit Readings(std::size_t wanted_keys, std::size_t wanted_horizon = 1)
      : keys(wanted_keys), horizon(wanted_horizon), last(wanted_keys, kMissing) {}

  void add(std::uint32_t of, std::size_t hour, double value) {
    if (!std::isnan(value)) last[of] = value;
    // A key that goes back in time was forgotten before.
    const auto before = std::find(key.rbegin(), key.rend(), of);
    const bool is_new = before == key.rend();
    const auto at = static_cast<std::int64_t>(hour) * kHour;
    const auto place = static_cast<std::size_t>(key.rend() - before) - 1;
    begins.push_back(is_new || read_at[place].value() > at ? 1 : 0);
    features.add_row();
    key.push_back(of);
    observed.push_back(value);
    last_observed.push_back(last[of]);
    read_at.emplace_back(static_cast<std::int64_t>(hour) * kHour);
    forecast_for.emplace_back(static_cast<std::int64_t>(hour + horizon) * kHour);
  }
  // The target of each row is what its key observed `horizon` hours later.
  void finish() {
    target.assign(key.size(), kMissing);
    for (std::size_t i = 0; i < key.size(); ++i) {
      for (std::size_t j = i + 1; j < key.size(); ++j) {
        if (key[j] == key[i] && read_at[j] == forecast_for[i]) target[i] = observed[j];
      }
    }
  }
  ForecastRows rows() const {
    return {features, last_observed, last_observed, target, read_at, forecast_for};
  }

  std::size_t keys;
  std::size_t horizon;
  std::vector<double> last;
  data::FeatureBatch features{1};
  std::vector<std::uint32_t> key;
  std::vector<std::uint8_t> begins;
  std::vector<double> observed;
  std::vector<double> last_observed;
  std::vector<double> target;
  std::vector<Timestamp> read_at;
  std::vector<Timestamp> forecast_for;
};

// An autoregression with every tenth hour missing.
std::vector<double> series_of(std::size_t hours, std::uint64_t seed) {
  env::Random random(seed);
  std::vector<double> out;
  double level = 0;
  for (std::size_t hour = 0; hour < hours; ++hour) {
    level = 0.8 * level + random.normal();
    out.push_back(hour % 10 == 7 ? kMissing : 5 + level);
  }
  return out;
}

Readings readings_of(const std::vector<double>& series, std::size_t horizon) {
  Readings readings(1, horizon);
  for (std::size_t hour = 0; hour < series.size(); ++hour) readings.add(0, hour, series[hour]);
  readings.finish();
  return readings;
}

TargetSeries target_of(const Readings& readings, const ForecastRows& rows) {
  return {.rows = rows,
          .observed = readings.observed,
          .key = readings.key,
          .begins = readings.begins,
          .keys = readings.keys,
          .step = Milliseconds(kHour),
          .horizon = readings.horizon};
}

TEST(SeriesModels, ArimaForecastsAreThoseOfAFilterOverEverythingRead) {
  const std::vector<double> series = series_of(400, 1);
  for (const std::size_t horizon : {1U, 3U}) {
    const Readings readings = readings_of(series, horizon);
    const ForecastRows rows = readings.rows();
    const eval::Split split = *split_by_time(rows, ForecastOf::kLevel, 0.2);
    const auto models =
        fit_arima_of_keys(target_of(readings, rows), {1, 0, 0}, Timestamp(320 * kHour), {});
    ASSERT_TRUE(models) << models.error().message();
    const auto made = arima_forecasts(target_of(readings, rows), *models, split.test, 0.9, 1);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->stood_in, 0U);
    for (std::size_t i = 0; i < split.test.size(); ++i) {
      auto filter = *series::ArimaFilter::make(models->order, models->fits.front()->parameters);
      filter.update(std::span(series).first(split.test[i] + 1));
      const auto expected = filter.forecast(static_cast<int>(horizon));
      EXPECT_EQ(made->values[i], expected->mean);
      EXPECT_NEAR(made->half_widths[i], 1.6448536269514722 * std::sqrt(expected->variance), 1e-9);
    }
  }
}

TEST(SeriesModels, ArimaBeginsAnewWhereItsKeyDoesAndAfterALongSilence) {
  const std::vector<double> values = series_of(60, 5);
  const auto forecasts = [&values](std::size_t gap, bool forgotten) {
    Readings readings(1);
    for (std::size_t i = 0; i < values.size(); ++i)
      readings.add(0, i < 30 ? i : i + gap, values[i]);
    readings.begins[30] = forgotten ? 1 : 0;
    readings.finish();
    const ForecastRows rows = readings.rows();
    const TargetSeries target = target_of(readings, rows);
    ArimaOfKeys models;
    models.order = {1, 1, 1};
    models.fits.emplace_back(series::ArimaFit{});
    models.fits[0]->parameters = {{0.5}, {0.2}, 1.0, std::nullopt};
    std::vector<std::size_t> chosen;
    for (std::size_t row = 31; row < values.size(); ++row) chosen.push_back(row);
    const auto made = arima_forecasts(target, models, chosen, 0.9, 1);
    EXPECT_TRUE(made) << made.error().message();
    return std::pair(made->values, made->half_widths);
  };
  const auto anew = forecasts(0, true);
  constexpr auto kMax = static_cast<std::size_t>(series::kArimaStepsMissingMax);
  EXPECT_EQ(forecasts(kMax, false), anew);
  EXPECT_NE(forecasts(kMax - 1, false), anew);
  EXPECT_NE(forecasts(0, false), anew);
}

TEST(SeriesModels, CrossValidationOfAnArimaIsItsErrorOnEachFold) {
  const Readings readings = readings_of(series_of(400, 3), 1);
  const ForecastRows rows = readings.rows();
  const TargetSeries target = target_of(readings, rows);
  const std::vector<std::size_t> chosen = usable_rows(rows, ForecastOf::kLevel);
  const auto folds = cross_validate_arima(target, {1, 0, 0}, chosen, 3, 0, {});
  ASSERT_TRUE(folds) << folds.error().message();
  ASSERT_EQ(folds->size(), 3U);
  const eval::Split last = eval::rolling_origin(chosen.size(), 3, 0)->back();
  std::vector<std::size_t> after;
  for (const std::size_t at : last.test) after.push_back(chosen[at]);
  const auto fitted = fit_arima_of_keys(target, {1, 0, 0}, rows.forecast_for[after.front()], {});
  const auto made = arima_forecasts(target, *fitted, after, 0.9, 1);
  double sum = 0;
  for (std::size_t i = 0; i < after.size(); ++i)
    sum += std::abs(rows.target[after[i]] - made->values[i]);
  EXPECT_DOUBLE_EQ(folds->back(), sum / static_cast<double>(after.size()));
  const auto worse = cross_validate_arima(target, {0, 0, 0}, chosen, 3, 0, {});
  ASSERT_TRUE(worse) << worse.error().message();
  EXPECT_GT(worse->back(), folds->back());
}

TEST(SeriesModels, NothingOfTheTestIsFittedOrForeseen) {
  const std::vector<double> series = series_of(400, 2);
  std::vector<double> other = series;
  for (std::size_t hour = 360; hour < other.size(); ++hour) other[hour] = 100;
  std::vector<std::vector<double>> forecasts;
  for (const auto& each : {series, other}) {
    const Readings readings = readings_of(each, 1);
    const ForecastRows rows = readings.rows();
    const auto target = target_of(readings, rows);
    const auto models = fit_arima_of_keys(target, {1, 0, 1}, Timestamp(320 * kHour), {});
    ASSERT_TRUE(models) << models.error().message();
    std::vector<std::size_t> before;
    for (std::size_t row = 320; row < 360; ++row) before.push_back(row);
    forecasts.push_back(arima_forecasts(target, *models, before, 0.9, 1)->values);
    const eval::Split split{usable_rows(rows, ForecastOf::kLevel), before};
    const auto seasonal = seasonal_forecasts(target, split, 24, 0.5);
    ASSERT_TRUE(seasonal) << seasonal.error().message();
    forecasts.back().insert(forecasts.back().end(), seasonal->values.begin(),
                            seasonal->values.end());
  }
  EXPECT_EQ(forecasts[0].size(), 80U);
  EXPECT_EQ(forecasts[0], forecasts[1]);
}

TEST(SeriesModels, ASeriesTooShortForAFitTakesWhatWasSeenLast) {
  Readings readings(2);
  const std::vector<double> series = series_of(300, 3);
  for (std::size_t hour = 0; hour < series.size(); ++hour) {
    readings.add(0, hour, series[hour]);
    if (hour >= 290) readings.add(1, hour, static_cast<double>(hour));
  }
  readings.finish();
  const ForecastRows rows = readings.rows();
  const auto target = target_of(readings, rows);
  const auto models = fit_arima_of_keys(target, {2, 1, 2}, Timestamp(292 * kHour), {});
  ASSERT_TRUE(models) << models.error().message();
  EXPECT_TRUE(models->fits[0]);
  EXPECT_FALSE(models->fits[1]);
  const std::size_t last = readings.key.size() - 1;
  const std::vector<std::size_t> chosen = {last - 1, last};
  const auto made = arima_forecasts(target, *models, chosen, 0.9, 7);
  EXPECT_EQ(made->stood_in, 1U);
  EXPECT_EQ(made->values[1], 299);
  EXPECT_EQ(made->half_widths[1], 7);
  const auto none = fit_arima_of_keys(target, {2, 1, 2}, Timestamp(3 * kHour), {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(none.error().message(), testing::HasSubstr("no series can be fitted"));
}

TEST(SeriesModels, ASeasonAgoIsTheSameHourAndAMissingOneIsWhatWasSeenLast) {
  for (const std::size_t horizon : {1U, 24U, 30U}) {
    std::vector<double> series;
    for (std::size_t hour = 0; hour < 200; ++hour)
      series.push_back(hour == 150 ? kMissing : 10.0 * static_cast<double>(hour));
    const Readings readings = readings_of(series, horizon);
    const ForecastRows rows = readings.rows();
    eval::Split split;
    for (std::size_t row = 30; row + horizon < series.size(); ++row) {
      if (!std::isnan(readings.target[row])) (row < 100 ? split.train : split.test).push_back(row);
    }
    const auto made = seasonal_forecasts(target_of(readings, rows), split, 24, 0.9);
    ASSERT_TRUE(made) << made.error().message();
    std::size_t stood_in = 0;
    for (std::size_t i = 0; i < split.test.size(); ++i) {
      const std::size_t hour = split.test[i] + horizon - (horizon > 24 ? 48 : 24);
      const bool missing = hour == 150;
      stood_in += missing ? 1 : 0;
      EXPECT_EQ(made->values[i], missing ? rows.last_observed[split.test[i]] : series[hour])
          << horizon << " from " << split.test[i];
    }
    EXPECT_EQ(made->stood_in, stood_in);
    EXPECT_EQ(stood_in, 1U);
  }
}

// A key that was silent for too long begins anew, and its readings may then be older ones.
TEST(SeriesModels, AKeyThatWentBackInTimeBeginsItsFilterAnew) {
  const std::vector<double> series = series_of(300, 5);
  Readings readings(1);
  for (std::size_t hour = 100; hour < 300; ++hour) readings.add(0, hour, series[hour]);
  for (std::size_t hour = 40; hour < 60; ++hour) readings.add(0, hour, series[hour]);
  readings.finish();
  const ForecastRows rows = readings.rows();
  const auto target = target_of(readings, rows);
  const auto models = fit_arima_of_keys(target, {1, 0, 0}, std::nullopt, {});
  ASSERT_TRUE(models) << models.error().message();
  const std::vector<std::size_t> chosen = {199, 200, 219};
  const auto made = arima_forecasts(target, *models, chosen, 0.9, 1);
  ASSERT_TRUE(made) << made.error().message();
  auto filter = *series::ArimaFilter::make(models->order, models->fits.front()->parameters);
  filter.update(std::span(series).subspan(40, 20));
  EXPECT_EQ(made->values[2], filter.forecast(1)->mean);
  const auto seasonal =
      seasonal_forecasts(target, {usable_rows(rows, ForecastOf::kLevel), {199, 200}}, 24, 0.9);
  ASSERT_TRUE(seasonal) << seasonal.error().message();
  EXPECT_EQ(seasonal->values[0], series[276]);
  EXPECT_EQ(seasonal->stood_in, 1U);
}

TEST(SeriesModels, ReadingsThatSpanTooManyStepsAreRefused) {
  Readings readings(1);
  readings.add(0, 0, 1);
  readings.add(0, series::kArimaObservationsMax + 1, 1);
  readings.finish();
  const ForecastRows rows = readings.rows();
  const auto refused = fit_arima_of_keys(target_of(readings, rows), {1, 0, 0}, std::nullopt, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kLimitExceeded);
}

TEST(SeriesModels, AStopIsAskedForBetweenFits) {
  const Readings readings = readings_of(series_of(100, 4), 1);
  const ForecastRows rows = readings.rows();
  const auto stopped =
      fit_arima_of_keys(target_of(readings, rows), {1, 0, 0}, std::nullopt, [] { return true; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace millrace::train
