// Looking at a running pipeline: groups, dead letters, tap, trace, on real records.
#include <gtest/gtest.h>

#include <csignal>
#include <map>

#include "program.h"

namespace millrace::integration {
namespace {

// A place where telco-churn has scored 300 made-up customers, every tenth of them broken.
class Scored : public testing::Test {
 protected:
  void SetUp() override {
    place_.train_telco(800);
    ASSERT_EQ(place_
                  .run({"produce", "telco-churn", "--count", "300", "--seed", "7", "--poison-rate",
                        "0.1"})
                  .exit_code,
              0);
    const Finished scored =
        place_.run({"score", "telco-churn", "--mode", "batch", "--no-report", "--json"});
    ASSERT_EQ(scored.exit_code, 0) << scored.err;
    predicted_ = scored.last_json()["predicted"].get<std::size_t>();
    dead_ = scored.last_json()["dead_lettered"].get<std::size_t>();
    ASSERT_GT(dead_, 0U);
  }

  std::size_t score_again() {
    return place_.run({"score", "telco-churn", "--mode", "batch", "--no-report", "--json"})
        .last_json()["consumed"]
        .get<std::size_t>();
  }

  Workplace place_;
  std::size_t predicted_ = 0;
  std::size_t dead_ = 0;
};

TEST_F(Scored, AGroupResetToTheEarliestScoresEverythingAgain) {
  const std::vector<std::string> reset = {"groups", "reset", "telco-churn-consumer",
                                          "--to",   "0",     "--json"};
  std::vector<std::string> dry = reset;
  dry.emplace_back("--dry-run");
  const json::Value planned = place_.run(dry).last_json();
  ASSERT_EQ(planned["positions"].size(), 3U);
  EXPECT_EQ(planned["positions"][0]["before"], planned["positions"][0]["end"]);
  EXPECT_EQ(planned["positions"][0]["after"], 0);
  EXPECT_EQ(score_again(), 0U);
  ASSERT_EQ(place_.run(reset).exit_code, 0);
  EXPECT_EQ(score_again(), 300U);
}

TEST_F(Scored, AWatchedGroupTellsRatesUntilItIsStopped) {
  const auto watch = place_.start(
      {"groups", "describe", "telco-churn-consumer", "--watch", "--interval-ms", "100", "--json"});
  ASSERT_TRUE(eventually([&] { return !watch->output().empty(); }));
  ASSERT_EQ(place_.run({"produce", "telco-churn", "--count", "50", "--seed", "8"}).exit_code, 0);
  ASSERT_TRUE(
      eventually([&] { return watch->output().find("\"consumer_lag\":50") != std::string::npos; }));
  watch->signal(SIGINT);
  const Finished stopped = watch->wait(10);
  EXPECT_EQ(stopped.exit_code, 0);
  double in = 0;
  for (const json::Value& line : stopped.json_lines()) {
    for (const json::Value& position : line["positions"]) in += position["in_per_s"].get<double>();
  }
  EXPECT_GT(in, 0);
}

TEST_F(Scored, AGroupWithAMemberIsNotReset) {
  const auto scorer = place_.start({"score", "telco-churn"});
  const auto has_member = [this] {
    return !place_.run({"groups", "describe", "telco-churn-consumer", "--json"})
                .last_json()["members"]
                .empty();
  };
  ASSERT_TRUE(eventually(has_member));
  const Finished refused =
      place_.run({"groups", "reset", "telco-churn-consumer", "--to", "earliest"});
  EXPECT_EQ(refused.exit_code, 75);
  EXPECT_NE(refused.err.find("telco-churn-consumer."), std::string::npos) << refused.err;
  // A dry run says so, and still shows the plan.
  const Finished dry =
      place_.run({"groups", "reset", "telco-churn-consumer", "--to", "earliest", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0);
  EXPECT_NE(dry.err.find("refused"), std::string::npos) << dry.err;
  scorer->signal(SIGTERM);
  EXPECT_EQ(scorer->wait().exit_code, 0);
  EXPECT_EQ(score_again(), 0U);
}

TEST_F(Scored, DeadLettersAreFilteredByKeyPartitionAndTime) {
  const auto all = place_.run({"dlq", "list", "telco-churn", "--json"}).json_lines();
  ASSERT_EQ(all.size(), dead_);
  const std::string key = all[0]["key"].get<std::string>();
  const auto of_key =
      place_.run({"dlq", "list", "telco-churn", "--json", "--key", key}).json_lines();
  ASSERT_FALSE(of_key.empty());
  for (const json::Value& letter : of_key) EXPECT_EQ(letter["key"], key);
  const auto count = [this](const std::vector<std::string>& filter) {
    std::vector<std::string> arguments = {"dlq", "list", "telco-churn", "--json"};
    arguments.insert(arguments.end(), filter.begin(), filter.end());
    return place_.run(arguments).json_lines().size();
  };
  EXPECT_EQ(count({"--from", "1h"}), dead_);
  EXPECT_EQ(count({"--to-time", "1h"}), 0U);
  EXPECT_EQ(count({"--from", "2099-01-01T00:00:00Z"}), 0U);
  EXPECT_EQ(count({"--partition", "0"}), dead_);
  EXPECT_EQ(count({"--source-topic", "other"}), 0U);
}

TEST_F(Scored, AReplayKeepsItsRateAndItsAttemptLimit) {
  const auto replay = [this](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"dlq", "replay", "telco-churn", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return place_.run(arguments).last_json();
  };
  EXPECT_EQ(replay({"--max-attempts", "1"})["attempts_used_up"], dead_);
  EXPECT_EQ(replay({"--dry-run", "--rate", "1"})["replayed"], dead_);
  EXPECT_EQ(replay({"--rate", "200", "--limit", "5"})["replayed"], 5);
  const json::Value rest = replay({});
  EXPECT_EQ(rest["replayed_before"], 5);
  EXPECT_EQ(rest["replayed"], dead_ - 5);
  EXPECT_EQ(score_again(), dead_);
}

TEST_F(Scored, TapShowsWhatDumpShows) {
  const auto dumped = place_.dump("telco.churn.predictions");
  const auto tapped = place_
                          .run({"tap", "telco-churn", "--from", "earliest", "--max-messages",
                                std::to_string(predicted_)})
                          .json_lines();
  ASSERT_EQ(tapped.size(), predicted_);
  for (const json::Value& message : tapped) {
    EXPECT_NE(std::find(dumped.begin(), dumped.end(), message), dumped.end());
  }
  const auto yes = place_.run({"tap", "telco-churn", "--from", "earliest", "--where",
                               "prediction=Yes", "--max-messages", "3"});
  EXPECT_EQ(yes.exit_code, 0);
  ASSERT_EQ(yes.json_lines().size(), 3U);
  for (const json::Value& message : yes.json_lines()) {
    EXPECT_NE(message["value"].get<std::string>().find("\"prediction\":\"Yes\""),
              std::string::npos);
  }
  // No group came of it.
  EXPECT_EQ(place_.run({"groups", "list", "--json"}).last_json()["groups"].size(), 1U);
}

TEST_F(Scored, TapFollowsUntilItIsStopped) {
  const std::size_t before = place_.dump("telco.raw.customers").size();
  const auto tap = place_.start({"tap", "telco.raw.customers"});
  // What comes after it has started is shown as soon as it is there; what was there is not.
  std::size_t sent = 0;
  const auto seen = [&] {
    const std::string seed = std::to_string(100 + sent++);
    place_.run({"produce", "telco-churn", "--count", "1", "--seed", seed});
    return !tap->output().empty();
  };
  ASSERT_TRUE(eventually(seen));
  tap->signal(SIGINT);
  ASSERT_TRUE(eventually([&] { return !tap->running(); }, kAtOnce)) << "tap must stop at once";
  const Finished stopped = tap->wait();
  EXPECT_EQ(stopped.exit_code, 0) << stopped.err;
  EXPECT_LE(stopped.json_lines().size(), sent);
  EXPECT_EQ(place_.dump("telco.raw.customers").size(), before + sent);
}

TEST_F(Scored, TapEndsAfterItsTimeout) {
  const Finished quiet = place_.run({"tap", "telco-churn", "--timeout-ms", "50"});
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_TRUE(quiet.out.empty());
  EXPECT_EQ(place_.run({"tap", "telco.raw.custmers", "--timeout-ms", "50"}).exit_code, 69);
}

TEST_F(Scored, TopSumsUpWhatIsOnTheTopics) {
  const Finished once =
      place_.run({"top", "telco-churn", "--once", "--interval-ms", "100", "--json"});
  ASSERT_EQ(once.exit_code, 0) << once.err;
  const json::Value top = once.last_json();
  std::size_t scores = 0;
  for (const json::Value& bin : top["score_histogram"]) scores += bin.get<std::size_t>();
  EXPECT_EQ(scores, predicted_);
  std::size_t dead = 0;
  for (const json::Value& count : top["dead_letters"]) dead += count.get<std::size_t>();
  EXPECT_EQ(dead, dead_);
  EXPECT_EQ(top["consumer_lag"], 0);
  EXPECT_EQ(top["partitions"].size(), 3U);
  EXPECT_EQ(top["rates"]["in_per_s"], 0);
  const Finished text = place_.run({"top", "telco-churn", "--once", "--interval-ms", "100"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find("dead letters (" + std::to_string(dead_) + " seen)"), std::string::npos)
      << text.out;
  EXPECT_EQ(text.out.find('\x1b'), std::string::npos) << "no colours in a file";
}

TEST_F(Scored, TopGoesOnUntilItIsStopped) {
  const auto top = place_.start({"top", "telco-churn", "--interval-ms", "100", "--json"});
  const auto lines = [&top] {
    const std::string text = top->output();
    return std::count(text.begin(), text.end(), '\n');
  };
  ASSERT_TRUE(eventually([&] { return lines() >= 2; }));
  top->signal(SIGINT);
  ASSERT_TRUE(eventually([&] { return !top->running(); }, kAtOnce));
  EXPECT_EQ(top->wait().exit_code, 0);
}

TEST_F(Scored, HealthIsWhatTheLimitsSay) {
  const auto health = [this](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"health", "telco-churn", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return place_.run(arguments);
  };
  const Finished good = health({"--max-lag", "0", "--max-age", "1h"});
  EXPECT_EQ(good.exit_code, 0) << good.out;
  EXPECT_EQ(good.last_json()["status"], "healthy");
  EXPECT_EQ(good.last_json()["consumer_lag"], 0);
  EXPECT_EQ(health({"--max-age", "0s"}).exit_code, 69);
  ASSERT_EQ(place_.run({"produce", "telco-churn", "--count", "5", "--seed", "8"}).exit_code, 0);
  const Finished behind = health({"--max-lag", "4"});
  EXPECT_EQ(behind.exit_code, 69);
  EXPECT_EQ(behind.last_json()["consumer_lag"], 5);
  EXPECT_EQ(health({"--max-lag", "5"}).exit_code, 0);
  EXPECT_EQ(place_.run({"health"}).exit_code, 0);
}

TEST(Health, WithoutAModelItIs78AndWithoutALog69) {
  const Workplace place;
  EXPECT_EQ(place.run({"health", "telco-churn"}).exit_code, 69);
  ASSERT_EQ(place.run({"topics", "create", "telco-churn"}).exit_code, 0);
  EXPECT_EQ(place.run({"health", "telco-churn"}).exit_code, 78);
  EXPECT_EQ(place.run({"health"}).exit_code, 0);
}

TEST_F(Scored, DoctorLooksAtTopicsRightsAndPorts) {
  const Finished doctor = place_.run({"doctor", "telco-churn", "--json"});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.out;
  std::map<std::string, int> checks;
  const json::Value result = doctor.last_json();
  for (const json::Value& finding : result["findings"]) {
    EXPECT_NE(finding["verdict"], "BAD") << finding;
    ++checks[finding["check"].get<std::string>()];
  }
  EXPECT_EQ(checks["topic"], 3);
  EXPECT_EQ(checks["rights"], 1);
  // A port that is taken: the one a scorer serves its metrics on.
  const auto scorer = place_.start({"score", "telco-churn", "--metrics-port", "0"});
  std::string port;
  ASSERT_TRUE(eventually([&] {
    const std::string said = scorer->err_so_far();
    const std::size_t at = said.find("http://127.0.0.1:");
    if (at == std::string::npos) return false;
    const std::size_t start = at + std::string("http://127.0.0.1:").size();
    port = said.substr(start, said.find_first_not_of("0123456789", start) - start);
    return !port.empty() && start + port.size() < said.size();
  }));
  const Finished taken = place_.run({"doctor", "--port", port});
  EXPECT_EQ(taken.exit_code, 69) << taken.out;
  EXPECT_NE(taken.out.find(port), std::string::npos) << taken.out;
}

TEST_F(Scored, TopicsAreDescribedWithWhatEachGroupHasLeft) {
  ASSERT_EQ(place_.run({"produce", "telco-churn", "--count", "5", "--seed", "8"}).exit_code, 0);
  const json::Value topic =
      place_.run({"topics", "describe", "telco.raw.customers", "--json"}).last_json();
  EXPECT_EQ(topic["consumer_lag"]["telco-churn-consumer"], 5);
  EXPECT_EQ(topic["records"], 305);
}

// What trace says of a record is what the scorer published for it.
TEST_F(Scored, TraceAgreesWithThePublishedPrediction) {
  const json::Value record = place_.dump("telco.raw.customers").at(0);
  const auto published = place_
                             .run({"tap", "telco-churn", "--from", "earliest", "--key",
                                   record["key"].get<std::string>(), "--max-messages", "1"})
                             .json_lines();
  ASSERT_EQ(published.size(), 1U);
  const std::string at =
      "telco.raw.customers/" + record["partition"].dump() + "/" + record["offset"].dump();
  const Finished traced = place_.run({"trace", at, "--json"});
  ASSERT_EQ(traced.exit_code, 0) << traced.err;
  const json::Value trace = traced.last_json();
  const json::Value prediction =
      json::parse(published[0]["value"].get<std::string>(), "prediction").value();
  EXPECT_EQ(trace["record"], record);
  EXPECT_EQ(trace["outcome"], "prediction");
  EXPECT_EQ(trace["probability"], prediction["churn_probability"]);
  EXPECT_EQ(trace["label"], prediction["prediction"]);
  EXPECT_EQ(trace["to"]["topic"], "telco.churn.predictions");
  EXPECT_EQ(trace["to"]["partition"], published[0]["partition"]);
  EXPECT_FALSE(trace["features"].empty());
}

TEST_F(Scored, TraceOfADeadLetterTellsTheSameReason) {
  const json::Value letter =
      place_.run({"dlq", "list", "telco-churn", "--json"}).json_lines().at(0);
  const std::string dead =
      "telco.deadletter/" + letter["partition"].dump() + "/" + letter["offset"].dump();
  const std::string source = letter["source_topic"].get<std::string>() + "/" +
                             letter["source_partition"].dump() + "/" +
                             letter["source_offset"].dump();
  for (const std::string& at : {dead, source}) {
    const json::Value trace = place_.run({"trace", at, "--json"}).last_json();
    EXPECT_EQ(trace["outcome"], "dead_letter") << at;
    EXPECT_EQ(trace["errors"][0]["code"], letter["code"]) << at;
    EXPECT_EQ(trace["to"]["topic"], "telco.deadletter") << at;
  }
  EXPECT_EQ(place_.run({"trace", "telco.raw.customers/0/100000"}).exit_code, 66);
}

}  // namespace
}  // namespace millrace::integration
