// Exactly once on a real broker: killed at every named point, two at once, hung, the broker gone.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "env/clock.h"
#include "integration/program.h"
#include "kafka/cluster.h"
#include "kafka/telco.h"

namespace millrace::kafka_testing {
namespace {

using integration::Finished;

constexpr int kRows = 5'000;
constexpr Milliseconds kSessionTimeout{10'000};

std::vector<std::string> window() {
  return {"score", "telco-churn", "--mode", "batch", "--set", "commit.records=300"};
}

integration::Environment kill_at(const std::string& point, int visit) {
  return {{"MILLRACE_CRASH_POINT", point + ":" + std::to_string(visit)}};
}

// Fault F1.
TEST(ExactlyOnce, AScorerKilledAtEveryPointLeavesEachInputOneOutput) {
  const auto cluster = Cluster::shared();
  Telco telco(cluster->bootstrap());
  telco.produce(kRows);
  int kills = 0;
  for (const char* point :
       {"score.after_poll", "score.after_score", "score.after_append", "score.before_commit",
        "score.after_commit", "log.before_positions", "log.after_positions",
        "log.before_log_commit", "log.after_log_commit", "log.in_init"}) {
    for (const int visit : {1, 2}) {
      // What begins happens once a run.
      if (visit == 2 && std::string(point) == "log.in_init") continue;
      const Finished killed = telco.run(window(), kill_at(point, visit));
      kills += killed.exit_code == 128 + SIGKILL ? 1 : 0;
      // Near the end of the topic a point may not be reached so often.
      EXPECT_TRUE(killed.exit_code == 128 + SIGKILL || killed.exit_code == 0) << killed.err;
    }
  }
  EXPECT_GE(kills, 10);
  const Finished last = telco.run(window());
  ASSERT_EQ(last.exit_code, 0) << last.err;
  telco.expect_each_once();
}

// Fault F18.
TEST(ExactlyOnce, AProducerKilledAtEveryPointResumesWithEveryRowOnce) {
  const auto cluster = Cluster::shared();
  const Telco telco(cluster->bootstrap());
  telco.place().write("rows.ndjson", telco.place().simulate(kRows));
  telco.create();
  const std::vector<std::string> produce = {"produce",     "telco-churn",  "--data",
                                            "rows.ndjson", "--batch-size", "500"};
  for (const char* point :
       {"produce.before_checkpoint", "produce.after_append", "produce.after_commit",
        "produce.after_checkpoint", "log.before_positions", "log.after_positions",
        "log.before_log_commit", "log.after_log_commit"}) {
    const Finished killed = telco.run(produce, kill_at(point, 1));
    EXPECT_TRUE(killed.exit_code == 128 + SIGKILL || killed.exit_code == 0) << point << killed.err;
  }
  const Finished last = telco.run(produce);
  ASSERT_EQ(last.exit_code, 0) << last.err;
  std::map<std::string, int> keys;
  for (const json::Value& message : telco.dump("in")) ++keys[message["key"].get<std::string>()];
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(kRows));
  for (const auto& [key, count] : keys) ASSERT_EQ(count, 1) << key;
}

// Fault F17: the same command twice shares the partitions.
TEST(ExactlyOnce, TwoScorersShareTheWorkAndRepeatNothing) {
  const auto cluster = Cluster::shared();
  const Telco telco(cluster->bootstrap());
  telco.create();
  const auto first = telco.start({"score", "telco-churn", "--json"});
  const auto second = telco.start({"score", "telco-churn", "--json"});
  telco.produce(kRows);
  const std::size_t inputs = telco.dump("in").size();
  ASSERT_TRUE(integration::eventually([&] { return telco.outputs() >= inputs; }, 90));
  first->signal(SIGTERM);
  second->signal(SIGTERM);
  EXPECT_EQ(first->wait(20).exit_code, 0);
  EXPECT_EQ(second->wait(20).exit_code, 0);
  telco.expect_each_once();
}

// Fault F6: a process that stood still for longer than the session timeout ends when it wakes.
TEST(ExactlyOnce, AScorerThatStoodStillEndsAndLeavesTheWorkToOthers) {
  const auto cluster = Cluster::shared();
  const Telco telco(cluster->bootstrap());
  telco.create();
  telco.produce(kRows);
  const auto hung = telco.start({"score", "telco-churn"});
  ASSERT_TRUE(integration::eventually([&] { return !telco.dump("out").empty(); }, 60));
  hung->signal(SIGSTOP);
  const SteadyTime stopped = env::real_clock().steady();
  const auto next = telco.start({"score", "telco-churn", "--json"});
  // Rows that only the other can score: it has all partitions when these are done.
  ASSERT_EQ(telco.run({"produce", "telco-churn", "--count", "500", "--seed", "7"}).exit_code, 0);
  const std::size_t inputs = telco.dump("in").size();
  ASSERT_TRUE(integration::eventually([&] { return telco.outputs() >= inputs; }, 90));
  // Its last heartbeat was some time before: by its own clock it must have stood still long enough.
  ASSERT_TRUE(integration::eventually(
      [&] { return env::real_clock().steady() > stopped + kSessionTimeout + Milliseconds(1'000); },
      30));
  hung->signal(SIGCONT);
  const Finished ended = hung->wait(60);
  EXPECT_EQ(ended.exit_code, 75) << ended.err;
  next->signal(SIGTERM);
  EXPECT_EQ(next->wait(20).exit_code, 0);
  EXPECT_EQ(telco.outputs(), inputs);
}

}  // namespace
}  // namespace millrace::kafka_testing
