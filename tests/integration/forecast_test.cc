// Forecasts on a stream: state that survives whatever happens to the process.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "integration/program.h"
#include "integration/stations.h"

namespace millrace::integration {
namespace {

constexpr int kStations = 5;
constexpr int kHours = 400;

// A trained model, and readings on the input topic.
class Readings {
 public:
  explicit Readings(int stations = kStations) {
    place_.write("readings.ndjson", station_readings(stations, kHours, 1));
    const Finished trained =
        place_.run(with({"train", "air-quality", "--data", "readings.ndjson"}, small_model()));
    EXPECT_EQ(trained.exit_code, 0) << trained.err;
    const Finished produced =
        place_.run({"produce", "air-quality", "--data", "readings.ndjson", "--batch-size", "150"});
    EXPECT_EQ(produced.exit_code, 0) << produced.err;
  }
  const Workplace& place() const { return place_; }
  std::vector<std::string> score(const std::string& group, const std::string& topic) const {
    return with({"score", "air-quality", "--mode", "batch", "--json", "--set", "commit.records=90",
                 "--consumer-group", group, "--output-topic", topic},
                small_model());
  }
  Forecasts forecasts(const std::string& topic) const { return forecasts_in(place_.dump(topic)); }

 private:
  Workplace place_;
};

TEST(Forecast, EveryReadingHasItsForecastOrSaysHowManyAreMissing) {
  const Readings readings;
  const Finished scored = readings.place().run(readings.score("g", "out"));
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const json::Value result = scored.last_json();
  EXPECT_EQ(result["consumed"], kStations * kHours);
  EXPECT_EQ(result["warming_up"], kStations * 24);
  EXPECT_GT(result["forecasts_compared"], kStations * kHours / 2);
  EXPECT_LT(result["live_mae"], 1);
  const Forecasts forecasts = readings.forecasts("out");
  ASSERT_EQ(forecasts.size(), static_cast<std::size_t>(kStations * kHours));
  for (const auto& [place, text] : forecasts) {
    const json::Value forecast = *json::parse(text, "forecast");
    if (forecast["status"] == "ok") {
      EXPECT_TRUE(forecast["forecast"].is_number() && forecast["lower"] < forecast["upper"])
          << text;
    } else {
      EXPECT_EQ(forecast["status"], "warming_up") << text;
      EXPECT_TRUE(forecast["forecast"].is_null() && forecast["readings_missing"] > 0) << text;
    }
  }
}

TEST(Forecast, AWindowLeavesAReportOfItsForecasts) {
  const Readings readings;
  const Finished scored = readings.place().run(readings.score("g", "out"));
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const json::Value result = scored.last_json();
  const auto file = [&](const char* key) {
    const auto text =
        env::read_file(readings.place().file(result[key].get<std::string>()), 1 << 22);
    EXPECT_TRUE(text) << key;
    return text.value_or("");
  };
  const json::Value summary = json::parse(file("summary"), "summary").value();
  EXPECT_EQ(summary["live_mae"], result["live_mae"]);
  EXPECT_EQ(summary["by_key"].size(), static_cast<std::size_t>(kStations));
  std::uint64_t compared = 0;
  for (const auto& [key, figures] : summary["by_key"].items()) {
    EXPECT_EQ(figures["readings"], kHours) << key;
    EXPECT_EQ(figures["warming_up"], 24) << key;
    compared += figures["compared"].get<std::uint64_t>();
  }
  EXPECT_EQ(compared, result["forecasts_compared"].get<std::uint64_t>());
  const std::string page = file("report");
  EXPECT_NE(page.find("Forecast and measured"), std::string::npos);
  EXPECT_NE(page.find(result["model_version"].get<std::string>()), std::string::npos);
}

TEST(Forecast, KilledAtEveryPointItGivesTheForecastsOfAnUninterruptedRun) {
  const Readings readings;
  ASSERT_EQ(readings.place().run(readings.score("whole", "whole")).exit_code, 0);
  const auto run = [&](const Environment& environment) {
    return readings.place().run(readings.score("killed", "killed"), environment);
  };
  EXPECT_GE(kill_at(kScoringPoints, {1, 3}, run), 10);
  const Finished last = run({});
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(readings.forecasts("killed"), readings.forecasts("whole"));
}

TEST(Forecast, PartitionsThatMoveTakeTheirStateAlong) {
  const Readings readings;
  ASSERT_EQ(readings.place().run(readings.score("whole", "whole")).exit_code, 0);
  std::vector<std::string> part = readings.score("moved", "moved");
  for (int turn = 0; turn < 3; ++turn) {
    std::vector<std::string> some = part;
    some.insert(some.end(), {"--max-messages", "300"});
    const auto one = readings.place().start(some);
    const auto two = readings.place().start(some);
    EXPECT_EQ(one->wait().exit_code, 0);
    EXPECT_EQ(two->wait().exit_code, 0);
  }
  ASSERT_EQ(readings.place().run(part).exit_code, 0);
  EXPECT_EQ(readings.forecasts("moved"), readings.forecasts("whole"));
}

TEST(Forecast, ALateReadingAndAForeignKeyAreDeadLetters) {
  const Readings readings;
  const Workplace& place = readings.place();
  place.write("late.ndjson", station_readings(1, 1, 2));
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "late.ndjson"}).exit_code, 0);
  place.write("key.ndjson", R"({"station":"sX","event_ts":"2005-01-01T00:00:00Z","CO":1,"NOx":1,)"
                            R"("NO2":1,"Benzene":1})"
                            "\n");
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "key.ndjson", "--raw"}).exit_code, 0);
  const Finished scored = place.run(readings.score("g", "out"));
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const json::Value codes = scored.last_json()["dead_letters_by_code"];
  EXPECT_EQ(json::to_line(codes), R"({"key_mismatch":1,"late":1})");
}

