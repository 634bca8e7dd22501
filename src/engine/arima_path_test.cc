#include "engine/arima_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "env/random.h"
#include "json/json.h"

namespace millrace::engine {
namespace {

using testing::HasSubstr;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
const series::ArimaOrder kOrder{1, 1, 1};

json::Value parameters(double ar) { return {{"ar", {ar}}, {"ma", {0.3}}, {"variance", 2.0}}; }

json::Value model(double ar) {
  return {{"order", {1, 1, 1}},
          {"others", parameters(0.1)},
          {"series", {{"a", parameters(ar)}, {"b", parameters(0.7)}}}};
}

ArimaPath path_of(const json::Value& given, std::uint32_t horizon = 2) {
  auto path = ArimaPath::make(given, 0.9, horizon);
  EXPECT_TRUE(path) << path.error().message();
  return *path;
}

TEST(ArimaPath, ForecastsAreThoseOfOneFilterOverAllSteps) {
  const ArimaPath path = path_of(model(0.5));
  env::Random random(3);
  struct Key {
    const char* name;
    double ar;
  };
  for (const Key& key : {Key{"a", 0.5}, Key{"b", 0.7}, Key{"never seen", 0.1}}) {
    auto filter = *series::ArimaFilter::make(kOrder, {{key.ar}, {0.3}, 2.0, std::nullopt});
    std::vector<double> state(path.state_doubles(), 0);
    for (std::int64_t step = 300'000; step < 300'200; ++step) {
      if (step % 50 > 45) {  // no reading at all
        filter.update(kMissing);
        continue;
      }
      const double value = step % 11 == 0 ? kMissing : 10 + random.normal();
      // Two readings of a step: the first one is not known to be the last.
      const auto early = path.take(key.name, step, 99, state);
      const auto got = path.take(key.name, step, value, state);
      auto first = filter;
      first.update(99.0);
      filter.update(value);
      const auto expected = filter.forecast(2);
      ASSERT_EQ(got.has_value(), expected.has_value()) << step;
      ASSERT_TRUE(early);
      EXPECT_EQ(early->mean, first.forecast(2)->mean);
      if (!got) continue;
      EXPECT_EQ(got->mean, expected->mean) << key.name << " " << step;
      EXPECT_NEAR(got->half_width, 1.6448536269514722 * std::sqrt(expected->variance), 1e-9);
    }
  }
}

TEST(ArimaPath, ANewKeyWithNothingObservedHasNoForecast) {
  const ArimaPath path = path_of(model(0.5));
  std::vector<double> state(path.state_doubles(), 0);
  EXPECT_FALSE(path.take("a", 5, kMissing, state));
  EXPECT_TRUE(path.take("a", 6, 1, state));
}

TEST(ArimaPath, AStateOfOtherParametersOrOfLongAgoBeginsAnew) {
  const ArimaPath path = path_of(model(0.5));
  const ArimaPath other = path_of(model(0.6));
  EXPECT_EQ(path.fingerprint(), other.fingerprint());
  std::vector<double> fresh(path.state_doubles(), 0);
  const auto expected = other.take("b", 7, 3, fresh);
  for (const std::int64_t before : {std::int64_t{6}, std::int64_t{-50'000}}) {
    const ArimaPath& first = before == 6 ? path : other;
    std::vector<double> state(path.state_doubles(), 0);
    first.take("b", before - 1, 50, state);
    first.take("b", before, 60, state);
    const auto got = other.take("b", 7, 3, state);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->mean, expected->mean) << before;
    EXPECT_EQ(state, fresh);
  }
}

TEST(ArimaPath, NumbersThatNoFilterSavedBeginAnew) {
  const ArimaPath path = path_of(model(0.5));
  std::vector<double> fresh(path.state_doubles(), 0);
  const auto expected = path.take("a", 8, 3, fresh);
  for (const double bad : {kMissing, 1e300, -1.0}) {
    std::vector<double> state(path.state_doubles(), 0);
    path.take("a", 7, 4, state);
    for (std::size_t i = 1; i < state.size(); ++i) state[i] = bad;
    const auto got = path.take("a", 8, 3, state);
    ASSERT_TRUE(got) << bad;
    EXPECT_EQ(got->mean, expected->mean) << bad;
  }
}

TEST(ArimaPath, AModelThatIsNoneIsRefused) {
  const auto refusal = [](const json::Value& given) {
    const auto path = ArimaPath::make(given, 0.9, 1);
    EXPECT_FALSE(path) << given.dump();
    return path ? "" : path.error().message();
  };
  json::Value given = model(0.5);
  given["order"] = {1, 1};
  EXPECT_THAT(refusal(given), HasSubstr("'order'"));
  given["order"] = {1, 9, 1};
  EXPECT_THAT(refusal(given), HasSubstr("out of range"));
  given = model(1.5);
  EXPECT_THAT(refusal(given), HasSubstr("cannot be used"));
  given = model(0.5);
  given["series"]["a"].erase("variance");
  EXPECT_THAT(refusal(given), HasSubstr("lacks"));
  given["series"]["a"] = 3;
  EXPECT_THAT(refusal(given), HasSubstr("without parameters"));
  given["series"] = json::Value::object();
  EXPECT_THAT(refusal(given), HasSubstr("no 'series'"));
  given = model(0.5);
  given.erase("others");
  EXPECT_THAT(refusal(given), HasSubstr("without parameters"));
  given = model(0.5);
  given["others"]["mean"] = "x";
  EXPECT_THAT(refusal(given), HasSubstr("'mean'"));
  EXPECT_THAT(refusal(json::Value::array()), HasSubstr("no object"));
}

}  // namespace
}  // namespace millrace::engine
