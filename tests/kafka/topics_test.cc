// Topics that change under a scorer: records deleted unread, partitions added, the topic made anew,
// outputs that are missing or refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "integration/program.h"
#include "kafka/admin.h"
#include "kafka/cluster.h"
#include "kafka/telco.h"

namespace millrace::kafka_testing {
namespace {

using integration::eventually;
using integration::Finished;
using ::testing::HasSubstr;

constexpr double kPatience = 90;
const std::vector<std::string> kStream = {"score", "telco-churn", "--json"};
const std::vector<std::string> kWindow = {"score", "telco-churn", "--mode", "batch", "--json"};

class ChangingTopics : public ::testing::Test {
 protected:
  static constexpr int kPartitions = 3;

  void wait_for_outputs(std::size_t count, const integration::Process& scorer) const {
    EXPECT_TRUE(eventually([&] { return telco_.outputs() >= count; }, kPatience))
        << scorer.err_so_far();
  }
  static Finished stop(integration::Process& scorer) {
    scorer.signal(SIGTERM);
    Finished ended = scorer.wait(kPatience);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return ended;
  }
  // As retention does: all but the last `kept` offsets of each partition are gone.
  void delete_records(std::int64_t kept) const {
    for (int i = 0; i < kPartitions; ++i) {
      const std::int64_t end = admin_.end_of(telco_.topic("in"), i);
      admin_.delete_records(telco_.topic("in"), i, end - kept);
    }
  }
  using Place = std::pair<int, std::int64_t>;
  std::set<Place> places(const std::string& topic) const {
    std::set<Place> found;
    for (const json::Value& message : telco_.dump(topic))
      found.emplace(message["partition"].get<int>(), message["offset"].get<std::int64_t>());
    return found;
  }

