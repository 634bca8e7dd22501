#include "features/series_transform.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "env/random.h"
#include "json/json.h"

namespace millrace::features {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kHour = 3'600'000;

data::Schema air_schema() {
  std::vector<data::Field> fields(3);
  fields[0].name = "station";
  fields[1].name = "CO";
  fields[1].type = data::FieldType::kNumber;
  fields[2].name = "NOx";
  fields[2].type = data::FieldType::kNumber;
  return *data::Schema::make(std::move(fields));
}

data::Cell number(double value) {
  return std::isnan(value) ? data::Cell::missing() : data::Cell::of_number(value);
}

// NaN is equal to itself here.
std::vector<std::uint64_t> bits(const std::vector<double>& state) {
  std::vector<std::uint64_t> out;
  for (const double each : state) out.push_back(std::bit_cast<std::uint64_t>(each));
  return out;
}

// One key's stream through a transform.
struct Stream {
  explicit Stream(std::vector<SeriesOperator> operators, std::vector<std::string> tracked = {})
      : transform(*SeriesTransform::make(
            {Milliseconds(kHour), std::move(operators), std::move(tracked)}, air_schema())),
        state(transform.state_size(), 0.0) {}

  SeriesTransform::Taken take(std::int64_t hour, double co, double nox = 0) {
    const std::vector<data::Cell> cells{data::Cell::of_text("s"), number(co), number(nox)};
    return transform.take(cells, Timestamp(hour * kHour), state);
  }
  double value(const std::string& column) const {
    std::vector<double> out(transform.columns());
    transform.features(state, out);
    const auto& names = transform.names();
    const auto at = std::find(names.begin(), names.end(), column);
    EXPECT_NE(at, names.end()) << column;
    return at == names.end() ? kNaN : out[static_cast<std::size_t>(at - names.begin())];
  }