TEST(Forecast, StateOfOtherFeaturesIsRefused) {
  const Readings readings;
  const Workplace& place = readings.place();
  ASSERT_EQ(place.run(readings.score("g", "out")).exit_code, 0);
  const std::vector<std::string> other = {"--set", "target.horizon=3"};
  ASSERT_EQ(place
                .run(with(with({"train", "air-quality", "--data", "readings.ndjson"}, other),
                          small_model()))
                .exit_code,
            0);
  const Finished scored = place.run(with(readings.score("g", "out"), other));
  EXPECT_EQ(scored.exit_code, 78) << scored.out;
  EXPECT_NE(scored.err.find("made by other features"), std::string::npos) << scored.err;
}

TEST(Forecast, AGroupThatIsMovedBackBeginsItsStateAnew) {
  const Readings readings;
  const Workplace& place = readings.place();
  ASSERT_EQ(place.run(readings.score("g", "first")).exit_code, 0);
  ASSERT_EQ(place.run({"groups", "reset", "g", "--to", "earliest"}).exit_code, 0);
  const Finished again = place.run(readings.score("g", "second"));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.err.find("the state begins anew"), std::string::npos) << again.err;
  EXPECT_EQ(readings.forecasts("second"), readings.forecasts("first"));
}

TEST(Forecast, DriftIsAnAlertAndItsTrainingDataIsNone) {
  const Readings readings(1);
  const Workplace& place = readings.place();
  const Finished quiet = place.run(readings.score("g", "out"));
  ASSERT_EQ(quiet.exit_code, 0) << quiet.err;
  EXPECT_TRUE(place.dump("air_quality.alerts").empty());
  place.write("later.ndjson", station_readings(1, 200, 3, kHours, 60));
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "later.ndjson"}).exit_code, 0);
  ASSERT_EQ(place.run(readings.score("g", "out")).exit_code, 0);
  int raised = 0;
  for (const json::Value& message : place.dump("air_quality.alerts")) {
    const json::Value alert = *json::parse(message["value"].get<std::string>(), "alert");
    raised += alert["feature"] == "NO2" && alert["state"] == "raised" ? 1 : 0;
    EXPECT_LT(alert["window_start"], alert["window_end"]) << alert.dump();
  }
  EXPECT_GT(raised, 0);
}