  const std::unique_ptr<Cluster> cluster_ = Cluster::shared();
  const Admin admin_{cluster_->bootstrap()};
  const Telco telco_{cluster_->bootstrap()};
};

// Fault F10, while nobody read.
TEST_F(ChangingTopics, RecordsDeletedBeforeTheyWereReadAreCounted) {
  telco_.produce(300);
  const Finished first = telco_.run(kWindow);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  telco_.produce(1'500, 7);
  const std::size_t inputs = telco_.dump("in").size();
  const std::size_t before = telco_.outputs();
  delete_records(50);
  const std::size_t kept = telco_.dump("in").size();
  ASSERT_LT(kept, inputs);
  const Finished rest = telco_.run(kWindow);
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("were deleted before they were read (retention)"));
  const std::size_t scored = telco_.outputs() - before;
  EXPECT_EQ(scored, kept);
  // Counts the marks of commits too.
  const auto skipped = rest.last_json()["skipped_by_retention"].get<std::size_t>();
  EXPECT_GE(skipped + before + scored, inputs);
  EXPECT_LE(skipped + before + scored, inputs + 50);
}

// Fault F10, under a scorer that stands still and is overtaken.
TEST_F(ChangingTopics, AScorerOvertakenByRetentionGoesOnBehindTheGap) {
  telco_.create();
  telco_.produce(300);
  std::vector<std::string> patient = kStream;
  patient.insert(patient.end(), {"-X", "session.timeout.ms=60000"});
  const auto scorer = telco_.start(patient);
  wait_for_outputs(telco_.dump("in").size(), *scorer);
  const std::size_t before = telco_.outputs();
  scorer->signal(SIGSTOP);
  telco_.produce(1'500, 7);
  telco_.produce(300, 8);  // not in the answer to the request that is under way
  delete_records(20);
  scorer->signal(SIGCONT);
  telco_.produce(200, 9);
  const std::size_t kept = telco_.dump("in").size();
  wait_for_outputs(before + kept, *scorer);
  const Finished ended = stop(*scorer);
  const auto skipped = ended.last_json()["skipped_by_retention"].get<std::size_t>();
  EXPECT_THAT(ended.err, HasSubstr("were deleted before they were read (retention)"));
  EXPECT_GT(skipped, 0u);
  // What was skipped or scored is all there was.
  EXPECT_GE(telco_.outputs() + skipped, before + 1'900u) << ended.err;
}

// Fault F11.
TEST_F(ChangingTopics, PartitionsAddedWhileAScorerRunsAreTakenUp) {
  telco_.create();
  telco_.produce(500);
  const auto scorer = telco_.start(kStream);
  wait_for_outputs(telco_.dump("in").size(), *scorer);
  admin_.add_partitions(telco_.topic("in"), kPartitions + 2);
  telco_.produce(1'000, 7);
  const std::vector<json::Value> inputs = telco_.dump("in");
  std::set<int> partitions;
  for (const json::Value& message : inputs) partitions.insert(message["partition"].get<int>());
  EXPECT_EQ(partitions.size(), kPartitions + 2u);
  wait_for_outputs(inputs.size(), *scorer);
  stop(*scorer);
  EXPECT_EQ(telco_.outputs(), inputs.size());
}

// Fault F11.
TEST_F(ChangingTopics, AnInputTopicMadeAnewEndsTheScorerAndNothingOfItIsLost) {
  telco_.create();
  telco_.produce(1'000);
  const auto scorer = telco_.start(kStream);
  wait_for_outputs(telco_.dump("in").size(), *scorer);
  const std::size_t before = telco_.outputs();
  admin_.delete_topic(telco_.topic("in"));
  // Until the brokers have forgotten the old one.
  ASSERT_TRUE(eventually(
      [&] {
        return telco_.run({"topics", "create", "telco-churn"}).exit_code == 0;
      },
      kPatience));
  telco_.produce(300, 7);
  ASSERT_TRUE(eventually([&] { return !scorer->running(); }, kPatience)) << scorer->err_so_far();
  const Finished ended = scorer->wait();
  EXPECT_EQ(ended.exit_code, 69) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr(telco_.topic("in")));
  const Finished again = telco_.run(kWindow);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(telco_.outputs(), before + telco_.dump("in").size());
}

// Fault F8.
TEST_F(ChangingTopics, AScorerWhoseOutputTopicIsDeletedEndsAndSkipsNothing) {
  telco_.create();
  telco_.produce(300);
  const auto scorer = telco_.start(kStream);
  wait_for_outputs(telco_.dump("in").size(), *scorer);
  const std::size_t dead_before = telco_.dump("dead").size();
  const std::size_t inputs_before = telco_.dump("in").size();
  admin_.delete_topic(telco_.topic("out"));
  telco_.produce(300, 7);
  ASSERT_TRUE(eventually([&] { return !scorer->running(); }, kPatience)) << scorer->err_so_far();
  const Finished ended = scorer->wait();
  EXPECT_EQ(ended.exit_code, 69) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("'" + telco_.topic("out") + "' was deleted"));
  // Told to make no topics it does not start without.
  const Finished without =
      telco_.run({"score", "telco-churn", "--mode", "batch", "--no-create-topics"});
  EXPECT_EQ(without.exit_code, 69);
  EXPECT_THAT(without.err, HasSubstr(telco_.topic("out")));
  const Finished again = telco_.run(kWindow);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(telco_.outputs(), dead_before + telco_.dump("in").size() - inputs_before);
}

// Fault F8.
TEST_F(ChangingTopics, OutputsAboveTheTopicsLimitAreDeadLetters) {
  // Some 60 bytes for a message.
  admin_.create_topic(telco_.topic("out"), kPartitions, {{"max.message.bytes", "1084"}});
  telco_.produce(500);
  const Finished window = telco_.run(kWindow);
  ASSERT_EQ(window.exit_code, 0) << window.err;
  EXPECT_TRUE(telco_.dump("out").empty());
  telco_.expect_each_once();
  EXPECT_THAT(window.out, HasSubstr("output_too_large"));
}

}  // namespace
}  // namespace millrace::kafka_testing
