#include "log/range_assignment.h"

#include <gtest/gtest.h>

namespace millrace::log {
namespace {

const TopicName kA("a");
const TopicName kB("b");

std::string who(const std::map<TopicPartition, std::string>& assignment, const TopicName& topic) {
  std::string text;
  for (const auto& [source, member] : assignment) {
    if (source.topic == topic) text += member;
  }
  return text;
}

TEST(RangeAssignment, CutsPartitionsIntoContiguousRanges) {
  const auto assignment = range_assignment({{"y", {kA}}, {"x", {kA}}, {"z", {kA}}}, {{kA, 8}});
  EXPECT_EQ(who(assignment, kA), "xxxyyyzz");
}

TEST(RangeAssignment, GivesNothingToMembersBeyondThePartitions) {
  EXPECT_EQ(who(range_assignment({{"x", {kA}}, {"y", {kA}}}, {{kA, 1}}), kA), "x");
}

TEST(RangeAssignment, KeepsEqualNumbersTogetherWhenCountsDiffer) {
  const auto assignment = range_assignment({{"x", {kA, kB}}, {"y", {kA, kB}}}, {{kA, 2}, {kB, 6}});
  EXPECT_EQ(who(assignment, kB), "xxxyyy");
  EXPECT_EQ(who(assignment, kA), "xx");
}

TEST(RangeAssignment, DealsTopicsOfOtherSubscribersApart) {
  const auto assignment = range_assignment({{"x", {kA, kB}}, {"y", {kA}}}, {{kA, 2}, {kB, 2}});
  EXPECT_EQ(who(assignment, kA), "xy");
  EXPECT_EQ(who(assignment, kB), "xx");
}

TEST(RangeAssignment, LeavesOutTopicsThatAreNotThere) {
  EXPECT_TRUE(range_assignment({{"x", {kB}}}, {{kA, 2}}).empty());
  EXPECT_TRUE(range_assignment({}, {{kA, 2}}).empty());
}

}  // namespace
}  // namespace millrace::log
