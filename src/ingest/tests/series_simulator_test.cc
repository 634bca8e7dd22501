// Simulated series: several stations, hour by hour.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "base/hash.h"
#include "codec/record_decoder.h"
#include "env/clock.h"
#include "ingest/simulator.h"
#include "json/json.h"
#include "spec/pipeline.h"

namespace millrace::ingest {
namespace {

using ::testing::HasSubstr;

constexpr char kYaml[] = R"(
version: 1
series:
  key: place
  time: at
  name: st_
  stations: 2
  start: 2024-01-01T00:00:00Z
  outages: {both: {share: 0.1, steps: 5}}
fields:
  a:
    kind: series
    base: 10
    daily: [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, -3, -3, -3, -3, -3, -3, -3, -3, -3, -3, -3, -3]
    noise: 1
    memory: 0.9
    decimals: 6
  b: {kind: series, noise: 2, like: {a: 0.8}, own: 0.6, decimals: 6, outages: [both]}
)";

data::Schema example_schema() {
  std::vector<data::Field> fields(4);
  fields[0].name = "place";
  fields[1].name = "at";
  fields[1].type = data::FieldType::kTimestamp;
  fields[2].name = "a";
  fields[2].type = data::FieldType::kNumber;
  fields[3].name = "b";
  fields[3].type = data::FieldType::kNumber;
  fields[3].sentinels = {-200};
  fields[3].min = -100;
  return *data::Schema::make(fields);
}

Result<Simulator> make(const std::string& yaml, const SimulatorOptions& options = {},
                       std::uint64_t seed = 42) {
  return Simulator::make(example_schema(), yaml, "sim.yaml", "place", seed, options);
}

// What one station measured.
struct Station {
  std::vector<std::string> times;
  std::vector<double> a;
  std::vector<double> b;
};

std::map<std::string, Station> run(int rows, const SimulatorOptions& options = {},
                                   std::uint64_t seed = 42) {
  auto simulator = make(kYaml, options, seed);
  EXPECT_TRUE(simulator) << simulator.error().message();
  std::map<std::string, Station> stations;
  std::string text;
  std::string key;
  for (int i = 0; i < rows; ++i) {
    simulator->next(text, key);
    const json::Value record = *json::parse(text, "record");
    EXPECT_EQ(record["place"], key);
    EXPECT_EQ(record["at"], env::format_rfc3339(*simulator->step_time()));
    Station& station = stations[key];
    station.times.push_back(record["at"].get<std::string>());
    station.a.push_back(record["a"].get<double>());
    station.b.push_back(record["b"].get<double>());
  }
  return stations;
}

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const double mx = mean_of(x);
  const double my = mean_of(y);
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  return xy / std::sqrt(xx * yy);
}

// `a` without its profile.
std::vector<double> flat(const Station& station) {
  std::vector<double> out;
  for (std::size_t i = 0; i < station.a.size(); ++i) {
    out.push_back(station.a[i] - (i % 24 < 12 ? 3 : -3));
  }
  return out;
}

TEST(SeriesSimulator, RowsAreTheStepsOfEveryStationInOrder) {
  const auto stations = run(6);
  ASSERT_EQ(stations.size(), 2U);
  for (const char* name : {"st_1", "st_2"}) {
    EXPECT_THAT(stations.at(name).times,
                ::testing::ElementsAre("2024-01-01T00:00:00.000Z", "2024-01-01T01:00:00.000Z",
                                       "2024-01-01T02:00:00.000Z"));
  }
  SimulatorOptions options;
  options.stations = 5;
  EXPECT_EQ(run(10, options).size(), 5U);
}

TEST(SeriesSimulator, TheSameSeedGivesTheSameRows) {
  EXPECT_EQ(run(400).at("st_2").b, run(400).at("st_2").b);
  EXPECT_NE(run(400).at("st_2").b, run(400, {}, 7).at("st_2").b);
}

