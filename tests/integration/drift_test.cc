// Drift of a pipeline that predicts a label; forecast_test.cc has series.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "integration/program.h"

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

}  // namespace
}  // namespace millrace::integration