  SeriesTransform transform;
  std::vector<double> state;
};

TEST(SeriesTransform, LagZeroIsThePresentValueAndOthersTheOnesBefore) {
  Stream s({Lag{{"CO"}, {0, 1, 3}}});
  for (int hour = 0; hour < 5; ++hour) s.take(hour, hour * 10);
  EXPECT_EQ(s.transform.names(), (std::vector<std::string>{"CO", "CO_lag_1", "CO_lag_3"}));
  EXPECT_EQ(s.value("CO"), 40);
  EXPECT_EQ(s.value("CO_lag_1"), 30);
  EXPECT_EQ(s.value("CO_lag_3"), 10);
  EXPECT_EQ(s.transform.steps_needed(), 4U);
}

TEST(SeriesTransform, ReadingsOfOneStepCountAsTheirMean) {
  Stream s({Lag{{"CO"}, {0, 1}}});
  s.take(0, 1);
  s.take(1, 2);
  s.take(1, 4);
  EXPECT_EQ(s.value("CO"), 3);
  s.take(2, 9);
  EXPECT_EQ(s.value("CO_lag_1"), 3);
}

TEST(SeriesTransform, AReadingOfAStepThatIsOverIsLateAndChangesNothing) {
  Stream s({Lag{{"CO"}, {0}}});
  s.take(5, 1);
  const std::vector<std::uint64_t> before = bits(s.state);
  EXPECT_EQ(s.take(4, 9), SeriesTransform::Taken::kLate);
  EXPECT_EQ(bits(s.state), before);
}

TEST(SeriesTransform, AValueBeyondFloatIsRefusedAndChangesNothing) {
  Stream s({Ema{{"CO"}, {3}}});
  s.take(0, 1);
  const std::vector<std::uint64_t> before = bits(s.state);
  EXPECT_EQ(s.take(1, 1e300), SeriesTransform::Taken::kTooLarge);
  EXPECT_EQ(bits(s.state), before);
}

TEST(SeriesTransform, AStepWithoutAReadingIsMissing) {
  Stream s({Lag{{"CO"}, {0, 1, 2}}});
  s.take(0, 1);
  s.take(2, 3);
  EXPECT_TRUE(std::isnan(s.value("CO_lag_1")));
  EXPECT_EQ(s.value("CO_lag_2"), 1);
}

TEST(SeriesTransform, CarryForwardFillsUpToItsLimit) {
  Stream s({Fill{{"CO"}, CausalFill::kCarryForward, 2, 24}, Lag{{"CO"}, {0}}});
  s.take(0, 7);
  s.take(1, kNaN);
  EXPECT_EQ(s.value("CO"), 7);
  s.take(2, kNaN);
  EXPECT_EQ(s.value("CO"), 7);
  s.take(3, kNaN);
  EXPECT_TRUE(std::isnan(s.value("CO")));
  s.take(4, 5);
  EXPECT_EQ(s.value("CO"), 5);
}

TEST(SeriesTransform, SeasonalFillTakesTheValueOneSeasonBefore) {
  Stream s({Fill{{"CO"}, CausalFill::kSeasonal, 0, 3}, Lag{{"CO"}, {0}}});
  for (int hour = 0; hour < 4; ++hour) s.take(hour, hour + 1);  // 1 2 3 4
  s.take(4, kNaN);
  EXPECT_EQ(s.value("CO"), 2);
}

TEST(SeriesTransform, PastMeanFillsWithTheMeanOfWhatWasObserved) {
  Stream s({Fill{{"CO"}, CausalFill::kPastMean, 0, 24}, Lag{{"CO"}, {0}}});
  s.take(0, 2);
  s.take(1, 4);
  s.take(2, kNaN);
  EXPECT_EQ(s.value("CO"), 3);
  s.take(3, kNaN);
  EXPECT_EQ(s.value("CO"), 3);
}

TEST(SeriesTransform, ClippedValuesStayWithinTheirBounds) {
  Stream s({Clip{{"CO"}, 0.5, 5}, Lag{{"CO"}, {0}}});
  s.take(0, 99);
  EXPECT_EQ(s.value("CO"), 5);
  s.take(1, 0.1);
  EXPECT_EQ(s.value("CO"), 0.5);
}

TEST(SeriesTransform, ProductsAndScalingsUseColumnsMadeBefore) {
  Stream s({Lag{{"CO", "NOx"}, {0}}, Interact{{"CO", "NOx"}}, MinMax{{"NOx"}, 0, 200}});
  s.take(0, 2, 50);
  EXPECT_EQ(s.value("CO*NOx"), 100);
  EXPECT_EQ(s.value("NOx"), 0.25);
}

TEST(SeriesTransform, CalendarIsOfTheStepInUtc) {
  Stream s({Calendar{{CalendarPart::kHour, CalendarPart::kDay, CalendarPart::kMonth,
                      CalendarPart::kWeekday, CalendarPart::kSeason, CalendarPart::kHourSin}}});
  s.take(1078941600 / 3600, 1);  // 2004-03-10T18:00:00Z, a Wednesday
  EXPECT_EQ(s.value("hour"), 18);
  EXPECT_EQ(s.value("day"), 10);
  EXPECT_EQ(s.value("month"), 3);
  EXPECT_EQ(s.value("weekday"), 2);
  EXPECT_EQ(s.value("season"), 2);
  EXPECT_NEAR(s.value("hour_sin"), -1, 1e-15);
}

// ----------------------------------------------------------------------------------------------
// against the definitions, over series with gaps and missing values

struct Hour {
  std::int64_t hour = 0;
  double value = kNaN;
};

std::vector<Hour> random_series(std::uint64_t seed, int length) {
  env::Random random(seed);
  std::vector<Hour> out;
  std::int64_t hour = 0;
  double level = 1'000;
  for (int i = 0; i < length; ++i) {
    hour += random.uniform() < 0.1 ? 1 + static_cast<std::int64_t>(random.uniform() * 5) : 1;
    level += random.normal();
    out.push_back({hour, random.uniform() < 0.15 ? kNaN : level});
  }
  return out;
}

std::vector<double> dense(const std::vector<Hour>& series, std::size_t until) {
  std::vector<double> out;
  for (std::size_t i = 0; i <= until; ++i) {
    while (static_cast<std::int64_t>(out.size()) < series[i].hour - series[0].hour)
      out.push_back(kNaN);
    out.push_back(series[i].value);
  }
  return out;
}

std::vector<std::pair<double, double>> window_of(const std::vector<double>& past, int window) {
  std::vector<std::pair<double, double>> out;  // position and value
  const auto size = static_cast<int>(past.size());
  for (int i = std::max(0, size - window); i < size; ++i) {
    const double value = past[static_cast<std::size_t>(i)];
    if (!std::isnan(value)) out.emplace_back(i, value);
  }
  return out;
}

void expect_same(double got, std::optional<double> want, double scale, const std::string& what) {
  if (!want) {
    EXPECT_TRUE(std::isnan(got)) << what << " is " << got;
  } else {
    EXPECT_NEAR(got, *want, 1e-10 * scale) << what;
  }
}

TEST(SeriesTransform, RollingStatisticsAndSlopesAreThoseOfTheWindow) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Stream s({Rolling{{"CO"},
                      {1, 3, 24},
                      {RollingStatistic::kMean, RollingStatistic::kStd, RollingStatistic::kMin,
                       RollingStatistic::kMax}},
              Slope{{"CO"}, {2, 6, 24}}});
    const auto series = random_series(seed, 300);
    for (std::size_t i = 0; i < series.size(); ++i) {
      s.take(series[i].hour, series[i].value);
      const auto past = dense(series, i);
      for (const int w : {1, 3, 24}) {
        const auto in = window_of(past, w);
        const auto n = static_cast<double>(in.size());
        std::optional<double> mean;
        std::optional<double> deviation;
        std::optional<double> least;
        std::optional<double> greatest;
        if (!in.empty()) {
          double sum = 0;
          for (const auto& p : in) sum += p.second;
          mean = sum / n;
          double squares = 0;
          for (const auto& p : in) squares += (p.second - *mean) * (p.second - *mean);
          deviation = n > 1 ? std::sqrt(squares / (n - 1)) : 0;
          const auto by_value = [](const auto& a, const auto& b) { return a.second < b.second; };
          least = std::min_element(in.begin(), in.end(), by_value)->second;
          greatest = std::max_element(in.begin(), in.end(), by_value)->second;
        }
        const std::string suffix = std::to_string(w);
        expect_same(s.value("CO_mean_" + suffix), mean, 1'000, "mean " + suffix);
        expect_same(s.value("CO_std_" + suffix), deviation, 1, "std " + suffix);
        expect_same(s.value("CO_min_" + suffix), least, 1, "min " + suffix);
        expect_same(s.value("CO_max_" + suffix), greatest, 1, "max " + suffix);
      }
      for (const int w : {2, 6, 24}) {
        const auto in = window_of(past, w);
        std::optional<double> slope;
        if (in.size() >= 2) {
          double t = 0;
          double y = 0;
          for (const auto& p : in) {
            t += p.first / static_cast<double>(in.size());
            y += p.second / static_cast<double>(in.size());
          }
          double up = 0;
          double down = 0;
          for (const auto& p : in) {
            up += (p.first - t) * (p.second - y);
            down += (p.first - t) * (p.first - t);
          }
          slope = up / down;
        }
        expect_same(s.value("CO_slope_" + std::to_string(w)), slope, 1'000, "slope");
      }
    }
  }
}

// What large values left behind in the sums was once taken for a deviation.
TEST(SeriesTransform, AWindowThatStandsStillHasNoDeviation) {
  Stream s({Rolling{{"CO"}, {24}, {RollingStatistic::kMean, RollingStatistic::kStd}}});
  env::Random random(3);
  std::int64_t hour = 0;
  for (; hour < 1'000; ++hour) s.take(hour, 100'000 * random.uniform());
  for (int i = 0; i < 60; ++i, ++hour) {
    s.take(hour, 1479.1);
    if (i < 23) continue;
    EXPECT_EQ(s.value("CO_std_24"), 0) << "after " << i;
    EXPECT_DOUBLE_EQ(s.value("CO_mean_24"), 1479.1) << "after " << i;
  }
}

TEST(SeriesTransform, EmaLeavesOutWhatIsMissing) {
  Stream s({Ema{{"CO"}, {3}}});
  s.take(0, 10);
  s.take(1, 20);
  EXPECT_EQ(s.value("CO_ema_3"), 15);
  s.take(2, kNaN);
  EXPECT_EQ(s.value("CO_ema_3"), 15);
  s.take(3, 25);
  EXPECT_EQ(s.value("CO_ema_3"), 20);
}

// A state is all there is: copied anywhere it goes on to the bit.
TEST(SeriesTransform, ACopiedStateGoesOnToTheBit) {
  Stream s({Fill{{"CO"}, CausalFill::kSeasonal, 5, 24},
            Rolling{{"CO"}, {6}, {RollingStatistic::kStd, RollingStatistic::kMax}},
            Ema{{"CO"}, {6}}, Slope{{"CO"}, {12}}, Lag{{"CO"}, {0, 24}}});
  const auto series = random_series(7, 400);
  for (std::size_t i = 0; i < 200; ++i) s.take(series[i].hour, series[i].value);
  Stream other = s;
  for (std::size_t i = 200; i < series.size(); ++i) {
    s.take(series[i].hour, series[i].value);
    other.take(series[i].hour, series[i].value);
  }
  EXPECT_EQ(bits(s.state), bits(other.state));
}

TEST(SeriesTransform, AKeyThatWasSilentForVeryLongBeginsAnew) {
  Stream s({Lag{{"CO"}, {0, 1}}});
  s.take(0, 1);
  s.take(20'000, 2);
  EXPECT_EQ(s.transform.steps_seen(s.state), 1U);
  EXPECT_TRUE(std::isnan(s.value("CO_lag_1")));
}

TEST(SeriesTransform, OneAverageAndOneLagFitIn128Bytes) {
  Stream s({Fill{{"CO"}, CausalFill::kCarryForward, 0, 24}, Ema{{"CO"}, {6}}, Lag{{"CO"}, {1}}});
  EXPECT_LE(s.transform.state_size() * sizeof(double), 128U);
}

TEST(SeriesTransform, ItsJsonMakesTheSameTransform) {
  Stream s(
      {Fill{{"CO"}, CausalFill::kSeasonal, 3, 24}, Clip{{"CO"}, 0, 50}, Lag{{"CO"}, {0, 24}},
       Difference{{"NOx"}, {1}}, Ema{{"CO"}, {6}}, Rolling{{"CO"}, {3}, {RollingStatistic::kMin}},
       Slope{{"NOx"}, {6}}, Interact{{"CO", "CO_lag_24"}}, MinMax{{"CO"}, 0, 50},
       Calendar{{CalendarPart::kMonthCos}}},
      {"NOx"});
  const auto read = SeriesTransform::from_json(s.transform.to_json(), air_schema());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->plan(), s.transform.plan());
  EXPECT_EQ(read->fingerprint(), s.transform.fingerprint());
}

TEST(SeriesTransform, EveryProblemOfThePlanIsNamed) {
  const auto made =
      SeriesTransform::make({Milliseconds(kHour),
                             {Lag{{"C0"}, {1}}, Ema{{"station"}, {3}}, Slope{{"CO"}, {1}},
                              Interact{{"CO", "NOx"}}, Lag{{"CO"}, {2, 2}}},
                             {}},
                            air_schema());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::kConfig);
  const std::string& text = made.error().message();
  EXPECT_NE(text.find("'C0' is not in the schema, did you mean 'CO'"), std::string::npos) << text;
  EXPECT_NE(text.find("'station' is of type string"), std::string::npos) << text;
  EXPECT_NE(text.find("window 1 is not between 2"), std::string::npos) << text;
  EXPECT_NE(text.find("column 'CO' is not made by an operator before"), std::string::npos) << text;
  EXPECT_NE(text.find("step 2 stands there twice"), std::string::npos) << text;
}

}  // namespace
}  // namespace millrace::features
