// Looking at a pipeline on a real broker: metrics, dead letters, one record's way, the live view.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "integration/program.h"
#include "integration/watched.h"
#include "kafka/admin.h"
#include "kafka/cluster.h"
#include "kafka/telco.h"
#include "telemetry/metric_table.h"

namespace millrace::kafka_testing {
namespace {

using integration::eventually;
using integration::Finished;
using integration::Watched;
using ::testing::HasSubstr;

constexpr double kPatience = 90;
constexpr int kPartitions = 3;

class OnKafka : public ::testing::Test {
 protected:
  json::Value last_json(const std::vector<std::string>& words) const {
    const Finished done = telco_.run(words);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.last_json();
  }
  json::Value score() const {
    return last_json({"score", "telco-churn", "--mode", "batch", "--no-report", "--json"});
  }

  const std::unique_ptr<Cluster> cluster_ = Cluster::shared();
  const Telco telco_{cluster_->bootstrap()};
};

// What the other log has no use for (tests/integration/monitoring_test.cc shows the rest).
TEST_F(OnKafka, EveryMetricOfTheClientMovesAndSoDoesWhatRetentionTook) {
  telco_.produce(500);
  ASSERT_EQ(
      telco_.run({"score", "telco-churn", "--mode", "batch", "--max-messages", "50"}).exit_code, 0);
  const Admin admin(cluster_->bootstrap());
  for (int i = 0; i < kPartitions; ++i)
    admin.delete_records(telco_.topic("in"), i, admin.end_of(telco_.topic("in"), i) - 5);
  Watched scorer(telco_.place(),
                 telco_.command({"score", "telco-churn", "-X", "statistics.interval.ms=100"}));
  scorer.metrics();
  telco_.produce(500, 7);
  const auto moved = [&scorer](const telemetry::MetricRow& row) {
    const auto found = scorer.seen().find(std::string(row.name));
    return found != scorer.seen().end() && found->second.size() >= 2;
  };
  for (const auto& row : telemetry::metric_table()) {
    using telemetry::Metric;
    if (row.commands.find("on Kafka") == std::string_view::npos) continue;
    if (row.commands.starts_with("sink")) continue;  // this is `score`
    // A timeout takes a broker that does not answer, and a queue may be empty at every look: that
    // they are there is enough here. What retention took may be counted before the first look.
    const bool is_rare =
        row.metric == Metric::kClientRequestTimeouts || row.metric == Metric::kClientQueued;
    EXPECT_TRUE(eventually(
        [&] {
          const auto now = scorer.metrics();
          const std::string name(row.name);
          if (is_rare) return now.types.contains(name);
          return row.metric == Metric::kMessagesSkipped ? now.sum(name) > 0 : moved(row);
        },
        kPatience))
        << row.name << " does not move";
  }
  EXPECT_EQ(scorer.health()["checks"]["broker_connection"], "pass");
  scorer.process().signal(SIGTERM);
  EXPECT_EQ(scorer.process().wait(kPatience).exit_code, 0);
}

TEST_F(OnKafka, DeadLettersAreListedAndReplayedOnce) {
  telco_.produce(1'000);
  const auto dead = score()["dead_lettered"].get<std::size_t>();
  ASSERT_GT(dead, 0U);
  EXPECT_EQ(telco_.run({"dlq", "list", "telco-churn", "--json"}).json_lines().size(), dead);
  EXPECT_EQ(last_json({"dlq", "replay", "telco-churn", "--json"})["replayed"], dead);
  EXPECT_EQ(last_json({"dlq", "replay", "telco-churn", "--json"})["replayed"], 0);
  EXPECT_EQ(score()["dead_lettered"], dead);
}

TEST_F(OnKafka, TheWayOfOneRecordIsShown) {
  telco_.produce(100);
  ASSERT_EQ(score()["consumed"], 100);
  const json::Value first = telco_.dump("in").front();
  const std::string place = telco_.topic("in") + "/" +
                            std::to_string(first["partition"].get<int>()) + "/" +
                            std::to_string(first["offset"].get<long>());
  const Finished traced = telco_.run({"trace", place, "--pipeline", "telco-churn"});
  EXPECT_EQ(traced.exit_code, 0) << traced.err;
  EXPECT_THAT(traced.out, HasSubstr(first["key"].get<std::string>()));
}

TEST_F(OnKafka, TheLiveViewCountsWhatComes) {
  telco_.create();
  const auto top = telco_.start({"top", "telco-churn", "--interval-ms", "200", "--json"});
  ASSERT_TRUE(eventually([&] { return !top->output().empty(); }, kPatience)) << top->err_so_far();
  telco_.produce(300);
  ASSERT_EQ(score()["consumed"], 300);
  // Between two of its looks they were predicted.
  const auto predictions_seen = [&top] {
    const std::string text = top->output();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      if (end == std::string::npos) return false;
      const auto look = json::parse(std::string_view(text).substr(at, end - at), "top");
      if (look && (*look)["rates"].is_object() && (*look)["rates"]["predicted_per_s"] > 0)
        return true;
      at = end + 1;
    }
    return false;
  };
  EXPECT_TRUE(eventually(predictions_seen, kPatience)) << top->output();
  top->signal(SIGINT);
  EXPECT_EQ(top->wait(kPatience).exit_code, 0);
}

}  // namespace
}  // namespace millrace::kafka_testing
