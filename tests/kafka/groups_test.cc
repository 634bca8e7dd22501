// Members of a group that come, go and stand still.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "integration/program.h"
#include "kafka/cluster.h"
#include "kafka/telco.h"

namespace millrace::kafka_testing {
namespace {

using integration::eventually;
using integration::Finished;

constexpr double kPatience = 120;

class Groups : public ::testing::Test {
 protected:
  std::vector<std::string> score(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"score", "telco-churn", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // A folder with the model, for a member that is another one.
  std::string home(const std::string& name) const {
    const std::filesystem::path folder = telco_.place().file(name);
    std::filesystem::create_directories(folder);
    std::filesystem::copy(telco_.place().file(".millrace") / "models", folder / "models",
                          std::filesystem::copy_options::recursive);
    return folder.string();
  }
  static void wait(double seconds) {
    eventually([] { return false; }, seconds);
  }
  // Ends with every input done once.
  Finished expect_all_is_well(integration::Process& scorer) const {
    const std::size_t inputs = telco_.dump("in").size();
    EXPECT_TRUE(eventually([&] { return telco_.outputs() >= inputs; }, kPatience))
        << scorer.err_so_far();
    scorer.signal(SIGTERM);
    Finished ended = scorer.wait(kPatience);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    telco_.expect_each_once();
    return ended;
  }

  const std::unique_ptr<Cluster> cluster_ = Cluster::shared();
  const Telco telco_{cluster_->bootstrap()};
};

// Fault F5.
TEST_F(Groups, MembersThatComeAndGoRepeatNothing) {
  telco_.create();
  telco_.produce(300);
  const std::vector<std::string> session = {"-X", "session.timeout.ms=3000"};
  const auto stays = telco_.start(score(session));
  ASSERT_TRUE(eventually([&] { return telco_.outputs() > 0; }, kPatience));
  const std::vector<std::string> homes = {home("a"), home("b"), home("c")};
  for (int round = 0; round < 6; ++round) {
    std::vector<std::string> words = session;
    words.insert(words.end(), {"--home", homes[static_cast<std::size_t>(round) % homes.size()]});
    const auto comes = telco_.start(score(words));
    telco_.produce(300, 100 + round);
    wait(1);
    comes->signal(round % 2 == 0 ? SIGTERM : SIGKILL);
    comes->wait(kPatience);
  }
  const Finished ended = expect_all_is_well(*stays);
  EXPECT_GE(ended.last_json()["rebalances"].get<int>(), 1) << ended.out;
}

// Fault F7.
TEST_F(Groups, AScorerThatStandsStillForAShortWhileKeepsItsPlace) {
  telco_.create();
  telco_.produce(3'000);
  const auto scorer =
      telco_.start(score({"-X", "session.timeout.ms=40000", "-X", "max.poll.interval.ms=40000",
                          "--set", "commit.records=50"}));
  ASSERT_TRUE(eventually([&] { return telco_.outputs() > 0; }, kPatience));
  for (int i = 0; i < 2; ++i) {
    scorer->signal(SIGSTOP);
    wait(3);
    scorer->signal(SIGCONT);
    telco_.produce(300, 7 + i);
  }
  const Finished ended = expect_all_is_well(*scorer);
  EXPECT_EQ(ended.last_json()["rebalances"].get<int>(), 0) << ended.err;
}

}  // namespace
}  // namespace millrace::kafka_testing
