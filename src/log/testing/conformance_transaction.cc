// Outputs and positions become visible together, or never.
#include <gmock/gmock.h>

#include <algorithm>

#include "env/clock.h"
#include "log/testing/conformance.h"

namespace millrace::log::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void link_transaction_tests() {}

TEST_P(LogConformance, ACommitShowsOutputsAndPositionTogether) {
  produce(in_, {text("0"), text("1")});
  {
    Client client(log(), options());
    ASSERT_TRUE(client.poll_records(2));
    const auto out = client->transaction().open_topic(out_);
    ASSERT_TRUE(out.has_value());
    ASSERT_TRUE(append(client->transaction(), *out, text("scored", 2)).has_value());
    EXPECT_THAT(values_of(out_), IsEmpty());
    ASSERT_TRUE(client.poll_caught_up({in_, PartitionId(0)}));
    EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
    EXPECT_THAT(values_of(out_), ElementsAre("scored"));
  }
  reopen();
  EXPECT_THAT(values_of(out_), ElementsAre("scored"));
  const auto info = log().admin().describe_group(group("group"));
  ASSERT_TRUE(info.has_value());
  ASSERT_EQ(info->positions.size(), static_cast<std::size_t>(kPartitions));
  EXPECT_EQ(info->positions[0].committed, end_of(in_));
  EXPECT_EQ(info->positions[0].consumer_lag(), 0);
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  EXPECT_EQ(client.assigned.at(0).position, end_of(in_));
  client.poll_once();
  EXPECT_THAT(client.values(), IsEmpty());
}

TEST_P(LogConformance, WithoutACommitNothingHappened) {
  produce(in_, {text("0")});
  {
    Client client(log(), options());
    ASSERT_TRUE(client.poll_records(1));
    const auto out = client->transaction().open_topic(out_);
    ASSERT_TRUE(append(client->transaction(), *out, text("never")).has_value());
  }
  EXPECT_THAT(values_of(out_), IsEmpty());
  Client client(log(), options());
  EXPECT_TRUE(client.poll_records(1));
}

TEST_P(LogConformance, AbortDropsOutputsAndGoesBackToTheCommittedPosition) {
  produce(in_, {text("0"), text("1"), text("2")});
  ConsumerOptions single = options();
  single.batch_records_max = 1;
  Client client(log(), single);
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  ASSERT_TRUE(client.poll_records(3));
  const auto out = client->transaction().open_topic(out_);
  ASSERT_TRUE(append(client->transaction(), *out, text("dropped")).has_value());
  ASSERT_TRUE(client->transaction().abort().has_value());
  ASSERT_TRUE(client.poll_records(5));
  EXPECT_THAT(client.values(), ElementsAre("0", "1", "2", "1", "2"));
  ASSERT_TRUE(append(client->transaction(), *out, text("kept")).has_value());
  EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  EXPECT_THAT(values_of(out_), ElementsAre("kept"));
}

TEST_P(LogConformance, OutputsMayBeCommittedWithoutPositionsAndTheOtherWayRound) {
  produce(in_, {text("0")});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(1));
  const auto out = client->transaction().open_topic(out_);
  ASSERT_TRUE(append(client->transaction(), *out, text("alone")).has_value());
  EXPECT_EQ(client.commit({}).result, CommitResult::kCommitted);
  EXPECT_THAT(values_of(out_), ElementsAre("alone"));
  EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  EXPECT_EQ(client.commit({}).result, CommitResult::kCommitted);
  const auto info = log().admin().describe_group(group("group"));
  ASSERT_TRUE(info.has_value());
  EXPECT_GT(info->positions[0].committed, Offset(0));
}

TEST_P(LogConformance, AConsumerMayWriteToTheTopicItReads) {
  produce(in_, {text("0")});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(1));
  const auto back = client->transaction().open_topic(in_);
  ASSERT_TRUE(append(client->transaction(), *back, text("echo")).has_value());
  EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  ASSERT_TRUE(client.poll_records(2));
  EXPECT_THAT(client.values(), ElementsAre("0", "echo"));
}

TEST_P(LogConformance, AtLeastOnceCommitsOutputsAndPositionsToo) {
  produce(in_, {text("0")});
  ConsumerOptions at_least_once = options();
  at_least_once.exactly_once = false;
  {
    Client client(log(), at_least_once);
    ASSERT_TRUE(client.poll_records(1));
    const auto out = client->transaction().open_topic(out_);
    ASSERT_TRUE(append(client->transaction(), *out, text("scored")).has_value());
    EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  }
  EXPECT_THAT(values_of(out_), ElementsAre("scored"));
  Client client(log(), at_least_once);
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  client.poll_once();
  EXPECT_THAT(client.values(), IsEmpty());
}

TEST_P(LogConformance, ARefusedRecordLeavesTheTransactionGoing) {
  TopicConfig config;
  config.message_bytes_max = 10;
  const TopicName small = topic("small");
  ASSERT_TRUE(log().admin().create_topic(small, config).has_value());
  produce(in_, {text("0")});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(1));
  const auto handle = client->transaction().open_topic(small);
  ASSERT_TRUE(append(client->transaction(), *handle, text("first")).has_value());
  const Status large = append(client->transaction(), *handle, text("far too large"));
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().disposition(), Disposition::kSkipRecord);
  ASSERT_TRUE(append(client->transaction(), *handle, text("second")).has_value());
  EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  EXPECT_THAT(values_of(small), ElementsAre("first", "second"));
}

TEST_P(LogConformance, OutputTopicsMustExist) {
  Client client(log(), options());
  const auto missing = client->transaction().open_topic(topic("nowhere"));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), ErrorCode::kUnknownTopic);
}

}  // namespace millrace::log::testing
