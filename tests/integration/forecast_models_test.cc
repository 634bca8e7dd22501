// Several models on the same hours, their files, and the search for parameters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "integration/program.h"
#include "integration/stations.h"

namespace millrace::integration {
namespace {

using Words = std::vector<std::string>;

// Ten weeks of one station.
const Workplace& place_with_readings(const Workplace& place, int stations = 1) {
  place.write("readings.ndjson", station_readings(stations, 1700, 1));
  return place;
}

json::Value document(const env::Path& path) {
  const auto text = env::read_file(path, 1 << 26);
  EXPECT_TRUE(text) << (text ? "" : text.error().message());
  return text ? *json::parse(*text, path.string()) : json::Value();
}

TEST(ForecastModels, AreMeasuredOnTheSameHoursBesidePersistence) {
  const Workplace place;
  place_with_readings(place);
  const Finished evaluated =
      place.run(with({"evaluate", "air-quality", "--data", "readings.ndjson", "--json", "--models",
                      "xgboost,arima,seasonal_persistence", "--out", "steps.ndjson"},
                     small_model()));
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const json::Value result = evaluated.last_json();
  const json::Value& models = result["models"];
  ASSERT_EQ(models.size(), 4U) << models.dump();
  for (const char* name : {"xgboost", "arima", "seasonal_persistence", "persistence"}) {
    const json::Value& figures = models[name];
    EXPECT_EQ(figures["rows"], result["n_test"]) << name;
    EXPECT_EQ(figures["persistence_mae"], result["persistence_mae"]) << name;
    EXPECT_GE(figures["rmse"], figures["mae"]) << name;
    EXPECT_GT(figures["coverage"], 0.8) << name;
    EXPECT_LT(figures["r2"], 1) << name;
  }
  EXPECT_EQ(models["persistence"]["mae"], result["persistence_mae"]);
  EXPECT_EQ(models["persistence"]["mae_diff_mean"], 0);
  EXPECT_EQ(models["xgboost"]["mae"], result["mae"]);
  EXPECT_EQ(result["model"], "xgboost");
  // Names of the replaced system's report.
  EXPECT_EQ(result["xgboost"]["mae"], result["mae"]);
  EXPECT_EQ(result["arima"]["mae"], models["arima"]["mae"]);
  EXPECT_EQ(result["baseline"]["rmse"], result["persistence_rmse"]);
  EXPECT_EQ(document(place.file(result["report"].get<std::string>()))["models"], models);
  // The series is an autoregression around a daily cycle: to know either helps.
  EXPECT_LT(models["arima"]["mae"], models["persistence"]["mae"]);
  EXPECT_EQ(models["arima"]["order"], json::Value::array({2, 1, 2}));
  EXPECT_EQ(models["arima"]["ar"].size(), 2U);
  double error = 0;
  int lines = 0;
  const std::string steps = *env::read_file(place.file("steps.ndjson"), 1 << 24);
  for (std::size_t at = 0; at < steps.size(); ++lines) {
    const std::size_t end = steps.find('\n', at);
    const json::Value line = *json::parse(steps.substr(at, end - at), "steps");
    error += std::abs(line["actual"].get<double>() - line["arima"].get<double>());
    EXPECT_TRUE(line["seasonal_persistence"].is_number());
    at = end + 1;
  }
  EXPECT_EQ(lines, result["n_test"]);
  EXPECT_NEAR(error / lines, models["arima"]["mae"].get<double>(), 1e-9);
}

TEST(ForecastModels, NoTreesAreGrownWhereNoneAreAskedFor) {
  const Workplace place;
  place_with_readings(place, 2);
  const Finished evaluated =
      place.run({"evaluate", "air-quality", "--data", "readings.ndjson", "--json", "--models",
                 "arima", "--set", "target.arima=[1,0,1]"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const json::Value result = evaluated.last_json();
  EXPECT_FALSE(result.contains("xgboost"));
  EXPECT_EQ(result["model"], "arima");
  EXPECT_EQ(result["mae"], result["models"]["arima"]["mae"]);
  EXPECT_EQ(result["models"]["arima"]["rows_without_forecast"], 0);
  const Finished text = place.run({"evaluate", "air-quality", "--data", "readings.ndjson",
                                   "--models", "seasonal_persistence,arima"});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  for (const char* word : {"seasonal_persistence", "arima", "\npersistence"})
    EXPECT_NE(text.out.find(word), std::string::npos) << text.out;
}

TEST(ForecastModels, OnRealReadingsArimaLiesBetweenPersistenceAndTrees) {
  NEEDS_DATA();
  const Workplace place;
  const Finished evaluated = place.run({"evaluate", "air-quality", "--data",
                                        (*data_folder() / "AirQualityUCI.csv").string(), "--json",
                                        "--models", "arima,seasonal_persistence"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const json::Value models = evaluated.last_json()["models"];
  EXPECT_EQ(models["arima"]["rows"], 1780);
  EXPECT_NEAR(models["persistence"]["mae"].get<double>(), 0.516, 0.001);
  EXPECT_LT(models["arima"]["mae_diff_ci"][1], 0);
  EXPECT_GT(models["arima"]["mae"], 0.4);
}

TEST(ForecastModels, AWrongNameIsRefusedWithTheNearest) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(1, 10, 1));
  const Finished wrong = place.run(
      {"evaluate", "air-quality", "--data", "readings.ndjson", "--models", "xgboost,arma"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("did you mean 'arima'"), std::string::npos) << wrong.err;
  const Finished label =
      place.run({"train", "telco-churn", "--data", "readings.ndjson", "--models", "arima"});
  EXPECT_EQ(label.exit_code, 2);
  EXPECT_NE(label.err.find("for pipelines that forecast"), std::string::npos) << label.err;
  const Finished few =
      place.run({"evaluate", "air-quality", "--data", "readings.ndjson", "--models", "arima"});
  EXPECT_EQ(few.exit_code, 65) << few.err;
}

// A file measured by `evaluate`, and the same readings on a stream with a model that was trained on
// what `evaluate` trains on: over silences after which the key begins anew, the forecasts are one.
TEST(ForecastModels, AnArimaIsMeasuredAsItIsServedOverLongSilences) {
  for (const auto& [silence, evict_after] : {std::pair(200, "5d"), std::pair(10'500, "900d")}) {
    const Workplace place;
    const Words arima = {"--set", "model.algorithm=arima",
                         "--set", "drift.window=2d",
                         "--set", std::string("series.evict_after=") + evict_after};
    const std::string all =
        station_readings(1, 600, 1) + station_readings(1, 100, 2, 600 + silence);
    place.write("all.ndjson", all);
    const Finished evaluated = place.run(with({"evaluate", "air-quality", "--data", "all.ndjson",
                                               "--models", "arima", "--out", "steps.ndjson"},
                                              arima));
    ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
    std::map<std::string, double> measured;  // by the hour that is forecast
    const std::string steps = *env::read_file(place.file("steps.ndjson"), 1 << 24);
    for (std::size_t at = 0; at < steps.size(); at = steps.find('\n', at) + 1) {
      const json::Value step = *json::parse(steps.substr(at, steps.find('\n', at) - at), "step");
      measured[step["event_ts"].get<std::string>()] = step["forecast"].get<double>();
    }
    const std::string border = measured.begin()->first;
    std::string before;
    for (std::size_t at = 0; at < all.size();) {
      const std::string line = all.substr(at, all.find('\n', at) + 1 - at);
      at += line.size();
      if ((*json::parse(line, "reading"))["event_ts"].get<std::string>() < border) before += line;
    }
    place.write("before.ndjson", before);
    for (const Words& words : {Words{"train", "air-quality", "--data", "before.ndjson"},
                               Words{"produce", "air-quality", "--data", "all.ndjson"},
                               Words{"score", "air-quality", "--mode", "batch", "--no-report"}}) {
      const Finished done = place.run(with(words, arima));
      ASSERT_EQ(done.exit_code, 0) << words.front() << done.err;
    }
    int compared = 0;
    for (const json::Value& message : place.dump("air_quality.forecasts")) {
      const json::Value served = *json::parse(message["value"].get<std::string>(), "forecast");
      const auto found = measured.find(served["forecast_ts"].get<std::string>());
      if (served["status"] != "ok" || found == measured.end()) continue;
      ++compared;
      EXPECT_NEAR(served["forecast"].get<double>(), found->second, 1e-6) << served.dump();
    }
    EXPECT_GT(compared, 110) << silence;
  }
}

// BUG-A12: the manifest's columns were not those that the model was trained on.
TEST(ForecastModels, BugA12TheManifestsColumnsAreTheModelsOwn) {
  const Workplace place;
  place_with_readings(place);
  const Finished trained =
      place.run(with({"train", "air-quality", "--data", "readings.ndjson", "--json", "--models",
                      "xgboost,arima", "--out-dir", "made"},
                     small_model()));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const json::Value result = trained.last_json();
  EXPECT_EQ(result["files"].size(), 3U);
  EXPECT_EQ(result["models"].size(), 3U);
  const json::Value made = document(place.file("made/train_manifest.json"));
  EXPECT_EQ(made["target"], "CO");
  EXPECT_EQ(made["horizon"], 1);
  EXPECT_EQ(made["rows"], 1700);
  EXPECT_EQ(made["models"]["xgboost"], "xgboost_CO_tplus1.json");
  EXPECT_EQ(made["models"]["arima"], "arima_CO.json");
  const json::Value kept =
      document(env::Path(place.file(result["folder"].get<std::string>())) / "manifest.json");
  EXPECT_EQ(made["feature_columns"], kept["features"]);
  EXPECT_EQ(made["model_version"], kept["version"]);
  ASSERT_EQ(made["feature_stats"].size(), made["feature_columns"].size());
  for (const json::Value& column : made["feature_columns"]) {
    const json::Value& statistics = made["feature_stats"][column.get<std::string>()];
    for (const char* key : {"mean", "std", "min", "max", "non_null_count", "dtype"})
      EXPECT_TRUE(statistics.contains(key)) << column << " " << key;
    EXPECT_LE(statistics["min"], statistics["max"]) << column;
  }
  // What the model splits on is named by the manifest, each column once.
  const json::Value model = document(place.file("made/xgboost_CO_tplus1.json"));
  EXPECT_EQ(model, document(place.file(result["folder"].get<std::string>()) / "model.json"));
  const json::Value arima = document(place.file("made/arima_CO.json"));
  ASSERT_EQ(arima["series"].size(), 1U);
  EXPECT_EQ(arima["series"][0]["key"], "s0");
  EXPECT_EQ(arima["series"][0]["ma"].size(), 2U);
}

// Only files: the registry holds what `score` can serve.
TEST(ForecastModels, TrainWithoutTreesLeavesFilesAndNoVersion) {
  const Workplace place;
  place_with_readings(place, 2);
  const Finished trained = place.run(
      {"train", "air-quality", "--data", "readings.ndjson", "--json", "--models", "arima"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_FALSE(trained.last_json().contains("model_version"));
  const json::Value arima = document(place.file(".millrace/reports/arima_CO.json"));
  EXPECT_EQ(arima["series"].size(), 2U);
  EXPECT_EQ(place.run({"model", "show", "air-quality"}).exit_code, 78);
}

// ARIMA on the stream: one filter a key in the state that is committed with the forecasts.
TEST(ForecastModels, ArimaIsServedAndGoesOnWhereItWasKilled) {
  const Workplace place;
  const Words arima = {"--set", "model.algorithm=arima", "--set", "target.horizon=3",
                       "--set", "drift.window=2d"};
  place.write("readings.ndjson", station_readings(3, 500, 1));
  const Finished trained =
      place.run(with({"train", "air-quality", "--data", "readings.ndjson", "--json"}, arima));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const json::Value manifest =
      document(place.file(trained.last_json()["folder"].get<std::string>()) / "manifest.json");
  EXPECT_EQ(manifest["algorithm"], "arima");
  EXPECT_EQ(manifest["forecast"]["arima"]["series"].size(), 3U);
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "readings.ndjson"}).exit_code, 0);
  // A station that was not trained on.
  std::string other = station_readings(1, 30, 9);
  for (std::size_t at = other.find("\"s0\""); at != std::string::npos;
       at = other.find("\"s0\"", at))
    other.replace(at, 4, "\"s9\"");
  place.write("other.ndjson", other);
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "other.ndjson"}).exit_code, 0);
  const auto score = [&](const std::string& group) {
    return with({"score", "air-quality", "--mode", "batch", "--json", "--set", "commit.records=90",
                 "--consumer-group", group, "--output-topic", group},
                arima);
  };
  const Finished whole = place.run(score("whole"));
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_EQ(whole.last_json()["consumed"], 1530);
  EXPECT_LT(whole.last_json()["warming_up"], 30);
  EXPECT_GT(whole.last_json()["live_coverage"], 0.8);
  for (const char* point : {"score.after_score:1", "score.before_commit:2", "score.after_commit:3"})
    EXPECT_EQ(place.run(score("killed"), {{"MILLRACE_CRASH_POINT", point}}).exit_code,
              128 + SIGKILL);
  ASSERT_EQ(place.run(score("killed")).exit_code, 0);
  const Forecasts forecasts = forecasts_in(place.dump("whole"));
  EXPECT_EQ(forecasts_in(place.dump("killed")), forecasts);
  ASSERT_EQ(forecasts.size(), 1530U);
  std::set<double> values;
  std::size_t ok = 0;
  for (const auto& [where, text] : forecasts) {
    const json::Value forecast = *json::parse(text, "forecast");
    if (forecast["status"] != "ok") continue;
    ++ok;
    values.insert(forecast["forecast"].get<double>());
    EXPECT_LT(forecast["lower"], forecast["upper"]);
  }
  EXPECT_GT(values.size(), ok * 9 / 10);
}

// BUG-A2: the features of a forecast left out the hour at hand.
TEST(ForecastModels, BugA2TheReadingAtHandIsAmongTheFeatures) {
  const Workplace place;
  place_with_readings(place);
  const Words level =
      with(small_model(), {"--set", "target.predict=level", "--set", "model.learning_rate=0.3"});
  ASSERT_EQ(place.run(with({"train", "air-quality", "--data", "readings.ndjson"}, level)).exit_code,
            0);
  // Two stations whose last readings alone differ.
  std::string rows = station_readings(1, 60, 5);
  const std::size_t last = rows.rfind("\n{") + 1;
  json::Value reading = *json::parse(rows.substr(last, rows.size() - last - 1), "row");
  std::string other = rows.substr(0, last);
  for (std::size_t at = other.find("\"s0\""); at != std::string::npos;
       at = other.find("\"s0\"", at))
    other.replace(at, 4, "\"s1\"");
  const auto set_level = [&reading](double co) {
    reading["CO"] = co;
    reading["NOx"] = 100 * co + 50;
    reading["Benzene"] = 4 * co;
  };
  set_level(1);
  rows = rows.substr(0, last) + json::to_line(reading) + "\n";
  reading["station"] = "s1";
  set_level(4);
  place.write("two.ndjson", rows + other + json::to_line(reading) + "\n");
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "two.ndjson"}).exit_code, 0);
  ASSERT_EQ(place.run(with({"score", "air-quality", "--mode", "batch"}, level)).exit_code, 0);
  const Forecasts forecasts = forecasts_in(place.dump("air_quality.forecasts"));
  ASSERT_EQ(forecasts.size(), 120U);
  const std::string hour = reading["event_ts"];
  const auto forecast = [&](const char* station) {
    const auto found = forecasts.find({station, hour});
    EXPECT_NE(found, forecasts.end()) << hour;
    return found == forecasts.end() ? 0.0
                                    : (*json::parse(found->second, "f"))["forecast"].get<double>();
  };
  EXPECT_GT(forecast("s1"), forecast("s0") + 0.5);
}

