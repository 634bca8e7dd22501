// Log lines for programs: JSON with stated fields, in a file that rotates, and never in the way.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "integration/program.h"

namespace millrace::integration {
namespace {

std::vector<json::Value> lines_of(const env::Path& file) {
  std::vector<json::Value> lines;
  std::istringstream text(*env::read_file(file, 1 << 26));
  for (std::string line; std::getline(text, line);) lines.push_back(*json::parse(line, "log"));
  return lines;
}

std::vector<json::Value> events_of(const std::vector<json::Value>& lines, const std::string& name) {
  std::vector<json::Value> events;
  for (const json::Value& line : lines) {
    if (line.value("event", "") == name) events.push_back(line);
  }
  return events;
}

TEST(Logging, EveryScoredRecordHasALineWithItsPlace) {
  const Workplace place;
  place.train_telco();
  ASSERT_EQ(
      place.run({"produce", "telco-churn", "--count", "300", "--poison-rate", "0.2"}).exit_code, 0);
  const Finished scored = place.run({"score", "telco-churn", "--mode", "batch", "--json",
                                     "--log-records", "--log-file", "score.log"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const std::vector<json::Value> lines = lines_of(place.file("score.log"));
  const std::vector<json::Value> predictions = events_of(lines, "prediction");
  const std::vector<json::Value> dead = events_of(lines, "dead_letter");
  EXPECT_EQ(predictions.size(), scored.last_json()["predicted"]);
  EXPECT_EQ(dead.size(), scored.last_json()["dead_lettered"]);
  EXPECT_GT(dead.size(), 0U);
  std::set<std::pair<int, int>> places;
  for (const json::Value& line : predictions) {
    EXPECT_EQ(line["topic"], "telco.raw.customers");
    EXPECT_TRUE(places.emplace(line["partition"], line["offset"]).second) << line;
    const auto p = line["predictions"]["gradient_boosting"].get<double>();
    EXPECT_EQ(line["prediction"], p >= 0.5 ? "Yes" : "No") << line;
    EXPECT_GE(line["latency_sec"].get<double>(), 0);
    EXPECT_EQ(line["drift"], false);
    EXPECT_EQ(line["level"], "INFO");
  }
  for (const json::Value& line : dead) {
    EXPECT_TRUE(places.emplace(line["partition"], line["offset"]).second) << line;
    EXPECT_FALSE(line["code"].get<std::string>().empty());
  }
  EXPECT_EQ(places.size(), 300U);
}

TEST(Logging, AProducerTellsWhatWasDelivered) {
  const Workplace place;
  const Finished produced = place.run({"produce", "telco-churn", "--count", "500", "--log-format",
                                       "json", "--log-level", "info", "--log-file", "produce.log"});
  ASSERT_EQ(produced.exit_code, 0) << produced.err;
  const std::vector<json::Value> lines = lines_of(place.file("produce.log"));
  std::uint64_t delivered = 0;
  for (const json::Value& line : events_of(lines, "delivered"))
    delivered += line["records"].get<std::uint64_t>();
  EXPECT_EQ(delivered, 500U);
  ASSERT_EQ(events_of(lines, "produced").size(), 1U);
  EXPECT_EQ(events_of(lines, "produced")[0]["records"], 500);
  EXPECT_NE(produced.err.find(R"("event":"produced")"), std::string::npos) << produced.err;
}

TEST(Logging, AProducerTellsWhatFailed) {
  const Workplace place;
  const Finished none =
      place.run({"produce", "telco-churn", "--data", "missing.csv", "--log-file", "produce.log"});
  EXPECT_EQ(none.exit_code, 66);
  std::vector<json::Value> lines = lines_of(place.file("produce.log"));
  ASSERT_EQ(events_of(lines, "produce_error").size(), 1U);
  EXPECT_EQ(events_of(lines, "produce_error")[0]["code"], "no_input");
  EXPECT_EQ(events_of(lines, "failed").size(), 1U);

  place.write("full", "");
  const Finished full =
      place.run({"produce", "telco-churn", "--count", "500", "--log-file", "/dev/null",
                 "--log-format", "json"},
                {{"LD_PRELOAD", FULL_DISK_PATH}, {"FULL_DISK_WHILE", place.file("full").string()}});
  EXPECT_NE(full.exit_code, 0);
  EXPECT_NE(full.err.find(R"("event":"delivery_failed")"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find(R"("event":"failed")"), std::string::npos) << full.err;
  EXPECT_EQ(full.err.find("millrace: "), std::string::npos) << full.err;
}

TEST(Logging, TheFileRotatesAndKeepsTheNewest) {
  const Workplace place;
  place.train_telco();
  ASSERT_EQ(place.run({"produce", "telco-churn", "--count", "2000"}).exit_code, 0);
  const Finished scored =
      place.run({"score", "telco-churn", "--mode", "batch", "--log-records", "--log-file", "s.log",
                 "--log-file-bytes", "65536", "--log-files", "3"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_TRUE(std::filesystem::exists(place.file("s.log.2")));
  EXPECT_FALSE(std::filesystem::exists(place.file("s.log.3")));
  std::map<int, int> last;  // by partition
  for (const char* name : {"s.log.2", "s.log.1", "s.log"}) {
    EXPECT_LE(std::filesystem::file_size(place.file(name)), 65536U);
    for (const json::Value& line : events_of(lines_of(place.file(name)), "prediction")) {
      const int offset = line["offset"];
      const auto [found, is_new] = last.try_emplace(line["partition"], offset);
      EXPECT_TRUE(is_new || found->second + 1 == offset) << line;
      found->second = offset;
    }
  }
}

// A log file that takes nothing costs lines, not records.
TEST(Logging, AFullDiskOfTheLogFileHoldsNothingUp) {
  const Workplace place;
  place.train_telco();
  ASSERT_EQ(place.run({"produce", "telco-churn", "--count", "1000"}).exit_code, 0);
  const Finished scored = place.run({"score", "telco-churn", "--mode", "batch", "--json",
                                     "--log-records", "--log-file", "/dev/full"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_EQ(scored.last_json()["consumed"], 1000);
  EXPECT_NE(scored.err.find("log lines are dropped"), std::string::npos) << scored.err;
}

TEST(Logging, WhatCannotBeDoneIsSaidAtOnce) {
  const Workplace place;
  place.train_telco();
  const Finished nowhere = place.run({"score", "telco-churn", "--log-records"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_NE(nowhere.err.find("--log-file"), std::string::npos) << nowhere.err;
  const Finished folder = place.run({"doctor", "--log-file", "no/such/folder/log"});
  EXPECT_EQ(folder.exit_code, 66);
  const Finished small = place.run({"doctor", "--log-file", "x.log", "--log-file-bytes", "10"});
  EXPECT_EQ(small.exit_code, 2);
}

}  // namespace
}  // namespace millrace::integration
