// The search for parameters of a forecast: what it finds, and that nothing done is done twice.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "integration/program.h"
#include "integration/stations.h"

namespace millrace::integration {
namespace {

using Words = std::vector<std::string>;

Words tune(const Words& more) {
  return with(
      {"tune", "air-quality", "--data", "readings.ndjson", "--set", "model.trees=10", "--json"},
      more);
}

// Lines of the one journal under the home, 0 without one.
std::size_t journal_lines(const Workplace& place) {
  std::size_t lines = 0;
  std::error_code none;
  for (const auto& entry :
       std::filesystem::directory_iterator(place.file(".millrace/reports"), none)) {
    if (entry.path().extension() != ".ndjson") continue;
    const std::string text = *env::read_file(entry.path(), 1 << 22);
    lines += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  return lines;
}

TEST(Tune, TriesEveryCombinationOfAGridAndReportsTheBest) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(1, 1200, 1));
  const Finished tuned =
      place.run(tune({"--grid", "--set", "tune={depth: [1, 4], learning_rate: [0.01, 0.3]}",
                      "--n_splits", "2", "--holdout", "0.25", "--outdir", "found"}));
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  const json::Value report = tuned.last_json();
  // The pipeline's own values come first: depth 5 and 0.05.
  ASSERT_EQ(report["trials"].size(), 5U);
  EXPECT_EQ(report["present"]["params"]["depth"], 5);
  EXPECT_EQ(report["best_params"], report["trials"][0]["params"]);
  EXPECT_EQ(report["best_params"]["learning_rate"], 0.3) << report["trials"].dump();
  EXPECT_EQ(report["cv_mae"], report["trials"][0]["cv_mae"]);
  for (std::size_t i = 1; i < 5; ++i)
    EXPECT_LE(report["trials"][i - 1]["cv_mae"], report["trials"][i]["cv_mae"]);
  EXPECT_EQ(report["trials"][0]["folds"].size(), 2U);
  for (const char* key : {"holdout_mae", "holdout_rmse", "baseline_mae", "baseline_rmse"})
    EXPECT_GT(report[key], 0) << key;
  EXPECT_LT(report["holdout_mae"], report["baseline_mae"]);
  EXPECT_GT(report["n_train"], 2 * report["n_holdout"].get<int>());
  const auto kept = env::read_file(place.file("found/tune_report_CO_h1.json"), 1 << 20);
  ASSERT_TRUE(kept);
  EXPECT_EQ((*json::parse(*kept, "report"))["best_params"], report["best_params"]);
  // What it prints can be given back.
  const std::string depth = json::to_line(report["best_params"]["depth"]);
  EXPECT_EQ(report["set"], "--set model.depth=" + depth + " --set model.learning_rate=0.3");
  EXPECT_EQ(report["snippet"], "model:\n  depth: " + depth + "\n  learning_rate: 0.3\n");
  const Finished evaluated =
      place.run({"evaluate", "air-quality", "--data", "readings.ndjson", "--set", "model.trees=10",
                 "--set", "model.depth=" + depth, "--set", "model.learning_rate=0.3", "--test-size",
                 "0.25", "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_EQ(evaluated.last_json()["mae"], report["holdout_mae"]);
}

TEST(Tune, AnArimasOrderIsSearchedAlike) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(2, 600, 1));
  const Words search = {"tune",   "air-quality",
                        "--data", "readings.ndjson",
                        "--set",  "model.algorithm=arima",
                        "--grid", "--json",
                        "--set",  "tune={p: [0, 1], q: [0, 1], depth: [3, 4]}"};
  const Finished tuned = place.run(search);
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  const json::Value report = tuned.last_json();
  // The present order, [2, 1, 2], and four others; d, which is not searched, is the present one.
  ASSERT_EQ(report["trials"].size(), 5U) << report.dump();
  EXPECT_EQ(report["present"]["params"], (json::Value{{"d", 1}, {"p", 2}, {"q", 2}}));
  for (const json::Value& trial : report["trials"]) {
    EXPECT_EQ(trial["params"]["d"], 1);
    EXPECT_EQ(trial["folds"].size(), 3U);
  }
  for (std::size_t i = 1; i < 5; ++i)
    EXPECT_LE(report["trials"][i - 1]["cv_mae"], report["trials"][i]["cv_mae"]);
  EXPECT_LT(report["holdout_mae"], report["baseline_mae"]);
  const json::Value& best = report["best_params"];
  const std::string order =
      "[" + best["p"].dump() + ", " + best["d"].dump() + ", " + best["q"].dump() + "]";
  EXPECT_EQ(report["set"], "--set 'target.arima=" + order + "'");
  EXPECT_EQ(report["snippet"], "target:\n  arima: " + order + "\n");
  const Finished evaluated =
      place.run({"evaluate", "air-quality", "--data", "readings.ndjson", "--json", "--models",
                 "arima", "--set", "target.arima=" + order});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_EQ(evaluated.last_json()["mae"], report["holdout_mae"]);
  EXPECT_EQ(place.run(search).last_json()["trials_from_before"], 5);
  const Finished wrong = place.run({"tune", "air-quality", "--data", "readings.ndjson", "--set",
                                    "model.algorithm=arima", "--set", "tune={d: [3]}"});
  EXPECT_EQ(wrong.exit_code, 78) << wrong.err;
  EXPECT_NE(wrong.err.find("'target.arima'"), std::string::npos) << wrong.err;
}

TEST(Tune, LabelsAreSearchedByTheirLogLossOnFolds) {
  const Workplace place;
  place.write("customers.ndjson", place.simulate(900));
  for (const char* split : {"split.kind=stratified", "split={kind: hash, key: customerID}",
                            "split.kind=chronological"}) {
    const Words search = {
        "tune",   "telco-churn",    "--data", "customers.ndjson",
        "--set",  "model.trees=10", "--set",  split,
        "--grid", "--json",         "--set",  "tune={depth: [1, 3], learning_rate: [0.001, 0.3]}"};
    const Finished tuned = place.run(search);
    ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
    const json::Value report = tuned.last_json();
    ASSERT_GE(report["trials"].size(), 4U);
    EXPECT_EQ(report["label"], "Churn");
    EXPECT_EQ(report["best_params"]["learning_rate"], 0.3) << report["trials"].dump();
    EXPECT_EQ(report["cv_log_loss"], report["trials"][0]["cv_log_loss"]);
    EXPECT_EQ(report["trials"][0]["folds"].size(), 3U);
    for (std::size_t i = 1; i < report["trials"].size(); ++i)
      EXPECT_LE(report["trials"][i - 1]["cv_log_loss"], report["trials"][i]["cv_log_loss"]);
    EXPECT_LT(report["cv_log_loss"], report["trials"].back()["cv_log_loss"]);
    EXPECT_EQ(place.run(search).last_json()["trials_from_before"], report["trials"].size());
    // The best one is measured as `evaluate` measures it.
    const Finished evaluated =
        place.run({"evaluate", "telco-churn", "--data", "customers.ndjson", "--json", "--set",
                   "model.trees=10", "--set", split, "--set",
                   "model.depth=" + report["best_params"]["depth"].dump(), "--set",
                   "model.learning_rate=0.3"});
    ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
    EXPECT_EQ(evaluated.last_json()["metrics"], report["holdout"]);
    EXPECT_EQ(report["holdout"]["log_loss"], report["holdout_log_loss"]);
  }
  const Finished text = place.run({"tune", "telco-churn", "--data", "customers.ndjson", "--trials",
                                   "2", "--set", "model.trees=5"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("log loss"), std::string::npos) << text.out;
  const Finished mixed = place.run({"tune", "telco-churn", "--data", "customers.ndjson", "--set",
                                    "tune={p: [1]}", "--trials", "1", "--set", "model.trees=5"});
  EXPECT_EQ(mixed.exit_code, 0) << mixed.err;
}

TEST(Tune, KilledAnywhereItGoesOnWhereItWas) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(1, 1200, 1));
  const Words search = tune({"--trials", "6", "--seed", "7"});
  struct Kill {
    const char* point;
    std::size_t done;  // trials in the journal behind it
  };
  for (const Kill& kill :
       {Kill{"tune.before_trial_kept:1", 0}, Kill{"tune.after_trial_kept:2", 2},
        Kill{"tune.before_trial_kept:3", 4}, Kill{"tune.after_trial_kept:1", 5}}) {
    const Finished killed = place.run(search, {{"MILLRACE_CRASH_POINT", kill.point}});
    ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << kill.point << killed.err;
    EXPECT_EQ(journal_lines(place), kill.done == 0 ? 0 : kill.done + 1) << kill.point;
  }
  const Finished last = place.run(search);
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(last.last_json()["trials_from_before"], 5);
  // The same figures as a search that was never stopped.
  const Workplace other;
  other.write("readings.ndjson", station_readings(1, 1200, 1));
  const Finished whole = other.run(search);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_EQ(whole.last_json()["trials_from_before"], 0);
  EXPECT_EQ(whole.last_json()["trials"], last.last_json()["trials"]);
  EXPECT_EQ(whole.last_json()["holdout"], last.last_json()["holdout"]);
  // A larger search of the same space takes them over; other data is another search.
  const Finished more = place.run(tune({"--trials", "8", "--seed", "7"}));
  EXPECT_GE(more.last_json()["trials_from_before"], 6) << more.err;
  place.write("readings.ndjson", station_readings(1, 1201, 1));
  EXPECT_EQ(place.run(tune({"--trials", "1"})).last_json()["trials_from_before"], 0);
}

