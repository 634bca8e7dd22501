// What a scorer that forecasts serves on /metrics: every figure moves, under our names and the
// replaced system's, and they are what can be recomputed from its topics.
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "integration/program.h"
#include "integration/stations.h"
#include "integration/watched.h"
#include "telemetry/metric_table.h"

namespace millrace::integration {
namespace {

constexpr int kHours = 200;
constexpr const char* kReadings = "air_quality_messages_processed_total";

std::vector<std::string> with_small_model(std::vector<std::string> words) {
  for (const std::string& word : small_model()) words.push_back(word);
  return words;
}

void produce(const Workplace& place, const std::string& name, const std::string& rows) {
  place.write(name, rows);
  const Finished done = place.run({"produce", "air-quality", "--data", name});
  ASSERT_EQ(done.exit_code, 0) << done.err;
}

// Forecasts beside what came, from the topics alone.
struct Recomputed {
  double forecasts = 0;
  double warming_up = 0;
  double compared = 0;
  double absolute_error = 0;
  double error = 0;
  double covered = 0;
};

Recomputed recompute(const Workplace& place) {
  std::map<std::pair<std::string, std::string>, double> actual;
  for (const json::Value& message : place.dump("air_quality.raw")) {
    const json::Value row = *json::parse(message["value"].get<std::string>(), "reading");
    // The first reading of an hour stands; a later one is a dead letter.
    actual.emplace(std::pair(row["station"].get<std::string>(), row["event_ts"].get<std::string>()),
                   row["CO"] == -200 ? std::nan("") : row["CO"].get<double>());
  }
  Recomputed out;
  for (const json::Value& message : place.dump("air_quality.forecasts")) {
    const json::Value row = *json::parse(message["value"].get<std::string>(), "forecast");
    if (row["status"] != "ok") {
      ++out.warming_up;
      continue;
    }
    ++out.forecasts;
    const auto came = actual.find(
        std::pair(row["station"].get<std::string>(), row["forecast_ts"].get<std::string>()));
    if (came == actual.end() || std::isnan(came->second)) continue;
    ++out.compared;
    out.error += row["forecast"].get<double>() - came->second;
    out.absolute_error += std::abs(row["forecast"].get<double>() - came->second);
    out.covered += row["lower"] <= came->second && came->second <= row["upper"] ? 1 : 0;
  }
  return out;
}

void expect_all_moved(const Watched& watched) {
  const std::set<std::string> constant = {"millrace_forecast_coverage_aim_ratio"};
  for (const auto& row : telemetry::metric_table()) {
    if (row.commands.find("of forecasts") == std::string_view::npos) continue;
    const std::string name(row.name);
    ASSERT_TRUE(watched.seen().contains(name)) << name << " is missing";
    EXPECT_GE(watched.seen().at(name).size(), constant.contains(name) ? 1U : 2U)
        << name << " does not move";
  }
}

TEST(ForecastMetrics, EveryOneMovesAndSaysWhatTheTopicsSay) {
  const Workplace place;
  place.write("past.ndjson", station_readings(3, 2 * kHours, 1));
  const Finished trained =
      place.run(with_small_model({"train", "air-quality", "--data", "past.ndjson"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  Watched scorer(place,
                 with_small_model({"score", "air-quality", "--json", "--metrics-names", "both"}));
  ASSERT_TRUE(eventually([&] { return scorer.ready(); }));
  scorer.metrics();
  produce(place, "first.ndjson", station_readings(2, kHours, 1));
  ASSERT_TRUE(eventually([&] { return scorer.metrics().sum(kReadings) == 2 * kHours; }));
  // A third station, hours that come again, and the hours after.
  produce(place, "third.ndjson", station_readings(3, 30, 2));
  produce(place, "second.ndjson", station_readings(3, kHours, 3, kHours));
  constexpr double kAll = 5 * kHours + 30;
  ASSERT_TRUE(eventually([&] { return scorer.metrics().sum(kReadings) == kAll; }));
  const Exposition last = scorer.metrics();
  expect_all_moved(scorer);

  const Recomputed now = recompute(place);
  EXPECT_GT(now.compared, kHours);
  EXPECT_EQ(last.value("millrace_forecasts_total{target=\"CO\"}"), now.forecasts);
  EXPECT_EQ(last.sum("predictions_total"), now.forecasts);
  EXPECT_EQ(last.sum("millrace_forecast_warming_up_total"), now.warming_up);
  EXPECT_EQ(last.sum("millrace_forecasts_compared_total"), now.compared);
  EXPECT_EQ(last.sum("millrace_forecasts_covered_total"), now.covered);
  EXPECT_NEAR(last.sum("millrace_forecast_absolute_error_total"), now.absolute_error, 1e-3);
  EXPECT_NEAR(last.sum("millrace_forecast_mae"), now.absolute_error / now.compared, 1e-6);
  EXPECT_NEAR(last.sum("millrace_forecast_bias"), now.error / now.compared, 1e-6);
  EXPECT_NEAR(last.sum("millrace_forecast_coverage_ratio"), now.covered / now.compared, 1e-6);
  EXPECT_EQ(last.sum("millrace_forecast_coverage_aim_ratio"), 0.9);
  EXPECT_EQ(last.sum("millrace_state_keys"), 3);
  EXPECT_EQ(last.sum("millrace_state_records_total"),
            static_cast<double>(place.dump("air-quality-consumer.state").size()));
  EXPECT_EQ(last.sum("air_quality_messages_failed_total"), 60);
  EXPECT_EQ(last.sum("prediction_errors_total"), 60);
  EXPECT_EQ(last.sum("prediction_latency_seconds"), kAll + 60);
  EXPECT_FALSE(last.types.contains("millrace_prediction_probability_ratio"));

  scorer.process().signal(SIGTERM);
  const Finished stopped = scorer.process().wait();
  ASSERT_EQ(stopped.exit_code, 0) << stopped.err;
  const json::Value result = stopped.last_json();
  EXPECT_EQ(result["forecasts"].get<double>(), now.forecasts);
  EXPECT_NEAR(result["live_mae"].get<double>(), last.sum("millrace_forecast_mae"), 1e-9);
}

TEST(ForecastMetrics, OthersHaveNone) {
  const Workplace place;
  place.train_telco();
  ASSERT_EQ(place.run({"produce", "telco-churn", "--count", "20"}).exit_code, 0);
  Watched scorer(place, {"score", "telco-churn", "--metrics-names", "both"});
  ASSERT_TRUE(
      eventually([&] { return scorer.metrics().sum("millrace_messages_consumed_total") == 20; }));
  for (const auto& [name, type] : scorer.metrics().types) {
    EXPECT_FALSE(name.starts_with("millrace_forecast") || name.starts_with("millrace_state") ||
                 name.starts_with("air_quality") || name.starts_with("prediction"))
        << name;
  }
}

TEST(ForecastMetrics, DriftOfAStreamIsSeenByItsFeature) {
  constexpr int kQuiet = 2400;
  constexpr int kMoved = 600;
  const Workplace place;
  const Finished simulated = place.run(
      {"simulate", "air-quality", "--stations", "1", "--count", std::to_string(kQuiet + kMoved),
       "--drift-after", std::to_string(kQuiet), "--drift-sigma", "3", "--drift-fields", "NO2"});
  ASSERT_EQ(simulated.exit_code, 0) << simulated.err;
  std::size_t end = 0;
  for (int line = 0; line < kQuiet; ++line) end = simulated.out.find('\n', end) + 1;
  place.write("past.ndjson", simulated.out.substr(0, end));
  const Finished trained =
      place.run(with_small_model({"train", "air-quality", "--data", "past.ndjson"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;

  Watched scorer(place, with_small_model({"score", "air-quality", "--metrics-names", "both"}));
  produce(place, "quiet.ndjson", simulated.out.substr(0, end));
  ASSERT_TRUE(eventually([&] { return scorer.metrics().sum(kReadings) == kQuiet; }));
  const Exposition quiet = scorer.metrics();
  EXPECT_GT(quiet.sum("millrace_drift_windows_total"), 10);
  EXPECT_EQ(quiet.types.at("feature_drift_alert"), "gauge");
  const std::string alert = "millrace_drift_alert{feature=\"NO2\"}";
  const std::string shift = "millrace_drift_statistic{feature=\"NO2\",statistic=\"mean_shift\"}";
  EXPECT_TRUE(quiet.samples.contains(alert));
  EXPECT_EQ(quiet.value(alert), 0);

  produce(place, "moved.ndjson", simulated.out.substr(end));
  ASSERT_TRUE(eventually([&] { return scorer.metrics().sum(kReadings) == kQuiet + kMoved; }));
  const Exposition moved = scorer.metrics();
  EXPECT_GT(moved.sum("millrace_drift_windows_total"), quiet.sum("millrace_drift_windows_total"));
  EXPECT_EQ(moved.value(alert), 1);
  EXPECT_GT(moved.value(shift), quiet.value(shift) + 1);
  EXPECT_GT(moved.value("millrace_drift_alerts_total{state=\"raised\"}"),
            quiet.value("millrace_drift_alerts_total{state=\"raised\"}"));
  EXPECT_EQ(moved.sum("feature_drift_alert"), 1);
}

}  // namespace
}  // namespace millrace::integration
