// One consumer: what it is handed out and when.
#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <set>
#include <thread>

#include "env/clock.h"
#include "env/stop.h"
#include "log/testing/conformance.h"

namespace millrace::log::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void link_consumer_tests() {}

TEST_P(LogConformance, AConsumerIsAssignedAllPartitionsWithTheirEnds) {
  produce(in_, {text("0"), text("1"), text("2", 3)});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  ASSERT_EQ(client.assigned.size(), static_cast<std::size_t>(kPartitions));
  for (const auto& partition : client.assigned) {
    EXPECT_EQ(partition.position, Offset(0));
    const std::int32_t number = partition.source.partition.value();
    EXPECT_EQ(partition.end, end_of(in_, number));
    EXPECT_EQ(partition.end > partition.position, number == 0 || number == 3);
  }
}

TEST_P(LogConformance, EveryRecordIsHandedOutOnceAndInOrder) {
  std::vector<OwnedRecord> records;
  for (int i = 0; i < 1000; ++i) records.push_back(text(std::to_string(i), i % 3));
  produce(in_, records);
  ConsumerOptions small = options();
  small.batch_records_max = 7;
  Client client(log(), small);
  ASSERT_TRUE(client.poll_records(1000));
  client.poll_once();
  ASSERT_EQ(client.records.size(), 1000U);
  std::map<std::int32_t, std::int64_t> next;
  std::set<std::string> seen;
  for (const OwnedRecord& record : client.records) {
    // Gaps are allowed: what a commit itself takes is one.
    EXPECT_GE(record.offset, next[*record.partition]);
    next[*record.partition] = record.offset + 1;
    EXPECT_EQ(*record.partition, std::stoi(*record.value) % 3);
    seen.insert(*record.value);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST_P(LogConformance, BatchesKeepToTheLimits) {
  std::vector<OwnedRecord> records;
  for (int i = 0; i < 50; ++i) records.push_back(text(std::string(1000, 'x')));
  produce(in_, records);
  ConsumerOptions limited = options();
  limited.batch_records_max = 20;
  limited.batch_bytes_max = 5'000;
  auto consumer = log().open_consumer(limited);
  ASSERT_TRUE(consumer.has_value());
  std::size_t seen = 0;
  while (seen < 50) {
    auto event = (*consumer)->poll(soon());
    ASSERT_TRUE(event.has_value());
    const auto* batch = std::get_if<Batch>(&*event);
    if (batch == nullptr) continue;
    EXPECT_LE(batch->records.size(), 20U);
    EXPECT_LE(batch->bytes, 5'000U);
    EXPECT_EQ(batch->bytes, 1000 * batch->records.size());
    seen += batch->records.size();
  }
  EXPECT_EQ(seen, 50U);
}

TEST_P(LogConformance, ARecordLargerThanTheBatchLimitStillComes) {
  produce(in_, {text(std::string(10'000, 'x')), text("after")});
  ConsumerOptions limited = options();
  limited.batch_bytes_max = 100;
  Client client(log(), limited);
  EXPECT_TRUE(client.poll_records(2));
}

TEST_P(LogConformance, SmallCommitsAreMergedIntoOneBatch) {
  for (int i = 0; i < 5; ++i) produce(in_, {text(std::to_string(i))});
  ASSERT_GE(end_of(in_), Offset(5));
  auto consumer = log().open_consumer(options());
  ASSERT_TRUE(consumer.has_value());
  std::optional<Batch> batch;
  while (!batch) {
    auto event = (*consumer)->poll(soon());
    ASSERT_TRUE(event.has_value() && !std::holds_alternative<Nothing>(*event));
    if (auto* got = std::get_if<Batch>(&*event)) batch = std::move(*got);
  }
  // Brokers hand out what they have at hand.
  if (!log().capabilities().brokers) {
    EXPECT_EQ(batch->records.size(), 5U);
  }
  EXPECT_GT(batch->next, batch->records.back().offset);
  EXPECT_LE(batch->next, end_of(in_));
}

TEST_P(LogConformance, CaughtUpIsToldOfEachPartition) {
  produce(in_, {text("0", 1)});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  EXPECT_TRUE(client->caught_up({in_, PartitionId(0)}));
  EXPECT_FALSE(client->caught_up({in_, PartitionId(1)}));
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_TRUE(client.poll_caught_up({in_, PartitionId(1)}));
  EXPECT_FALSE(client->caught_up({out_, PartitionId(0)}));
}

TEST_P(LogConformance, PausedPartitionsHandOutNothing) {
  produce(in_, {text("0", 0), text("1", 1)});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  ASSERT_TRUE(client->pause({in_, PartitionId(0)}).has_value());
  ASSERT_TRUE(client.poll_records(1));
  client.poll_once();
  EXPECT_THAT(client.values(), ElementsAre("1"));
  EXPECT_FALSE(client->caught_up({in_, PartitionId(0)}));
  ASSERT_TRUE(client->resume({in_, PartitionId(0)}).has_value());
  ASSERT_TRUE(client.poll_records(2));
  EXPECT_THAT(client.values(), ElementsAre("1", "0"));
}

TEST_P(LogConformance, SeekGoesAnywhereInThePartition) {
  produce(in_, {text("0"), text("1"), text("2")});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(3));
  ASSERT_TRUE(client->seek({in_, PartitionId(0)}, Offset(client.records[1].offset)).has_value());
  ASSERT_TRUE(client.poll_records(5));
  EXPECT_THAT(client.values(), ElementsAre("0", "1", "2", "1", "2"));
  EXPECT_FALSE(client->seek({out_, PartitionId(0)}, Offset(0)).has_value());
}

TEST_P(LogConformance, EndOffsetsCountWhatIsCommitted) {
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  produce(in_, {text("0", 2), text("1", 2)});
  const Offset end = end_of(in_, 2);  // what was acknowledged is seen from here on
  const auto ends = client->end_offsets();
  ASSERT_TRUE(ends.has_value());
  ASSERT_EQ(ends->size(), static_cast<std::size_t>(kPartitions));
  EXPECT_EQ(ends->at({in_, PartitionId(2)}), end);
  EXPECT_GE(ends->at({in_, PartitionId(2)}), Offset(2));
  EXPECT_EQ(ends->at({in_, PartitionId(0)}), Offset(0));
}

TEST_P(LogConformance, OffsetsForTimeAreOfTheFirstRecordNotEarlier) {
  std::vector<OwnedRecord> records;
  for (const std::int64_t time : {100, 300, 200, 400}) {
    OwnedRecord record = text("v");
    record.timestamp = time;
    records.push_back(record);
  }
  produce(in_, records);
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  const TopicPartition source{in_, PartitionId(0)};
  const std::vector<Offset> at = offsets_of(in_);  // four records and the end
  ASSERT_EQ(at.size(), 5U);
  for (const auto& [time, record] : std::vector<std::pair<int, std::size_t>>{
           {0, 0}, {100, 0}, {101, 1}, {250, 1}, {300, 1}, {301, 3}}) {
    const auto offsets = client->offsets_for_time(Timestamp(time));
    ASSERT_TRUE(offsets.has_value());
    EXPECT_EQ(offsets->at(source), at[record]) << time;
    EXPECT_EQ(offsets->at({in_, PartitionId(1)}), Offset(0));
  }
  const auto behind = client->offsets_for_time(Timestamp(401));
  ASSERT_TRUE(behind.has_value());
  EXPECT_GT(behind->at(source), at[3]);
  EXPECT_LE(behind->at(source), at[4]);
}

TEST_P(LogConformance, OffsetsForTimeNeedNoConsumer) {
  std::vector<OwnedRecord> records;
  for (const std::int64_t time : {100, 300, 200, 400}) {
    OwnedRecord record = text("v");
    record.timestamp = time;
    records.push_back(record);
  }
  produce(in_, records);
  records = read_all(in_);
  ASSERT_THAT(records, ::testing::SizeIs(4));
  const auto info = log().admin().describe_topic(in_);
  ASSERT_TRUE(info.has_value());
  const auto offset_at = [&](std::size_t i) { return Offset(records[i].offset); };
  for (const auto& [time, offset] : std::vector<std::pair<int, Offset>>{
           {0, offset_at(0)}, {101, offset_at(1)}, {300, offset_at(1)}, {301, offset_at(3)}}) {
    const auto offsets = log().admin().offsets_for_time(in_, Timestamp(time));
    ASSERT_TRUE(offsets.has_value());
    EXPECT_EQ(offsets->size(), static_cast<std::size_t>(kPartitions));
    EXPECT_EQ(offsets->at(PartitionId(0)), offset) << time;
    EXPECT_EQ(offsets->at(PartitionId(1)), info->partitions.at(1).end);
  }
  const auto behind = log().admin().offsets_for_time(in_, Timestamp(401));
  ASSERT_TRUE(behind.has_value());
  EXPECT_GT(behind->at(PartitionId(0)), offset_at(3));
  EXPECT_LE(behind->at(PartitionId(0)), info->partitions.at(0).end);
  const auto unknown = log().admin().offsets_for_time(topic("nowhere"), Timestamp(0));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kUnknownTopic);
}

TEST_P(LogConformance, ANewGroupMayStartAtTheLatest) {
  produce(in_, {text("old")});
  ConsumerOptions latest = options();
  latest.start = StartAt::kLatest;
  {
    Client client(log(), latest);
    ASSERT_TRUE(client.poll_assigned(kPartitions));
    EXPECT_EQ(client.assigned.at(0).position, end_of(in_));
    produce(in_, {text("new")});
  }
  // It ended before it had committed anything; what came meanwhile is not skipped.
  Client client(log(), latest);
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_THAT(client.values(), ElementsAre("new"));
}

TEST_P(LogConformance, ANewGroupMayStartAtATime) {
  OwnedRecord before = text("before");
  before.timestamp = 100;
  OwnedRecord after = text("after");
  after.timestamp = 200;
  produce(in_, {before, after});
  ConsumerOptions at_time = options();
  at_time.start = StartAt::kTime;
  at_time.start_time = Timestamp(150);
  Client client(log(), at_time);
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_THAT(client.values(), ElementsAre("after"));
}

TEST_P(LogConformance, ACommittedPositionCountsMoreThanTheStart) {
  produce(in_, {text("0"), text("1")});
  {
    Client client(log(), options());
    ASSERT_TRUE(client.poll_records(2));
    const Offset second(client.records[1].offset);
    EXPECT_EQ(client.commit({{{in_, PartitionId(0)}, second}}).result, CommitResult::kCommitted);
  }
  ConsumerOptions latest = options();
  latest.start = StartAt::kLatest;
  Client client(log(), latest);
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_THAT(client.values(), ElementsAre("1"));
}

TEST_P(LogConformance, AnIdlePollEndsAtItsDeadline) {
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  const auto event = client->poll(env::real_clock().steady() + Milliseconds(30));
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(std::holds_alternative<Nothing>(*event));
}

TEST_P(LogConformance, InterruptEndsThePollInProgressOrTheNext) {
  produce(in_, {text("0")});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  client->interrupt();
  auto event = client->poll(soon());
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(std::holds_alternative<Nothing>(*event));
  ASSERT_TRUE(client.poll_records(1));
  std::thread other([&] { client->interrupt(); });
  event = client->poll(SteadyTime::max());
  other.join();
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(std::holds_alternative<Nothing>(*event));
}

TEST_P(LogConformance, AReadableDescriptorEndsAnIdlePoll) {
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  env::StopToken stop;
  client->wake_on(stop.descriptor());
  std::thread other([&] { stop.request(); });
  const auto event = client->poll(SteadyTime::max());
  other.join();
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(std::holds_alternative<Nothing>(*event));
}

TEST_P(LogConformance, ACommitByAnotherWakesAnIdlePoll) {
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  std::thread other([&] { produce(in_, {text("0")}); });
  const auto event = client->poll(SteadyTime::max());
  other.join();
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(std::holds_alternative<Batch>(*event));
}

TEST_P(LogConformance, RecordsTrimmedBeforeTheyWereReadAreSkipped) {
  produce(in_, {text("0"), text("1"), text("2")});
  const TopicPartition source{in_, PartitionId(0)};
  ASSERT_TRUE(log().admin().trim(source, offsets_of(in_).at(2)).has_value());
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_THAT(client.values(), ElementsAre("2"));
  EXPECT_THAT(client.gaps, IsEmpty());  // a new group begins at the oldest record there is
}

TEST_P(LogConformance, RecordsTrimmedBehindACommittedPositionAreToldAsAGap) {
  produce(in_, {text("0"), text("1"), text("2"), text("3")});
  const TopicPartition source{in_, PartitionId(0)};
  const std::vector<Offset> at = offsets_of(in_);
  {
    Client client(log(), options());
    ASSERT_TRUE(client.poll_records(4));
    EXPECT_EQ(client.commit({{source, at[1]}}).result, CommitResult::kCommitted);
  }
  ASSERT_TRUE(log().admin().trim(source, at[3]).has_value());
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_THAT(client.values(), ElementsAre("3"));
  ASSERT_EQ(client.gaps.size(), 1U);
  EXPECT_EQ(client.gaps[0].source, source);
  EXPECT_EQ(client.gaps[0].from, at[1]);
  EXPECT_EQ(client.gaps[0].to, at[3]);
}

TEST_P(LogConformance, ADeletedTopicIsAnErrorForWhoReadsIt) {
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  ASSERT_TRUE(log().admin().delete_topic(in_).has_value());
  EXPECT_FALSE(client.poll_until([] { return false; }));
  ASSERT_TRUE(client.error.has_value());
  EXPECT_EQ(client.error->code(), ErrorCode::kUnknownTopic);
}

}  // namespace millrace::log::testing