TEST(Tune, InterruptedItSaysHowFarItCame) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(1, 1200, 1));
  // Long enough that it cannot end before the signal comes.
  const auto running = place.start({"tune", "air-quality", "--data", "readings.ndjson", "--set",
                                    "model.trees=400", "--trials", "100"});
  ASSERT_TRUE(eventually([&] { return journal_lines(place) > 1; }, 240));
  running->signal(SIGINT);
  const Finished stopped = running->wait();
  EXPECT_EQ(stopped.exit_code, 128 + SIGINT) << stopped.err;
  EXPECT_NE(stopped.err.find("of 101 trials; the same command goes on"), std::string::npos)
      << stopped.err;
}

TEST(Tune, SaysWhatItCannotSearch) {
  const Workplace place;
  place.write("readings.ndjson", station_readings(1, 300, 1));
  struct Case {
    Words flags;
    int exit_code;
    const char* word;
  };
  for (const Case& each :
       {Case{{"--set", "tune.dept=[3]"}, 78, "did you mean 'depth'"},
        Case{{"--set", "tune.depth=[3,99]"}, 78, "99 is no value that 'model.depth' can have"},
        Case{{"--set", "tune.l2={min: 0, max: 1}", "--grid"}, 2, "a grid needs values"},
        Case{{"--grid", "--random"}, 2, "not both"}, Case{{"--trials", "0"}, 2, "--trials"},
        Case{{"--n-splits", "1"}, 2, "--n-splits"}, Case{{"--holdout", "1.5"}, 78, "test_fraction"},
        Case{{"--target", "COO"}, 78, "did you mean 'CO'"},
        Case{{"--trails", "3"}, 2, "did you mean '--trials'"}}) {
    const Finished refused = place.run(tune(each.flags));
    EXPECT_EQ(refused.exit_code, each.exit_code) << each.word << ": " << refused.err;
    EXPECT_NE(refused.err.find(each.word), std::string::npos) << refused.err;
  }
  EXPECT_EQ(place.run({"tune", "air-quality"}).exit_code, 2);
  EXPECT_EQ(place.run({"tune", "air-quality", "--data", "-"}).exit_code, 2);
  EXPECT_EQ(place.run({"tune", "air-quality", "--data", "none.ndjson"}).exit_code, 66);
  place.write("few.ndjson", station_readings(1, 5, 1));
  EXPECT_EQ(place.run({"tune", "air-quality", "--data", "few.ndjson"}).exit_code, 65);
}

}  // namespace
}  // namespace millrace::integration
