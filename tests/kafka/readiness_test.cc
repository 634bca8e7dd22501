// Readiness follows the broker, and comes back by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "integration/watched.h"
#include "kafka/cluster.h"
#include "kafka/telco.h"

namespace millrace::kafka_testing {
namespace {

using integration::eventually;
using integration::Watched;
using ::testing::HasSubstr;

constexpr double kPatience = 90;

TEST(Readiness, GoesWithTheBrokerAndComesBackWithIt) {
  const auto cluster = Cluster::start(ClusterOptions{});
  const Telco telco(cluster->bootstrap());
  telco.create();
  telco.produce(300);
  Watched scorer(telco.place(), telco.command({"score", "telco-churn"}));
  ASSERT_TRUE(eventually([&] { return scorer.ready(); }, kPatience)) << scorer.get("/ready").body;
  EXPECT_EQ(scorer.metrics().sum("millrace_log_reachable"), 1);
  cluster->stop_hard(1);
  ASSERT_TRUE(eventually([&] { return scorer.get("/ready").status == 503; }, kPatience));
  EXPECT_THAT(scorer.get("/ready").body, HasSubstr(cluster->bootstrap()));
  EXPECT_EQ(scorer.health()["checks"]["broker_connection"], "fail");
  EXPECT_EQ(scorer.metrics().sum("millrace_log_reachable"), 0);
  EXPECT_EQ(scorer.get("/live").status, 200);
  cluster->start(1);
  ASSERT_TRUE(eventually([&] { return scorer.ready(); }, kPatience)) << scorer.get("/ready").body;
  telco.produce(200, 7);
  const std::size_t inputs = telco.dump("in").size();
  EXPECT_TRUE(eventually([&] { return telco.outputs() >= inputs; }, kPatience));
  scorer.process().signal(SIGTERM);
  EXPECT_EQ(scorer.process().wait(kPatience).exit_code, 0);
  EXPECT_EQ(telco.outputs(), inputs);
}

}  // namespace
}  // namespace millrace::kafka_testing
