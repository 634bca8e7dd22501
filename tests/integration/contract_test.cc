// What scripts rely on, as they see it: where flags may stand, what is refused and how, what a
// message carries.
#include <gtest/gtest.h>

#include <functional>

#include "program.h"

namespace millrace::integration {
namespace {

using Words = std::vector<std::string>;

TEST(Contract, FlagsOfACommandWorkBeforeItsName) {
  const Workplace place;
  const Finished sent =
      place.run({"--count", "7", "--mode=batch", "--json", "produce", "telco-churn"});
  ASSERT_EQ(sent.exit_code, 0) << sent.err;
  EXPECT_EQ(sent.last_json()["sent"], 7);
  const Finished dumped = place.run({"--first", "3", "topics", "dump", "telco.raw.customers"});
  EXPECT_EQ(dumped.json_lines().size(), 3U) << dumped.err;
  // A value that reads like a command is one only where no flag wants it.
  EXPECT_NE(place.run({"--data", "train", "produce", "telco-churn"}).err.find("'train'"),
            std::string::npos);
  const Finished gone = place.run({"--model-backend", "spark", "score", "telco-churn"});
  EXPECT_EQ(gone.exit_code, 2);
  EXPECT_NE(gone.err.find("--model-backend is gone"), std::string::npos) << gone.err;
}

TEST(Contract, WhatIsPlannedIsRefusedInWordsOfItsOwn) {
  const Workplace place;
  for (const Words& words :
       {Words{"serve"}, Words{"serve", "telco-churn", "--port", "0"}, Words{"serve", "--help"},
        Words{"analyze", "air-quality"}, Words{"pipeline", "run"}, Words{"data", "fetch"},
        Words{"completion", "bash"}, Words{"test", "telco-churn"}, Words{"model", "import", "x"},
        Words{"model", "rollback"}, Words{"log", "backup", "x"}, Words{"log", "restore", "--help"},
        Words{"validate", "telco-churn", "--against-running"},
        Words{"score", "telco-churn", "--to", "latest"}}) {
    const Finished refused = place.run(words);
    EXPECT_EQ(refused.exit_code, 2) << words.front() << refused.err;
    EXPECT_NE(refused.err.find("is not in this version yet"), std::string::npos)
        << words.front() << ": " << refused.err;
    EXPECT_TRUE(refused.out.empty()) << refused.out;
  }
  for (const char* name : {"sales", "bank-marketing"}) {
    const Finished refused = place.run({"demo", name});
    EXPECT_EQ(refused.exit_code, 66) << refused.err;
    EXPECT_NE(refused.err.find("is not in this version yet"), std::string::npos) << refused.err;
  }
}

TEST(Contract, FlagsThatAreGoneNameWhatReplacesThemOnEveryCommand) {
  const Workplace place;
  for (const Words& words : {Words{"predict", "telco-churn", "--preprocessor-path", "x"},
                             Words{"produce", "telco-churn", "--customer-schema", "x"},
                             Words{"train", "telco-churn", "--model-backend", "sklearn"},
                             Words{"score", "telco-churn", "--weather-schema=x"}}) {
    const Finished refused = place.run(words);
    EXPECT_EQ(refused.exit_code, 2) << refused.err;
    EXPECT_NE(refused.err.find(" is gone: "), std::string::npos) << refused.err;
  }
}

TEST(Contract, MisspeltCommandsAreNotAnsweredWithHelp) {
  const Workplace place;
  const Finished refused = place.run({"scor", "--help"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("did you mean 'score'"), std::string::npos) << refused.err;
  EXPECT_EQ(place.run({"topics", "lst", "--help"}).exit_code, 2);
}

TEST(Contract, VersionIsOneLineAndNamesBothLogs) {
  const Workplace place;
  const Finished version = place.run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_TRUE(version.out.starts_with("millrace "));
  EXPECT_TRUE(version.err.empty()) << version.err;
  EXPECT_EQ(place.run({"version", "--json"}).last_json()["logs"], json::Value({"sqlite", "kafka"}));
  // What a deployment calls its version is no flag.
  const Finished listed = place.run({"model", "list", "--json"}, {{"MILLRACE_VERSION", "1.4"}});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_TRUE(listed.last_json().contains("models")) << listed.out;
}

TEST(Contract, ErrorsOfAPipelineFileStartWithTheirPlace) {
  const Workplace place;
  place.write("bad.yaml", "version: 1\nname: x\ninputt: {topic: a}\n");
  const Finished refused = place.run({"validate", "bad.yaml"});
  EXPECT_EQ(refused.exit_code, 78);
  EXPECT_TRUE(refused.err.starts_with("bad.yaml:1:1: 'schema' names no field\n")) << refused.err;
  EXPECT_NE(refused.err.find("\nbad.yaml:3:1: unknown key 'inputt', did you mean 'input'"),
            std::string::npos)
      << refused.err;
}

TEST(Contract, ATopicNobodyKnowsIsUnavailableAlsoWithoutALog) {
  const Workplace place;
  for (const Words& words : {Words{"topics", "dump", "nothing"}, Words{"topics", "describe", "x"},
                             Words{"topics", "delete", "x", "--yes"}, Words{"tap", "nothing"},
                             Words{"trace", "telco.raw.customers/0/17"}}) {
    const Finished refused = place.run(words);
    EXPECT_EQ(refused.exit_code, 69) << refused.err;
    EXPECT_NE(refused.err.find("there is no topic"), std::string::npos) << refused.err;
  }
}

// What reads the records must not find anything else among them.
TEST(Contract, CommandsThatPrintRecordsPrintNothingElse) {
  const Workplace place;
  for (const Words& words : {Words{"topics", "dump", "nothing"}, Words{"tap", "nothing"},
                             Words{"dlq", "list", "telco-churn"}, Words{"dlq", "show", "x", "0/0"},
                             Words{"predict", "telco-churn", "--data", "nowhere.csv"},
                             Words{"topics", "dump", "nothing", "--frist", "1"}}) {
    Words with_json = words;
    with_json.emplace_back("--json");
    const Finished failed = place.run(with_json);
    EXPECT_NE(failed.exit_code, 0) << words.front();
    EXPECT_TRUE(failed.out.empty()) << words.front() << ": " << failed.out;
    EXPECT_FALSE(failed.err.empty()) << words.front();
  }
  const Finished others = place.run({"topics", "list", "--json"});
  EXPECT_EQ(others.last_json()["error"]["exit"], 66) << others.out;
  EXPECT_TRUE(place.run({"predict", "telco-churn", "--data", "x.csv", "--out", "y.csv", "--json"})
                  .last_json()
                  .contains("error"));
}

TEST(Contract, DumpOfAPartitionThatIsNotThereIsRefused) {
  const Workplace place;
  ASSERT_EQ(place.run({"topics", "create", "telco-churn"}).exit_code, 0);
  const Finished refused = place.run({"topics", "dump", "telco.raw.customers", "--partition", "3"});
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_NE(refused.err.find("has no partition 3"), std::string::npos) << refused.err;
}

// A pipeline of `init` with the key column `id`, trained and scored on 300 rows of it.
void score_rows_with_keys(const Workplace& place, const std::function<std::string(int)>& id) {
  std::string csv = "id,usage,left\n";
  for (int i = 0; i < 300; ++i) {
    const bool left = i % 5 == 0;
    csv += id(i) + "," + std::to_string((left ? 10 : 70) + i % 13) + (left ? ",yes\n" : ",no\n");
  }
  place.write("rows.csv", csv);
  ASSERT_EQ(place.run({"init", "mine", "--data", "rows.csv", "--target", "left"}).exit_code, 0);
  ASSERT_EQ(place.run({"train", "mine", "--data", "rows.csv"}).exit_code, 0);
  ASSERT_EQ(place.run({"produce", "mine", "--data", "rows.csv"}).exit_code, 0);
  const Finished scored = place.run({"score", "mine", "--mode", "batch", "--validate", "--json"});
  ASSERT_EQ(scored.last_json()["predicted"], 300) << scored.out << scored.err;
}

TEST(Contract, APredictionCarriesANumberThatIsTheKey) {
  const Workplace place;
  ASSERT_NO_FATAL_FAILURE(
      score_rows_with_keys(place, [](int i) { return std::to_string(70'000 + i); }));
  for (const json::Value& message : place.dump("mine.predictions")) {
    const auto value = json::parse(message["value"].get<std::string>(), "prediction");
    ASSERT_TRUE((*value)["id"].is_number_integer()) << message;
    EXPECT_EQ(std::to_string((*value)["id"].get<int>()), message["key"].get<std::string>());
  }
  const auto predicted = place.run({"predict", "mine", "--data", "rows.csv"}).json_lines();
  ASSERT_EQ(predicted.size(), 300U);
  EXPECT_EQ(predicted[17]["id"], 70'017);
}

TEST(Contract, EventTimesArePublishedInUtc) {
  const Workplace place;
  ASSERT_NO_FATAL_FAILURE(place.train_telco(300));
  json::Value row = json::parse(place.simulate(1), "row").value();
  std::string rows;
  for (const char* time : {"2025-10-11T03:28:23.234190Z", "2025-10-11T03:28:23",
                           "2025-10-11 03:28:23Z", "2025-10-11T05:28:23+02:00"}) {
    row["event_ts"] = time;
    rows += json::to_line(row) + "\n";
  }
  place.write("rows.ndjson", rows);
  const auto predicted =
      place.run({"predict", "telco-churn", "--data", "rows.ndjson"}).json_lines();
  ASSERT_EQ(predicted.size(), 4U);
  EXPECT_EQ(predicted[0]["event_ts"], "2025-10-11T03:28:23.234190Z");  // copied
  for (int i : {1, 2, 3}) {
    EXPECT_EQ(predicted[static_cast<std::size_t>(i)]["event_ts"], "2025-10-11T03:28:23.000Z") << i;
  }
}

}  // namespace
}  // namespace millrace::integration
