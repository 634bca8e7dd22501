// A network that delays, loses and cuts, between the program and its broker.
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "integration/program.h"
#include "kafka/cluster.h"
#include "kafka/proxy.h"
#include "kafka/telco.h"

namespace millrace::kafka_testing {
namespace {

using integration::eventually;
using integration::Finished;

constexpr double kPatience = 120;
constexpr std::chrono::milliseconds kLatency{200};
constexpr std::chrono::milliseconds kNoLatency{0};

// Only the scorer is behind the bad network: rows come and outputs are read past it.
class Network : public ::testing::Test {
 protected:
  std::unique_ptr<integration::Process> start_scorer(const std::vector<std::string>& more) const {
    // Many small commits, so that whatever happens happens to one of them.
    std::vector<std::string> words = {"score", "telco-churn", "--json",
                                      "-v",    "--set",       "commit.records=20"};
    words.insert(words.end(), more.begin(), more.end());
    words = telco_.command(words);
    for (std::string& word : words) {
      if (word.starts_with("kafka://"))
        word = "kafka://127.0.0.1:" + std::to_string(network_->port());
    }
    return telco_.place().start(words);
  }
  // `rows` of its own at `rate` a second.
  std::unique_ptr<integration::Process> start_producer(int rows, int rate, int seed) const {
    const std::string name = "rows" + std::to_string(seed) + ".ndjson";
    telco_.place().write(name, telco_.place().simulate(rows, {"--seed", std::to_string(seed)}));
    return telco_.start({"produce", "telco-churn", "--data", name, "--batch-size", "20", "--rate",
                         std::to_string(rate)});
  }
  // Outputs go on.
  bool moves_on() const {
    const std::size_t before = telco_.outputs();
    return eventually([&] { return telco_.outputs() > before; }, kPatience);
  }
  static std::unique_ptr<Proxy> proxy_of(const Cluster& cluster) {
    const ProxiedPorts ports = cluster.proxied().at(0);
    return std::make_unique<Proxy>(ports.advertised, ports.target);
  }
  static void wait(double seconds) {
    eventually([] { return false; }, seconds);
  }
  void expect_all_is_well(integration::Process& scorer) const {
    const std::size_t inputs = telco_.dump("in").size();
    EXPECT_TRUE(eventually([&] { return telco_.outputs() >= inputs; }, kPatience))
        << scorer.err_so_far();
    scorer.signal(SIGTERM);
    const Finished ended = scorer.wait(kPatience);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    telco_.expect_each_once();
  }

  const std::unique_ptr<Cluster> cluster_ = Cluster::start({.proxied = true});
  const std::unique_ptr<Proxy> network_ = proxy_of(*cluster_);
  const Telco telco_{cluster_->bootstrap()};
};

// Fault F21.
TEST_F(Network, DelaysStallsAndCutsRepeatAndLoseNothing) {
  telco_.create();
  const auto producer = start_producer(4'000, 200, 1);
  const auto scorer = start_scorer({});
  ASSERT_TRUE(moves_on()) << scorer->err_so_far();
  network_->delay(kLatency);
  wait(3);
  network_->delay(kNoLatency);
  for (const Direction direction : {Direction::kToClient, Direction::kToServer}) {
    network_->stall(direction);
    wait(2);
    network_->heal();
    wait(1);
  }
  for (int i = 0; i < 4; ++i) {
    network_->cut();
    wait(0.5);
  }
  network_->refuse();
  wait(3);
  network_->heal();
  EXPECT_EQ(producer->wait(kPatience).exit_code, 0);
  expect_all_is_well(*scorer);
}

// Fault F9: a commit is not heard of, and the coordinator gives the transaction up meanwhile.
TEST_F(Network, ACommitWhoseOutcomeIsUnknownIsLookedUp) {
  telco_.create();
  // The group is to outlast the silence.
  const auto scorer = start_scorer({"-X", "session.timeout.ms=60000"});
  const auto made_anew = [&] {
    return scorer->err_so_far().find("the writer is made anew") != std::string::npos;
  };
  // Silence between two commits changes nothing: one try of three or four meets none.
  for (int tried = 0; tried < 8 && !made_anew(); ++tried) {
    const auto producer = start_producer(2'000, 400, 10 + tried);
    ASSERT_TRUE(moves_on()) << scorer->err_so_far();
    network_->stall(Direction::kToServer);
    network_->stall(Direction::kToClient);
    wait(13);  // a transaction is aborted after ten seconds
    network_->cut();
    network_->heal();
    EXPECT_EQ(producer->wait(kPatience).exit_code, 0);
    eventually(made_anew, 10);
  }
  EXPECT_TRUE(made_anew()) << scorer->err_so_far();
  expect_all_is_well(*scorer);
}

}  // namespace
}  // namespace millrace::kafka_testing
