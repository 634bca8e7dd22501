// A checker that finds nothing would be worth nothing.
#include "kafka/chaos/oracle.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::kafka_testing {
namespace {

// Four rows of two keys; the last is broken.
const Given kGiven{1'000, {"a", "b", "a", "b"}, {false, false, false, true}};

Topics all_well() {
  Topics topics;
  topics.inputs = {{0, 0, 1'000, "a"}, {1, 0, 1'001, "b"}, {0, 1, 1'002, "a"}, {1, 1, 1'003, "b"}};
  topics.outputs = {{2, 0, 1'000, "a"}, {2, 1, 1'002, "a"}, {0, 0, 1'001, "b"}};
  topics.dead_letters = {{0, 0, 1'003, "b"}};
  return topics;
}

Verdict judged(const Topics& topics) { return judge(kGiven, 0, 4, topics); }

TEST(ChaosOracle, TakesWhatIsAllThere) {
  const Verdict verdict = judged(all_well());
  EXPECT_TRUE(verdict.good());
  EXPECT_EQ(verdict.inputs, 4u);
  EXPECT_EQ(verdict.outputs, 3u);
  EXPECT_EQ(verdict.dead_letters, 1u);
}

TEST(ChaosOracle, FindsWhatIsMissing) {
  Topics topics = all_well();
  topics.outputs.pop_back();
  EXPECT_EQ(judged(topics).missing, 1u);
  topics.inputs.pop_back();
  EXPECT_EQ(judged(topics).missing, 2u);
}

TEST(ChaosOracle, FindsWhatIsThereTwice) {
  Topics topics = all_well();
  topics.outputs.push_back({2, 2, 1'002, "a"});
  EXPECT_EQ(judged(topics).twice, 1u);
  topics.inputs.push_back({1, 2, 1'003, "b"});
  EXPECT_EQ(judged(topics).twice, 2u);
}

TEST(ChaosOracle, FindsAnOutputThatIsADeadLetterToo) {
  Topics topics = all_well();
  topics.dead_letters.push_back({0, 1, 1'001, "b"});
  EXPECT_EQ(judged(topics).twice, 1u);
  EXPECT_EQ(judged(topics).wrong, 1u);
}

TEST(ChaosOracle, FindsWhatIsOutOfOrder) {
  Topics topics = all_well();
  std::swap(topics.outputs[0].offset, topics.outputs[1].offset);
  EXPECT_EQ(judged(topics).out_of_order, 1u);
}

TEST(ChaosOracle, FindsWhatNobodyGave) {
  Topics topics = all_well();
  topics.outputs.push_back({2, 2, 1'004, "a"});
  topics.outputs.push_back({2, 3, 1'001, "a"});
  EXPECT_EQ(judged(topics).wrong, 2u);
}

TEST(ChaosOracle, JudgesTheRowsOfOnePhase) {
  Topics topics = all_well();
  topics.outputs.erase(topics.outputs.begin());
  EXPECT_FALSE(judge(kGiven, 0, 2, topics).good());
  EXPECT_TRUE(judge(kGiven, 2, 4, topics).good());
}

}  // namespace
}  // namespace millrace::kafka_testing
