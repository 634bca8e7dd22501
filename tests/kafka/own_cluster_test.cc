// Clusters that a test starts for itself do what it orders.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kafka/cluster.h"
#include "kafka/metadata.h"
#include "kafka/proxy.h"

namespace millrace::kafka_testing {
namespace {

TEST(OwnCluster, SurvivesTheLossAndTheReturnOfABroker) {
  const auto cluster = Cluster::start({.nodes = 3});
  // Each look waits for seconds, and may ask the one that is away.
  const auto sees = [&cluster](const auto& holds) {
    constexpr int kLooks = 10;
    for (int look = 0; look < kLooks; ++look) {
      if (holds(brokers_seen_from(cluster->bootstrap()))) return true;
    }
    return false;
  };
  const auto all = [](const std::set<int>& ids) { return ids == std::set<int>{1, 2, 3}; };
  ASSERT_TRUE(sees(all));
  cluster->stop_hard(2);
  EXPECT_TRUE(sees([](const std::set<int>& ids) { return !ids.empty(); }));
  cluster->start(2);
  EXPECT_TRUE(sees(all));
}

TEST(OwnCluster, IsReachedThroughAProxy) {
  const auto cluster = Cluster::start({.proxied = true});
  ASSERT_EQ(cluster->proxied().size(), 1U);
  const ProxiedPorts ports = cluster->proxied().front();
  Proxy proxy(ports.advertised, ports.target);
  const std::string through = "127.0.0.1:" + std::to_string(proxy.port());
  EXPECT_TRUE(sees_brokers(through, {1}));
  proxy.refuse();
  EXPECT_TRUE(brokers_seen_from(through).empty());
  EXPECT_TRUE(sees_brokers(cluster->bootstrap(), {1}));
}

TEST(OwnCluster, ShutsItsDoorToAWrongPassword) {
  const auto cluster = Cluster::start({.secure = true});
  ASSERT_TRUE(cluster->secure().has_value());
  const Secure& secure = *cluster->secure();
  const std::string common =
      "-X security.protocol=SASL_SSL -X sasl.mechanism=SCRAM-SHA-256 -X sasl.username=" +
      secure.user + " -X ssl.ca.location='" + secure.ca_file + "' -X sasl.password=";
  const std::string right = "\"$(cat '" + secure.password_file + "')\"";
  EXPECT_TRUE(sees_brokers(secure.sasl_ssl_bootstrap, {1}, common + right));
  EXPECT_TRUE(brokers_seen_from(secure.sasl_ssl_bootstrap, common + "wrong").empty());
  EXPECT_TRUE(brokers_seen_from(secure.expired_bootstrap, common + right).empty());
}

}  // namespace
}  // namespace millrace::kafka_testing
