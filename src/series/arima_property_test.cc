// What holds of the filter for any model and any series: how it is fed changes no bit.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "series/arima.h"
#include "series/internal/stationarity.h"

namespace millrace::series {
namespace {

struct Case {
  ArimaOrder order;
  ArimaParameters parameters;
  std::vector<double> series;
};

std::vector<double> some_coefficients(int count) {
  std::vector<double> partials;
  // Where all are at an end, rounding is at its worst.
  const auto some_percent = rc::gen::oneOf(rc::gen::inRange(-99, 100), rc::gen::element(-99, 99));
  for (const int percent : *rc::gen::container<std::vector<int>>(
           static_cast<std::size_t>(count),
           *rc::gen::arbitrary<bool>() ? some_percent : rc::gen::element(-99, 99))) {
    partials.push_back(percent / 100.0);
  }
  return internal::from_partials(partials);
}

// A model of any shape, and a walk with gaps that is long enough to settle in between.
Case some_case() {
  Case out;
  out.order = {*rc::gen::inRange(0, 8), *rc::gen::inRange(0, kArimaDifferencesMax + 1),
               *rc::gen::inRange(0, 8)};
  out.parameters.ar = some_coefficients(out.order.p);
  out.parameters.ma = some_coefficients(out.order.q);
  out.parameters.variance = *rc::gen::inRange(1, 100) / 10.0;
  if (out.order.d == 0 && *rc::gen::arbitrary<bool>()) out.parameters.mean = 3.5;
  const auto length = *rc::gen::inRange<std::size_t>(1, 400);
  const auto gap_every = *rc::gen::inRange(2, 200);
  double level = 10;
  for (std::size_t t = 0; t < length; ++t) {
    level += *rc::gen::inRange(-100, 101) / 50.0;
    const bool missing = *rc::gen::inRange(0, gap_every) == 0;
    out.series.push_back(missing ? std::numeric_limits<double>::quiet_NaN() : level);
  }
  return out;
}

// The same bits, not only values that compare equal.
bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_state(const ArimaFilter& a, const ArimaFilter& b) {
  bool same = a.counted() == b.counted() && same_bits(a.log_determinant(), b.log_determinant()) &&
              same_bits(a.squares(), b.squares()) &&
              same_bits(a.log_likelihood(), b.log_likelihood());
  for (const int steps : {1, 2, 24}) {
    const auto one = a.forecast(steps);
    const auto other = b.forecast(steps);
    same = same && one.has_value() == other.has_value();
    if (!one || !other) continue;
    same = same && same_bits(one->mean, other->mean) && same_bits(one->variance, other->variance);
  }
  return same;
}

RC_GTEST_PROP(ArimaFilterProperty, AllAtOnceIsOneAtATimeToTheBit, ()) {
  const Case some = some_case();
  ArimaFilter all = *ArimaFilter::make(some.order, some.parameters);
  ArimaFilter one = all;
  ArimaFilter parts = all;
  all.update(some.series);
  for (const double value : some.series) one.update(value);
  const std::span<const double> series = some.series;
  const auto cut = *rc::gen::inRange<std::size_t>(0, series.size() + 1);
  parts.update(series.first(cut));
  parts.update(series.subspan(cut));
  RC_ASSERT(same_state(all, one));
  RC_ASSERT(same_state(all, parts));
}

RC_GTEST_PROP(ArimaFilterProperty, ACopyGoesOnAsTheFirstOneDoes, ()) {
  const Case some = some_case();
  const std::span<const double> series = some.series;
  const auto cut = *rc::gen::inRange<std::size_t>(0, series.size() + 1);
  ArimaFilter first = *ArimaFilter::make(some.order, some.parameters);
  first.update(series.first(cut));
  ArimaFilter copy = first;
  first.update(series.subspan(cut));
  for (const double value : series.subspan(cut)) copy.update(value);
  RC_ASSERT(same_state(first, copy));
}

RC_GTEST_PROP(ArimaFilterProperty, ASavedStateGoesOnToTheBit, ()) {
  const Case some = some_case();
  const std::span<const double> series = some.series;
  const auto cut = *rc::gen::inRange<std::size_t>(0, series.size() + 1);
  ArimaFilter first = *ArimaFilter::make(some.order, some.parameters);
  first.update(series.first(cut));
  const std::vector<double> saved = first.save();
  RC_ASSERT(saved.size() == ArimaFilter::saved_size(some.order));
  auto restored = ArimaFilter::restore(some.order, some.parameters, saved);
  RC_ASSERT(restored.has_value());
  first.update(series.subspan(cut));
  restored->update(series.subspan(cut));
  RC_ASSERT(same_state(first, *restored));
}

// No forecast is surer than the noise that is still to come, however close to a unit root.
RC_GTEST_PROP(ArimaFilterProperty, ForecastsAreFiniteAndNeverSurerThanTheNoise, ()) {
  const Case some = some_case();
  ArimaFilter filter = *ArimaFilter::make(some.order, some.parameters);
  filter.update(some.series);
  for (int steps = 1; steps <= 30 && filter.forecast(1); ++steps) {
    const ArimaForecast forecast = *filter.forecast(steps);
    RC_ASSERT(std::isfinite(forecast.mean));
    RC_ASSERT(std::isfinite(forecast.variance));
    RC_ASSERT(forecast.variance >= some.parameters.variance);
  }
}

}  // namespace
}  // namespace millrace::series
