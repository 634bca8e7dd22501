// What `trace` says of readings is what the scorer did with them.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "integration/program.h"
#include "integration/stations.h"

namespace millrace::integration {
namespace {

constexpr int kStations = 4;
constexpr int kHours = 200;

// Readings of some stations with a late one, a foreign key and a broken one after them, all scored.
class ForecastTrace : public testing::Test {
 protected:
  void SetUp() override {
    place_.write("readings.ndjson", station_readings(kStations, kHours, 1));
    run_well(with({"train", "air-quality", "--data", "readings.ndjson"}, small_model()));
    run_well({"produce", "air-quality", "--data", "readings.ndjson", "--batch-size", "90"});
    place_.write("late.ndjson", station_readings(1, 1, 2));
    run_well({"produce", "air-quality", "--data", "late.ndjson"});
    place_.write("broken.ndjson", "{\"station\":\"sX\"\n");
    run_well({"produce", "air-quality", "--data", "broken.ndjson", "--raw"});
    scored_ = run_well(with({"score", "air-quality", "--mode", "batch", "--json", "--set",
                             "commit.records=70", "--no-report"},
                            small_model()))
                  .last_json();
  }

  Finished run_well(const std::vector<std::string>& words) const {
    Finished done = place_.run(words);
    EXPECT_EQ(done.exit_code, 0) << words.front() << ": " << done.err;
    return done;
  }
  json::Value trace(const std::vector<std::string>& words) const {
    return run_well(with({"trace"}, with(words, with({"--json"}, small_model())))).last_json();
  }
  json::Value trace_at(const json::Value& record) const {
    return trace({record["topic"].get<std::string>() + "/" + record["partition"].dump() + "/" +
                  record["offset"].dump()});
  }

  Workplace place_;
  json::Value scored_;
};

TEST_F(ForecastTrace, EveryReadingIsTracedAsItWasPublished) {
  const std::vector<json::Value> readings = place_.dump("air_quality.raw");
  std::map<std::string, int> statuses;
  int joined = 0;
  for (std::size_t i = 0; i < readings.size(); i += 7) {
    const json::Value traced = trace_at(readings[i]);
    const std::string status = traced["status"].get<std::string>();
    ++statuses[status];
    EXPECT_EQ(traced["record"], readings[i]);
    EXPECT_TRUE(traced["state"]["complete"].get<bool>());
    if (traced["outcome"] != "prediction") continue;
    EXPECT_TRUE(traced["published"]["same"].get<bool>()) << traced.dump();
    EXPECT_FALSE(traced["features"].empty());
    if (traced["error"].is_null()) continue;
    ++joined;
    EXPECT_NEAR(traced["prediction"]["forecast"].get<double>() - traced["actual"].get<double>(),
                traced["error"].get<double>(), 1e-6);
  }
  EXPECT_GT(statuses["forecast"], 50);
  EXPECT_GT(statuses["warming_up"], 5);
  EXPECT_GT(joined, 50);
}

// Together the keys' traces are the summary of the run.
TEST_F(ForecastTrace, KeysTogetherGiveTheFiguresOfTheRun) {
  double error = 0;
  std::uint64_t compared = 0;
  double covered = 0;
  std::map<std::string, std::uint64_t> by_status;
  for (int station = 0; station < kStations; ++station) {
    const json::Value traced =
        trace({"air_quality.raw", "--key", "s" + std::to_string(station), "--limit", "3"});
    const auto of_it = traced["forecasts_compared"].get<std::uint64_t>();
    ASSERT_GT(of_it, 0U);
    compared += of_it;
    error += traced["mae"].get<double>() * static_cast<double>(of_it);
    covered += traced["coverage"].get<double>() * static_cast<double>(of_it);
    for (const auto& [status, count] : traced["by_status"].items())
      by_status[status] += count.get<std::uint64_t>();
    ASSERT_EQ(traced["last"].size(), 3U);
  }
  EXPECT_EQ(compared, scored_["forecasts_compared"].get<std::uint64_t>());
  EXPECT_NEAR(error / static_cast<double>(compared), scored_["live_mae"].get<double>(), 1e-9);
  EXPECT_NEAR(covered / static_cast<double>(compared), scored_["live_coverage"].get<double>(),
              1e-9);
  EXPECT_EQ(by_status["warming_up"], scored_["warming_up"].get<std::uint64_t>());
  EXPECT_EQ(by_status["late"], 1U);
}

TEST_F(ForecastTrace, ADeadLetterIsTracedWhereItCameFrom) {
  const std::vector<json::Value> letters =
      run_well({"dlq", "list", "air-quality", "--json"}).json_lines();
  ASSERT_EQ(letters.size(), 2U);
  std::map<std::string, std::string> status_of;
  for (const json::Value& letter : letters) {
    const json::Value traced = trace(
        {"air_quality.deadletter/" + letter["partition"].dump() + "/" + letter["offset"].dump()});
    EXPECT_EQ(traced["outcome"], "dead_letter");
    EXPECT_EQ(traced["record"]["topic"], "air_quality.raw");
    EXPECT_EQ(traced["record"]["offset"], letter["source_offset"]);
    EXPECT_EQ(traced["errors"][0]["code"], letter["code"]);
    EXPECT_TRUE(traced["published"].is_null());
    status_of[letter["code"].get<std::string>()] = traced["status"].get<std::string>();
  }
  EXPECT_EQ(status_of["late"], "late");
  EXPECT_EQ(status_of["parse_error"], "dead_letter");
}

TEST_F(ForecastTrace, TheTextNamesWhatCountsMost) {
  const std::string text =
      run_well(with({"trace", "air_quality.raw", "--key", "s1", "--limit", "2"}, small_model()))
          .out;
  EXPECT_NE(text.find("200 readings"), std::string::npos) << text;
  EXPECT_NE(text.find("not yet"), std::string::npos) << text;
}

TEST_F(ForecastTrace, WrongPlacesAreRefusedWithTheWayOut) {
  const auto refused = [this](const std::vector<std::string>& words, int code,
                              const std::string& part) {
    const Finished done = place_.run(with({"trace"}, words));
    EXPECT_EQ(done.exit_code, code) << done.err;
    EXPECT_NE(done.err.find(part), std::string::npos) << done.err;
  };
  refused({"air_quality.raw", "--key", "nobody"}, 66, "'nobody'");
  refused({"air_quality.forecasts", "--key", "s1"}, 2, "air_quality.raw");
  refused({"telco.raw.customers", "--key", "s1"}, 2, "--key is for pipelines that forecast");
  refused({"air_quality.raw/0/99999"}, 66, "no record at offset 99999");
}

}  // namespace
}  // namespace millrace::integration
