#include "series/persistence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace millrace::series {
namespace {

using ::testing::ElementsAre;
using ::testing::NanSensitiveDoubleEq;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

auto missing() { return NanSensitiveDoubleEq(kMissing); }

TEST(Persistence, IsTheLastObservedValue) {
  EXPECT_EQ(persistence(std::vector<double>{1, 2, 3}), 3);
  EXPECT_EQ(persistence(std::vector<double>{1, 2, kMissing, kMissing}), 2);
  EXPECT_EQ(persistence({}), std::nullopt);
  EXPECT_EQ(persistence(std::vector<double>{kMissing}), std::nullopt);
}

TEST(SeasonalPersistence, IsTheValueAtThisPlaceOfTheLastSeason) {
  const std::vector<double> past = {0, 1, 2, 3, 10, 11, 12};
  EXPECT_EQ(seasonal_persistence(past, 1, 4), 3);
  EXPECT_EQ(seasonal_persistence(past, 2, 4), 10);
  EXPECT_EQ(seasonal_persistence(past, 4, 4), 12);
  EXPECT_EQ(seasonal_persistence(past, 1, 1), 12);
}

TEST(SeasonalPersistence, BeyondOneSeasonGoesAsManyBackAsNeeded) {
  const std::vector<double> past = {0, 1, 2, 3, 10, 11, 12};
  EXPECT_EQ(seasonal_persistence(past, 5, 4), 3);
  EXPECT_EQ(seasonal_persistence(past, 404, 4), 12);
}

TEST(SeasonalPersistence, FallsBackToTheLastObservedValue) {
  EXPECT_EQ(seasonal_persistence(std::vector<double>{1, kMissing, 3, 4}, 2, 4), 4);
  EXPECT_EQ(seasonal_persistence(std::vector<double>{1, 2}, 1, 24), 2);
  EXPECT_EQ(seasonal_persistence({}, 1, 24), std::nullopt);
}

TEST(PersistenceForecasts, AreAlignedWithWhatTheyForecast) {
  const std::vector<double> series = {kMissing, 1, kMissing, 3, 4};
  EXPECT_THAT(persistence_forecasts(series, 1), ElementsAre(missing(), missing(), 1, 1, 3));
  EXPECT_THAT(persistence_forecasts(series, 3),
              ElementsAre(missing(), missing(), missing(), missing(), 1));
  EXPECT_THAT(persistence_forecasts(series, 9),
              ElementsAre(missing(), missing(), missing(), missing(), missing()));
  EXPECT_THAT(seasonal_persistence_forecasts(series, 1, 3),
              ElementsAre(missing(), missing(), 1, 1, 1));
}

// The whole series at once and what a forecaster says who has seen no more than it may.
RC_GTEST_PROP(PersistenceProperty, ForecastsKnowOnlyWhatWasThere,
              (const std::vector<std::uint8_t>& raw)) {
  const auto horizon = *rc::gen::inRange<std::size_t>(1, 9);
  const auto season = *rc::gen::inRange<std::size_t>(1, 9);
  std::vector<double> series;
  for (const std::uint8_t value : raw) series.push_back(value % 3 == 0 ? kMissing : value);
  const std::vector<double> plain = persistence_forecasts(series, horizon);
  const std::vector<double> seasonal = seasonal_persistence_forecasts(series, horizon, season);
  RC_ASSERT(plain.size() == series.size() && seasonal.size() == series.size());
  const auto same = [](double whole, const std::optional<double>& one) {
    return one ? whole == *one : std::isnan(whole);
  };
  for (std::size_t t = 0; t < series.size(); ++t) {
    const std::size_t known = t + 1 > horizon ? t + 1 - horizon : 0;
    const auto past = std::span<const double>(series).first(known);
    RC_ASSERT(same(plain[t], persistence(past)));
    RC_ASSERT(same(seasonal[t], seasonal_persistence(past, horizon, season)));
    // The definition: at most as many seasons back from t as end within what is known.
    std::size_t back = season;
    while (back < horizon) back += season;
    const bool there = known > 0 && back <= t && !std::isnan(series[t - back]);
    if (there) RC_ASSERT(seasonal[t] == series[t - back]);
  }
}

}  // namespace
}  // namespace millrace::series