// BUG-A7: a shape error gave NaN for every message, ARIMA the same number, and both were counted.
TEST(ForecastModels, BugA7ForecastsFollowTheirReadingsAndAreNumbers) {
  const Workplace place;
  place_with_readings(place);
  ASSERT_EQ(place.run(with({"train", "air-quality", "--data", "readings.ndjson"}, small_model()))
                .exit_code,
            0);
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "readings.ndjson"}).exit_code, 0);
  const Finished scored =
      place.run(with({"score", "air-quality", "--mode", "batch", "--json"}, small_model()));
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  std::set<double> values;
  std::size_t ok = 0;
  for (const auto& [where, text] : forecasts_in(place.dump("air_quality.forecasts"))) {
    const json::Value forecast = *json::parse(text, "forecast");
    if (forecast["status"] != "ok") continue;
    ++ok;
    values.insert(forecast["forecast"].get<double>());
  }
  EXPECT_EQ(ok + scored.last_json()["warming_up"].get<std::size_t>(), 1700U);
  EXPECT_GT(values.size(), ok / 2);
  const Finished evaluated = place.run({"evaluate", "air-quality", "--data", "readings.ndjson",
                                        "--models", "arima", "--out", "steps.ndjson"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  std::set<double> of_arima;
  const std::string steps = *env::read_file(place.file("steps.ndjson"), 1 << 24);
  std::size_t lines = 0;
  for (std::size_t at = 0; at < steps.size(); ++lines) {
    const std::size_t end = steps.find('\n', at);
    of_arima.insert((*json::parse(steps.substr(at, end - at), "step"))["forecast"].get<double>());
    at = end + 1;
  }
  EXPECT_EQ(of_arima.size(), lines);
}

// BUG-A8: one odd value was drift, against statistics made anew at every start.
TEST(ForecastModels, BugA8OneOddReadingIsNoDrift) {
  const Workplace place;
  place_with_readings(place);
  const Words watched =
      with(small_model(), {"--set", "drift.window=7d", "--set", "drift.features=[CO_lag_1]"});
  ASSERT_EQ(
      place.run(with({"train", "air-quality", "--data", "readings.ndjson"}, watched)).exit_code, 0);
  std::string rows = station_readings(1, 24 * 14, 1);
  const std::size_t middle = rows.find("\n{", rows.size() / 2) + 1;
  const std::size_t end = rows.find('\n', middle);
  json::Value reading = *json::parse(rows.substr(middle, end - middle), "row");
  reading["CO"] = 8;  // more than five deviations
  rows.replace(middle, end - middle, json::to_line(reading));
  place.write("odd.ndjson", rows);
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "odd.ndjson"}).exit_code, 0);
  ASSERT_EQ(place.run(with({"score", "air-quality", "--mode", "batch"}, watched)).exit_code, 0);
  EXPECT_TRUE(place.dump("air_quality.alerts").empty());
}

// BUG-A10: four programs shared one group, and each saw a part of the readings.
TEST(ForecastModels, BugA10ProgramsWithGroupsOfTheirOwnEachSeeEveryReading) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(3, 200, 1));
  ASSERT_EQ(place.run(with({"train", "air-quality", "--data", "readings.ndjson"}, small_model()))
                .exit_code,
            0);
  ASSERT_EQ(place.run({"produce", "air-quality", "--data", "readings.ndjson"}).exit_code, 0);
  std::vector<Forecasts> seen;
  for (const char* group : {"first", "second"}) {
    const Finished scored = place.run(with({"score", "air-quality", "--mode", "batch", "--json",
                                            "--consumer-group", group, "--output-topic", group},
                                           small_model()));
    ASSERT_EQ(scored.exit_code, 0) << scored.err;
    EXPECT_EQ(scored.last_json()["consumed"], 600);
    seen.push_back(forecasts_in(place.dump(group)));
  }
  EXPECT_EQ(seen[0].size(), 600U);
  EXPECT_EQ(seen[0], seen[1]);
}

}  // namespace
}  // namespace millrace::integration