// The publisher's file as the replaced system read it: what is missing (-200) has the mean of its
// column, also where it is to be forecast.
std::string filled_with_means(const std::string& file) {
  std::vector<std::vector<std::string>> rows;
  std::vector<double> sums;
  std::vector<double> counts;
  std::istringstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string>& row = rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ';');) row.push_back(cell);
    sums.resize(std::max(sums.size(), row.size()));
    counts.resize(sums.size());
    for (std::size_t i = 2; rows.size() > 1 && i < row.size(); ++i) {
      if (row[i].empty() || row[i].starts_with("-200")) continue;
      std::replace(row[i].begin(), row[i].end(), ',', '.');
      sums[i] += std::stod(row[i]);
      counts[i] += 1;
    }
  }
  std::string out;
  for (std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_value = &row != &rows.front() && i >= 2;
      if (is_value && row[i].starts_with("-200")) row[i] = std::to_string(sums[i] / counts[i]);
      if (is_value) std::replace(row[i].begin(), row[i].end(), '.', ',');
      out += row[i] + ';';
    }
    out += '\n';
  }
  return out;
}

// The replaced system's own rows: with the present reading among its features it came to 0.464,
// persistence to 0.541.
TEST(Forecast, OnTheReplacedSystemsRowsItIsBetterThanThat) {
  NEEDS_DATA();
  const Workplace place;
  const auto file = env::read_file(*data_folder() / "AirQualityUCI.csv", 1 << 22);
  ASSERT_TRUE(file);
  place.write("filled.csv", filled_with_means(*file));
  const Finished evaluated =
      place.run({"evaluate", "air-quality", "--data", "filled.csv", "--target", "CO", "--horizon",
                 "1", "--json", "--bootstrap", "20"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const json::Value result = evaluated.last_json();
  EXPECT_EQ(result["n_test"], 1871);
  EXPECT_NEAR(result["persistence_mae"].get<double>(), 0.541, 0.001);
  EXPECT_LE(result["mae"].get<double>(), 0.42);
}

// The publisher's file; persistence and the size of the test are known of it.
TEST(Forecast, OnRealReadingsItBeatsSayingThatNothingChanges) {
  NEEDS_DATA();
  const Workplace place;
  const Finished evaluated = place.run({"evaluate", "air-quality", "--data",
                                        (*data_folder() / "AirQualityUCI.csv").string(), "--target",
                                        "CO", "--horizon", "1", "--json", "--out", "steps.ndjson"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const json::Value result = evaluated.last_json();
  EXPECT_EQ(result["n_test"], 1780);
  EXPECT_NEAR(result["persistence_mae"].get<double>(), 0.516, 0.001);
  EXPECT_LE(result["mae"].get<double>(), 0.375);
  EXPECT_LT(result["mae_diff_ci"][1].get<double>(), 0);
  EXPECT_GE(result["coverage"].get<double>(), 0.87);
  EXPECT_LE(result["coverage"].get<double>(), 0.93);
  double error = 0;
  const std::string steps = *env::read_file(place.file("steps.ndjson"), 1 << 22);
  int lines = 0;
  for (std::size_t at = 0; at < steps.size(); ++lines) {
    const std::size_t end = steps.find('\n', at);
    const json::Value line = *json::parse(steps.substr(at, end - at), "steps");
    error += std::abs(line["actual"].get<double>() - line["forecast"].get<double>());
    at = end + 1;
  }
  EXPECT_EQ(lines, 1780);
  EXPECT_NEAR(error / lines, result["mae"].get<double>(), 1e-9);
}

TEST(Forecast, AFileIsPredictedAsTheStreamIs) {
  const Readings readings;
  ASSERT_EQ(readings.place().run(readings.score("g", "out")).exit_code, 0);
  const Finished predicted = readings.place().run(
      with({"predict", "air-quality", "--data", "readings.ndjson"}, small_model()));
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  std::vector<json::Value> messages;
  for (const json::Value& line : predicted.json_lines())
    messages.push_back({{"value", json::to_line(line)}});
  EXPECT_EQ(forecasts_in(messages), readings.forecasts("out"));
}

TEST(Forecast, TransformWritesTheModelsColumnsAndWhatCame) {
  const Readings readings;
  const Finished transformed =
      readings.place().run(with({"transform", "air-quality", "--data", "readings.ndjson", "--label",
                                 "--json", "--out", "matrix.csv"},
                                small_model()));
  ASSERT_EQ(transformed.exit_code, 0) << transformed.err;
  EXPECT_EQ(transformed.last_json()["rows"], kStations * kHours);
  const std::string csv = *env::read_file(readings.place().file("matrix.csv"), 1 << 26);
  std::string expected;
  const json::Value manifest =
      readings.place().run({"model", "show", "air-quality", "--json"}).last_json();
  for (const json::Value& name : manifest["features"]) expected += name.get<std::string>() + ",";
  EXPECT_EQ(csv.substr(0, csv.find('\n')), expected + "CO_tplus1");
}

TEST(ForecastDemo, WhatItCannotDivideIsRefusedByName) {
  const Workplace place;
  place.write("empty.csv", "");
  for (const char* data : {"empty.csv", "-", "readings.parquet"}) {
    const Finished refused = place.run({"demo", "air-quality", "--data", data});
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_NE(refused.err.find("'" + std::string(data) + "'"), std::string::npos) << refused.err;
  }
}

TEST(Forecast, AFileTooShortIsRefusedByNameWithWhatItHasAndNeeds) {
  const Workplace place;
  place.write("short.ndjson", station_readings(1, 60, 1));
  for (const char* command : {"train", "evaluate", "tune", "demo"}) {
    const Finished refused =
        place.run(with({command, "air-quality", "--data", "short.ndjson"}, small_model()));
    EXPECT_EQ(refused.exit_code, 65) << command << ": " << refused.err;
    for (const char* part :
         {"'short.ndjson' is too short", " are of use", "two blocks of 24", " rows are enough"}) {
      if (command == std::string("demo") && part == std::string("'short.ndjson' is too short"))
        part = "the first 80.0 % of 'short.ndjson' is too short";
      EXPECT_NE(refused.err.find(part), std::string::npos) << command << ": " << refused.err;
    }
  }
}

TEST(ForecastDemo, WhatIsWrongWithAFileIsSaidOfThatFile) {
  const Workplace place;
  std::string rows = station_readings(1, 300, 1);
  const std::size_t line_100 = [&rows] {
    std::size_t at = 0;
    for (int i = 0; i < 99; ++i) at = rows.find('\n', at) + 1;
    return at;
  }();
  rows.insert(line_100, "{broken\n");
  place.write("mine.ndjson", rows);
  const Finished told =
      place.run(with({"demo", "air-quality", "--data", "mine.ndjson"}, small_model()));
  EXPECT_NE(told.err.find("line 100: "), std::string::npos) << told.err;
}

TEST(ForecastDemo, AsksForTheBrokerBeforeItTrains) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(kStations, kHours, 1));
  const Finished refused =
      place.run(with({"demo", "air-quality", "--data", "readings.ndjson", "--log",
                      "kafka://127.0.0.1:1", "-X", "socket.connection.setup.timeout.ms=1000"},
                     small_model()));
  EXPECT_EQ(refused.exit_code, 69) << refused.err;
  EXPECT_EQ(refused.err.find("1. Train"), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(place.file(".millrace/models")));
}

// Run twice: the second streams the same hours, which must not be late.
TEST(ForecastDemo, TellsTheWholeStoryAndDoesSoAgain) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(kStations, kHours, 1));
  const auto demo =
      with({"demo", "air-quality", "--data", "readings.ndjson", "--json"}, small_model());
  for (int run = 0; run < 2; ++run) {
    const Finished told = place.run(demo);
    ASSERT_EQ(told.exit_code, 0) << told.err;
    const json::Value result = told.last_json();
    const int streamed = kStations * kHours / 5;
    EXPECT_EQ(result["produced"], streamed);
    EXPECT_EQ(result["predicted"], streamed);
    EXPECT_EQ(result["warming_up"], kStations * 24);
    EXPECT_EQ(result["consumed"], streamed + result["dead_lettered"].get<int>());
    EXPECT_GT(result["dead_lettered"], 0);
    EXPECT_GT(result["forecasts_compared"], 0);
    EXPECT_LT(result["live_mae"], 2);
    EXPECT_NE(told.err.find("Some predictions"), std::string::npos) << told.err;
    EXPECT_NE(told.err.find("The report: "), std::string::npos) << told.err;
    // Nothing of the run's own group is left.
    EXPECT_TRUE(place.run({"groups", "list", "--json"}).last_json()["groups"].empty());
    for (const json::Value& topic : place.run({"topics", "list", "--json"}).last_json()["topics"])
      EXPECT_FALSE(topic["name"].get<std::string>().ends_with(".state")) << topic.dump();
  }
}

}  // namespace
}  // namespace millrace::integration