TEST(SeriesSimulator, AValueRemembersTheStepBeforeAndFollowsItsProfile) {
  const auto stations = run(20'000);
  const Station& station = stations.at("st_1");
  const std::vector<double> values = flat(station);
  EXPECT_NEAR(mean_of(values), 10, 0.3);
  const std::vector<double> now(values.begin() + 1, values.end());
  const std::vector<double> before(values.begin(), values.end() - 1);
  EXPECT_NEAR(correlation(now, before), 0.9, 0.02);
  EXPECT_LT(std::abs(correlation(values, flat(stations.at("st_2")))), 0.1);
}

TEST(SeriesSimulator, SeriesThatAreLikeAnotherShareItsRandomPart) {
  const Station station = run(20'000).at("st_1");
  const std::vector<double> all = flat(station);
  std::vector<double> a;
  std::vector<double> b;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (station.b[i] == -200) continue;
    a.push_back(all[i]);
    b.push_back(station.b[i]);
  }
  EXPECT_NEAR(correlation(a, b), 0.8, 0.05);
}

TEST(SeriesSimulator, OutagesAreSpellsOfTheSentinel) {
  const Station station = run(40'000).at("st_1");
  int missing = 0;
  int spells = 0;
  for (std::size_t i = 1; i < station.b.size(); ++i) {
    if (station.b[i] != -200) continue;
    ++missing;
    if (station.b[i - 1] != -200) ++spells;
  }
  EXPECT_NEAR(missing / 20'000.0, 0.1, 0.02);
  EXPECT_NEAR(static_cast<double>(missing) / spells, 5, 0.7);
}

TEST(SeriesSimulator, DriftMovesEverySeriesByOneOfItsDeviations) {
  SimulatorOptions options;
  options.drift_after = 100;
  const Station with = run(200, options).at("st_1");
  const Station without = run(200).at("st_1");
  for (std::size_t i = 0; i < 100; ++i) {
    // The profile is 3 above and below in turn: a variance of 9, and 1 of the noise.
    const double shift = i < 50 ? 0 : std::sqrt(10.0);
    EXPECT_NEAR(with.a[i] - without.a[i], shift, 1e-5) << i;
  }
}

TEST(SeriesSimulator, WrongFilesAreErrorsWithTheirPlace) {
  const auto message = [](const std::string& from, const std::string& to) {
    std::string yaml = kYaml;
    yaml.replace(yaml.find(from), from.size(), to);
    const auto simulator = make(yaml);
    EXPECT_FALSE(simulator) << to;
    return simulator ? std::string() : simulator.error().message();
  };
  EXPECT_THAT(message("key: place", "key: plaec"), HasSubstr("sim.yaml:4:8: the schema has no"));
  EXPECT_THAT(message("time: at", "time: a"), HasSubstr("must be a timestamp"));
  EXPECT_THAT(message("stations: 2", "stations: 0"), HasSubstr("from 1 to 100000"));
  EXPECT_THAT(message("2024-01-01T00:00:00Z", "yesterday"), HasSubstr("'start' is not an RFC"));
  EXPECT_THAT(message("share: 0.1", "share: 0.9"), HasSubstr("share from 0 to below"));
  EXPECT_THAT(message("memory: 0.9", "memory: 1"), HasSubstr("between -1 and 1"));
  EXPECT_THAT(message("daily: [3, ", "daily: ["), HasSubstr("a list of 24 numbers"));
  EXPECT_THAT(message("like: {a:", "like: {b:"), HasSubstr("'b' is not drawn above"));
  EXPECT_THAT(message("outages: [both]", "outages: [bot]"), HasSubstr("did you mean 'both'"));
  EXPECT_THAT(message("  a:\n", "  place: {kind: id, pattern: x}\n  a:\n"),
              HasSubstr("'place' is drawn by 'series' above"));
  SimulatorOptions options;
  options.stations = 0;
  EXPECT_EQ(make(kYaml, options).error().code(), ErrorCode::kUsage);
}

// The shipped simulator, against the figures of the real file (reference 2.1).
class AirQualitySimulator : public ::testing::Test {
 protected:
  static constexpr int kHours = 9357;

  void SetUp() override {
    auto loaded = spec::load_pipeline("air-quality");
    ASSERT_TRUE(loaded) << loaded.error().message();
    pipeline_ = std::move(loaded->pipeline);
  }

  Simulator simulator(const SimulatorOptions& options) {
    auto made = Simulator::make(pipeline_.schema, pipeline_.simulator, "simulator.yaml",
                                pipeline_.input.key, 42, options);
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }

  spec::Pipeline pipeline_;
};

TEST_F(AirQualitySimulator, IsLikeTheRealStation) {
  constexpr int kStations = 12;  // so that their own levels even out
  SimulatorOptions options;
  options.stations = kStations;
  Simulator made = simulator(options);
  auto decoder = codec::RecordDecoder::make(pipeline_.schema, codec::Purpose::kScoring);
  std::vector<data::Cell> cells(pipeline_.schema.size());
  std::map<std::string, std::vector<double>> values;
  std::vector<double> co;
  std::vector<double> benzene;
  std::string text;
  std::string key;
  for (int i = 0; i < kStations * kHours; ++i) {
    made.next(text, key);
    data::RecordErrors errors;
    ASSERT_TRUE(decoder->decode_copy(text, cells, errors)) << text;
    for (std::size_t f = 0; f < cells.size(); ++f) {
      if (cells[f].state == data::CellState::kNumber) {
        values[pipeline_.schema.field(f).name].push_back(cells[f].number);
      }
    }
    const data::Cell& x = cells[*pipeline_.schema.find("CO")];
    const data::Cell& y = cells[*pipeline_.schema.find("Benzene")];
    if (x.state != data::CellState::kNumber || y.state != data::CellState::kNumber) continue;
    co.push_back(x.number);
    benzene.push_back(y.number);
  }
  const std::map<std::string, std::pair<double, double>> real = {
      {"CO", {2.1528, 0.18}},       {"NOx", {246.90, 0.175}},        {"NO2", {113.09, 0.175}},
      {"Benzene", {10.083, 0.039}}, {"T", {18.318, 0.039}},          {"RH", {49.23, 0.039}},
      {"AH", {1.0255, 0.039}},      {"PT08.S1(CO)", {1099.8, 0.039}}};
  for (const auto& [name, figures] : real) {
    const auto& [mean, missing] = figures;
    EXPECT_NEAR(mean_of(values[name]) / mean, 1, 0.2) << name;
    const double share = 1 - static_cast<double>(values[name].size()) / (1.0 * kStations * kHours);
    EXPECT_NEAR(share, missing, 0.04) << name;
  }
  EXPECT_GT(correlation(co, benzene), 0.75);
}

TEST_F(AirQualitySimulator, BrokenRecordsAreRefusedAndKeepTheirStation) {
  SimulatorOptions options;
  options.poison_rate = 1;
  Simulator made = simulator(options);
  auto decoder = codec::RecordDecoder::make(pipeline_.schema, codec::Purpose::kScoring);
  std::vector<data::Cell> cells(pipeline_.schema.size());
  std::string text;
  std::string key;
  for (int i = 0; i < 500; ++i) {
    EXPECT_NE(made.next(text, key), Poison::kNone);
    data::RecordErrors errors;
    EXPECT_FALSE(decoder->decode_copy(text, cells, errors)) << text;
    EXPECT_EQ(key, "sim_" + std::to_string(i % 3 + 1));
  }
}

// BUG-A9: one constant key put every reading on one partition.
TEST_F(AirQualitySimulator, StationsSpreadOverThePartitions) {
  SimulatorOptions options;
  options.stations = 12;
  Simulator made = simulator(options);
  std::map<int, int> records;
  std::string text;
  std::string key;
  for (int i = 0; i < 120; ++i) {
    made.next(text, key);
    ++records[partition_for_key(key, 3)];
  }
  EXPECT_EQ(records.size(), 3U);
}

}  // namespace
}  // namespace millrace::ingest
