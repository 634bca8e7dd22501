// Drift of pipelines on a stream, and what a killed process leaves of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "integration/program.h"
#include "integration/stations.h"

namespace millrace::integration {
namespace {

constexpr std::int64_t kWindow = 500;
constexpr std::int64_t kMovedAt = 4'000;

// One partition, so that the stream has one order.
std::vector<std::string> watching(std::vector<std::string> words) {
  for (const char* setting : {"drift.window_records=500", "model.trees=30", "input.partitions=1"})
    words.insert(words.end(), {"--set", setting});
  return words;
}

TEST(DriftOfLabels, AlertsNameTheFieldThatMovedAndNothingElse) {
  const Workplace place;
  place.write("usual.ndjson", place.simulate(8'000));
  place.write("stream.ndjson", place.simulate(8'000, {"--seed", "5", "--drift-after", "4000",
                                                      "--drift-fields", "MonthlyCharges"}));
  const Finished trained = place.run(watching({"train", "telco-churn", "--data", "usual.ndjson"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Finished produced =
      place.run(watching({"produce", "telco-churn", "--data", "stream.ndjson"}));
  ASSERT_EQ(produced.exit_code, 0) << produced.err;
  const Finished scored = place.run(watching({"score", "telco-churn", "--mode", "batch"}));
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const std::vector<json::Value> alerts = place.dump("telco-churn.alerts");
  EXPECT_FALSE(alerts.empty());
  for (const json::Value& message : alerts) {
    const json::Value alert = *json::parse(message["value"].get<std::string>(), "alert");
    EXPECT_EQ(alert["feature"], "MonthlyCharges") << alert;
    EXPECT_EQ(alert["records"], kWindow) << alert;
    EXPECT_GE(alert["offsets"][0]["first_offset"].get<std::int64_t>(), kMovedAt) << alert;
  }
}

TEST(DriftOfLabels, WindowsOfTimeNeedATimeOfEachRow) {
  const Workplace place;
  place.write("rows.ndjson", place.simulate(1'000));
  const Finished trained =
      place.run({"train", "telco-churn", "--data", "rows.ndjson", "--set", "drift.window=1d"});
  EXPECT_NE(trained.exit_code, 0);
  EXPECT_NE(trained.err.find("'drift.window_records'"), std::string::npos) << trained.err;
}

// The alerts on a topic, to the byte; those of one window come in one order.
std::vector<std::string> alerts_on(const Workplace& place, const std::string& topic) {
  std::vector<std::string> out;
  for (const json::Value& message : place.dump(topic)) out.push_back(message["value"]);
  return out;
}

// Scores what is there as group and alerts topic `name`; killed at every point a few times first.
void score_killed(const Workplace& place, const std::vector<std::string>& score) {
  const auto run = [&](const Environment& environment) { return place.run(score, environment); };
  EXPECT_GE(kill_at(kScoringPoints, {1, 3}, run), 10);
  const Finished last = place.run(score);
  ASSERT_EQ(last.exit_code, 0) << last.err;
}

std::vector<std::string> as_group(std::vector<std::string> score, const std::string& name) {
  return with(std::move(score), {"--consumer-group", name, "--output-topic", name + ".out", "--set",
                                 "alerts.topic=" + name + ".alerts"});
}

TEST(DriftOfForecasts, KilledAtEveryPointItGivesTheAlertsOfAnUninterruptedRun) {
  constexpr double kShift = 60;
  const std::vector<std::string> one = {"--set", "input.partitions=1"};
  const Workplace place;
  place.write("usual.ndjson", station_readings(5, 400, 1));
  place.write("stream.ndjson",
              station_readings(5, 200, 2) + station_readings(5, 200, 3, 200, kShift));
  const Finished trained =
      place.run(with(with({"train", "air-quality", "--data", "usual.ndjson"}, small_model()), one));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  ASSERT_EQ(place.run(with({"produce", "air-quality", "--data", "stream.ndjson"}, one)).exit_code,
            0);
  const std::vector<std::string> score =
      with(with({"score", "air-quality", "--mode", "batch", "--set", "commit.records=90"},
                small_model()),
           one);
  ASSERT_EQ(place.run(as_group(score, "whole")).exit_code, 0);
  const std::vector<std::string> wanted = alerts_on(place, "whole.alerts");
  ASSERT_FALSE(wanted.empty());
  EXPECT_NE(wanted.front().find("\"feature\":\"NO2"), std::string::npos) << wanted.front();
  score_killed(place, as_group(score, "killed"));
  EXPECT_EQ(alerts_on(place, "killed.alerts"), wanted);
}

TEST(DriftOfLabels, KilledAtEveryPointItGivesTheAlertsOfAnUninterruptedRun) {
  const Workplace place;
  place.write("usual.ndjson", place.simulate(8'000));
  place.write("stream.ndjson", place.simulate(4'000, {"--seed", "5", "--drift-after", "2000",
                                                      "--drift-fields", "MonthlyCharges"}));
  ASSERT_EQ(place.run(watching({"train", "telco-churn", "--data", "usual.ndjson"})).exit_code, 0);
  ASSERT_EQ(place.run(watching({"produce", "telco-churn", "--data", "stream.ndjson"})).exit_code,
            0);
  const std::vector<std::string> score =
      watching({"score", "telco-churn", "--mode", "batch", "--set", "commit.records=170"});
  ASSERT_EQ(place.run(as_group(score, "whole")).exit_code, 0);
  const std::vector<std::string> wanted = alerts_on(place, "whole.alerts");
  ASSERT_FALSE(wanted.empty());
  score_killed(place, as_group(score, "killed"));
  EXPECT_EQ(alerts_on(place, "killed.alerts"), wanted);
}

// What was kept of windows is of one model: with another it is said, and watching begins anew.
TEST(DriftOfLabels, AnotherModelBeginsItsWindowsAnew) {
  const Workplace place;
  place.write("usual.ndjson", place.simulate(4'000));
  ASSERT_EQ(place.run(watching({"train", "telco-churn", "--data", "usual.ndjson"})).exit_code, 0);
  ASSERT_EQ(place.run(watching({"produce", "telco-churn", "--data", "usual.ndjson"})).exit_code, 0);
  const std::vector<std::string> score =
      as_group(watching({"score", "telco-churn", "--mode", "batch", "--max-messages", "300"}), "g");
  ASSERT_EQ(place.run(score).exit_code, 0);
  const Finished same = place.run(score);
  EXPECT_EQ(same.err.find("begin anew"), std::string::npos) << same.err;
  place.write("other.ndjson", place.simulate(4'000, {"--seed", "9"}));
  ASSERT_EQ(place.run(watching({"train", "telco-churn", "--data", "other.ndjson"})).exit_code, 0);
  const Finished other = place.run(score);
  ASSERT_EQ(other.exit_code, 0) << other.err;
  EXPECT_NE(other.err.find("begin anew: the drift state is of another model"), std::string::npos)
      << other.err;
}

}  // namespace
}  // namespace millrace::integration
