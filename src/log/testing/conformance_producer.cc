// Topics, producers and readers.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/hash.h"
#include "env/clock.h"
#include "log/testing/conformance.h"

namespace millrace::log::testing {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void link_producer_tests() {}

TEST_P(LogConformance, CreatingATopicAgainLeavesItAsItIs) {
  TopicConfig other;
  other.partitions = 9;
  const auto created = log().admin().create_topic(in_, other);
  ASSERT_TRUE(created.has_value());
  EXPECT_FALSE(*created);
  const auto info = log().admin().describe_topic(in_);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->partitions.size(), static_cast<std::size_t>(kPartitions));
}

TEST_P(LogConformance, TopicConfigIsKept) {
  TopicConfig config;
  config.partitions = 2;
  config.replication = log().capabilities().brokers ? 1 : 3;
  config.retention = Milliseconds(86'400'000);
  config.message_bytes_max = 4096;
  config.other["cleanup.policy"] = "compact";
  ASSERT_TRUE(log().admin().create_topic(topic("kept"), config).has_value());
  reopen();
  const auto info = log().admin().describe_topic(topic("kept"));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->config.partitions, 2);
  EXPECT_EQ(info->config.replication, config.replication);
  EXPECT_EQ(info->config.retention, Milliseconds(86'400'000));
  EXPECT_EQ(info->config.message_bytes_max, 4096U);
  EXPECT_EQ(info->config.other, config.other);
  if (!log().capabilities().brokers) {
    EXPECT_GT(info->created.value(), 0);
  }
}

TEST_P(LogConformance, IllegalTopicsAreRefused) {
  TopicConfig none;
  none.partitions = 0;
  const auto no_partition = log().admin().create_topic(topic("fresh"), none);
  ASSERT_FALSE(no_partition.has_value());
  EXPECT_EQ(no_partition.error().code(), ErrorCode::kConfig);
  for (const char* name : {"", ".", "..", "a b", "a/b"}) {
    const auto bad = log().admin().create_topic(TopicName(name), {});
    ASSERT_FALSE(bad.has_value()) << name;
    EXPECT_EQ(bad.error().code(), ErrorCode::kConfig) << name;
  }
}

TEST_P(LogConformance, UnknownTopicsAreNamedWithTheNearest) {
  create(topic("telco.raw.customers"), 1);
  const TopicName near = topic("telco.raw.custommers");
  const auto described = log().admin().describe_topic(near);
  ASSERT_FALSE(described.has_value());
  EXPECT_EQ(described.error().code(), ErrorCode::kUnknownTopic);
  EXPECT_THAT(described.error().message(),
              HasSubstr("'" + topic("telco.raw.customers").value() + "'"));
  const auto reader = log().open_reader({near, {}, {}, false});
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error().code(), ErrorCode::kUnknownTopic);
  const auto producer = log().open_producer({near, ""});
  ASSERT_FALSE(producer.has_value());
  EXPECT_EQ(producer.error().code(), ErrorCode::kUnknownTopic);
  ConsumerOptions wanted = options();
  wanted.topics = {near};
  const auto consumer = log().open_consumer(wanted);
  ASSERT_FALSE(consumer.has_value());
  EXPECT_EQ(consumer.error().code(), ErrorCode::kUnknownTopic);
  EXPECT_EQ(log().admin().delete_topic(near).error().code(), ErrorCode::kUnknownTopic);
}

TEST_P(LogConformance, RecordsComeBackByteForByte) {
  OwnedRecord full = text(std::string("v\0\xff\xfe", 4));
  full.key = std::string("k\0", 2);
  full.timestamp = 1'760'153'303'234;
  full.headers = {{"name", "value"}, {"null", std::nullopt}, {"", ""}, {"name", "again"}};
  OwnedRecord bare;
  bare.partition = 0;
  bare.timestamp = -5;
  OwnedRecord empty = text("");
  empty.key = "";
  empty.timestamp = std::numeric_limits<std::int64_t>::max();
  produce(in_, {full, bare, empty});
  reopen();
  const auto records = read_all(in_);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].key, full.key);
  EXPECT_EQ(records[0].value, full.value);
  EXPECT_EQ(records[0].headers, full.headers);
  EXPECT_EQ(records[0].timestamp, full.timestamp);
  EXPECT_EQ(records[1].key, std::nullopt);
  EXPECT_EQ(records[1].value, std::nullopt);
  EXPECT_THAT(records[1].headers, IsEmpty());
  // Kafka knows no time before 1970.
  EXPECT_EQ(records[1].timestamp, log().capabilities().brokers ? 1 : -5);
  EXPECT_EQ(records[2].key, "");
  EXPECT_EQ(records[2].value, "");
  EXPECT_EQ(records[2].timestamp, empty.timestamp);
}

TEST_P(LogConformance, ValuesHavePaddingBehindThem) {
  produce(in_, {text("x")});
  auto reader = log().open_reader({in_, {}, {}, false});
  ASSERT_TRUE(reader.has_value());
  auto batch = (*reader)->next(soon());
  ASSERT_TRUE(batch.has_value() && batch->has_value());
  const std::string_view value = *(*batch)->records.at(0).value;
  int sum = 0;  // an address sanitizer sees a read beyond
  for (std::size_t i = 0; i < kArenaPadding; ++i) sum += value.data()[value.size() + i] != 0;
  EXPECT_GE(sum, 0);
}

TEST_P(LogConformance, KeysChoosePartitionsAsKafkaDoes) {
  std::vector<OwnedRecord> keyed;
  for (int i = 0; i < 40; ++i) {
    OwnedRecord record = text("v");
    record.key = "customer-" + std::to_string(i);
    record.partition.reset();
    keyed.push_back(record);
  }
  produce(in_, keyed);
  const auto records = read_all(in_);
  ASSERT_EQ(records.size(), keyed.size());
  for (const OwnedRecord& record : records) {
    EXPECT_EQ(record.partition, partition_for_key(*record.key, kPartitions));
  }
}

TEST_P(LogConformance, RecordsWithoutKeyTakePartitionsInTurn) {
  std::vector<OwnedRecord> keyless(8, text("v"));
  for (OwnedRecord& record : keyless) record.partition.reset();
  produce(in_, keyless);
  const auto info = log().admin().describe_topic(in_);
  ASSERT_TRUE(info.has_value());
  for (const PartitionInfo& partition : info->partitions) EXPECT_GE(partition.end, Offset(2));
}

TEST_P(LogConformance, APartitionThatIsNotThereIsRefused) {
  auto producer = log().open_producer({in_, ""});
  ASSERT_TRUE(producer.has_value());
  const auto handle = (*producer)->open_topic(in_);
  EXPECT_FALSE(append(**producer, *handle, text("v", kPartitions)).has_value());
  EXPECT_FALSE(append(**producer, *handle, text("v", -1)).has_value());
}

TEST_P(LogConformance, RecordsAboveTheTopicsLimitAreRefusedAndTheRestStands) {
  TopicConfig config;
  config.message_bytes_max = 100;
  const TopicName small = topic("small");
  ASSERT_TRUE(log().admin().create_topic(small, config).has_value());
  auto producer = log().open_producer({small, ""});
  ASSERT_TRUE(producer.has_value());
  const auto handle = (*producer)->open_topic(small);
  ASSERT_TRUE(append(**producer, *handle, text(std::string(100, 'a'))).has_value());
  const Status large = append(**producer, *handle, text(std::string(101, 'b')));
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code(), ErrorCode::kRecordTooLarge);
  OwnedRecord headers = text(std::string(90, 'c'));
  headers.headers = {{"12345", "67890"}, {"x", std::nullopt}};
  const Status with_headers = append(**producer, *handle, headers);
  ASSERT_FALSE(with_headers.has_value());
  EXPECT_EQ(with_headers.error().code(), ErrorCode::kRecordTooLarge);
  ASSERT_TRUE((*producer)->commit(RowNumber(0)).has_value());
  EXPECT_THAT(values_of(small), ElementsAre(std::string(100, 'a')));
}

TEST_P(LogConformance, LargeRecordsPassWhereTheTopicAllowsThem) {
  TopicConfig config;
  config.message_bytes_max = std::size_t{8} << 20;
  const TopicName large = topic("large");
  ASSERT_TRUE(log().admin().create_topic(large, config).has_value());
  const std::string big(std::size_t{3} << 20, 'x');
  produce(large, {text("a"), text(big), text("b")});
  EXPECT_THAT(values_of(large), ElementsAre("a", big, "b"));
}

TEST_P(LogConformance, OffsetsFollowTheOrderOfAppends) {
  std::vector<OwnedRecord> first;
  for (int i = 0; i < 100; ++i) first.push_back(text(std::to_string(i)));
  produce(in_, first);
  produce(in_, {text("100"), text("other", 1)});
  const auto records = read_all(in_);
  ASSERT_EQ(records.size(), 102U);
  for (int i = 0; i <= 100; ++i) {
    EXPECT_EQ(records[static_cast<std::size_t>(i)].value, std::to_string(i));
    if (log().capabilities().dense_offsets) {
      EXPECT_EQ(records[static_cast<std::size_t>(i)].offset, i);
    }
    if (i > 0) {
      EXPECT_GT(records[static_cast<std::size_t>(i)].offset,
                records[static_cast<std::size_t>(i - 1)].offset);
    }
  }
  EXPECT_EQ(records.back().partition, 1);
  EXPECT_EQ(records.back().offset, 0);
}

TEST_P(LogConformance, WhatIsNotCommittedIsNotSeen) {
  {
    auto producer = log().open_producer({in_, ""});
    ASSERT_TRUE(producer.has_value());
    const auto handle = (*producer)->open_topic(in_);
    ASSERT_TRUE(append(**producer, *handle, text("never")).has_value());
    EXPECT_THAT(values_of(in_), IsEmpty());
  }
  EXPECT_THAT(values_of(in_), IsEmpty());
}

TEST_P(LogConformance, AProducerKnowsWhereItStopped) {
  {
    auto producer = log().open_producer({in_, "file-1"});
    ASSERT_TRUE(producer.has_value());
    auto position = (*producer)->position();
    ASSERT_TRUE(position.has_value());
    EXPECT_FALSE(position->has_value());
    const auto handle = (*producer)->open_topic(in_);
    ASSERT_TRUE(append(**producer, *handle, text("row 0")).has_value());
    ASSERT_TRUE((*producer)->commit(RowNumber(1)).has_value());
    ASSERT_TRUE(append(**producer, *handle, text("row 1, lost")).has_value());
  }
  reopen();
  auto producer = log().open_producer({in_, "file-1"});
  ASSERT_TRUE(producer.has_value());
  auto position = (*producer)->position();
  ASSERT_TRUE(position.has_value() && position->has_value());
  EXPECT_EQ(**position, RowNumber(1));
  EXPECT_THAT(values_of(in_), ElementsAre("row 0"));
}

TEST_P(LogConformance, OneProducerAnIdAtATime) {
  auto first = log().open_producer({in_, "file-1"});
  ASSERT_TRUE(first.has_value());
  const auto second = log().open_producer({in_, "file-1"});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kLockHeld);
  EXPECT_TRUE(log().open_producer({in_, "file-2"}).has_value());
  first->reset();
  EXPECT_TRUE(log().open_producer({in_, "file-1"}).has_value());
}

TEST_P(LogConformance, AResumeIdIsForgottenWithItsTopic) {
  {
    auto producer = log().open_producer({in_, "file-1"});
    ASSERT_TRUE(producer.has_value());
    ASSERT_TRUE((*producer)->commit(RowNumber(7)).has_value());
  }
  ASSERT_TRUE(log().admin().delete_topic(in_).has_value());
  create(in_, kPartitions);
  auto producer = log().open_producer({in_, "file-1"});
  ASSERT_TRUE(producer.has_value());
  const auto position = (*producer)->position();
  ASSERT_TRUE(position.has_value());
  EXPECT_FALSE(position->has_value());
}

TEST_P(LogConformance, OneCommitCoversSeveralTopics) {
  auto producer = log().open_producer({in_, ""});
  ASSERT_TRUE(producer.has_value());
  const auto in = (*producer)->open_topic(in_);
  const auto out = (*producer)->open_topic(out_);
  ASSERT_TRUE(append(**producer, *in, text("i")).has_value());
  ASSERT_TRUE(append(**producer, *out, text("o", 3)).has_value());
  ASSERT_TRUE((*producer)->commit(RowNumber(0)).has_value());
  EXPECT_THAT(values_of(in_), ElementsAre("i"));
  EXPECT_THAT(values_of(out_), ElementsAre("o"));
}

TEST_P(LogConformance, DeletedTopicsLoseTheirRecordsAndTheirIncarnation) {
  produce(in_, {text("old")});
  const auto before = log().admin().describe_topic(in_);
  ASSERT_TRUE(before.has_value());
  ASSERT_TRUE(log().admin().delete_topic(in_).has_value());
  EXPECT_FALSE(log().admin().describe_topic(in_).has_value());
  create(in_, 2);
  const auto after = log().admin().describe_topic(in_);
  ASSERT_TRUE(after.has_value());
  if (!log().capabilities().brokers) {
    EXPECT_NE(before->incarnation, after->incarnation);
  }
  EXPECT_EQ(after->partitions.size(), 2U);
  EXPECT_THAT(values_of(in_), IsEmpty());
}

TEST_P(LogConformance, TrimmedRecordsCanNoLongerBeRead) {
  produce(in_, {text("0"), text("1")});
  produce(in_, {text("2"), text("3"), text("other", 1)});
  const TopicPartition source{in_, PartitionId(0)};
  const Offset three = offsets_of(in_).at(3);
  ASSERT_TRUE(log().admin().trim(source, three).has_value());
  EXPECT_THAT(values_of(in_), ElementsAre("3", "other"));
  auto info = log().admin().describe_topic(in_);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->partitions[0].begin, three);
  EXPECT_GT(info->partitions[0].end, three);
  // Backwards does nothing, beyond the end takes all.
  ASSERT_TRUE(log().admin().trim(source, Offset(1)).has_value());
  EXPECT_THAT(values_of(in_), ElementsAre("3", "other"));
  ASSERT_TRUE(log().admin().trim(source, Offset(100)).has_value());
  EXPECT_THAT(values_of(in_), ElementsAre("other"));
  produce(in_, {text("4")});
  const auto records = read_all(in_);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].value, "4");
  EXPECT_GT(records[0].offset, three.value());
}

TEST_P(LogConformance, AReaderStartsWhereItIsTold) {
  produce(in_, {text("0"), text("1"), text("2"), text("p1", 1), text("p2", 2)});
  auto reader = log().open_reader(
      {in_, {PartitionId(0), PartitionId(2)}, {{PartitionId(0), Offset(1)}}, false});
  ASSERT_TRUE(reader.has_value());
  std::vector<std::string> values;
  while (true) {
    auto batch = (*reader)->next(soon());
    ASSERT_TRUE(batch.has_value());
    if (!*batch) break;
    for (const Record& record : (*batch)->records) values.emplace_back(*record.value);
  }
  EXPECT_THAT(values, ElementsAre("1", "2", "p2"));
  EXPECT_TRUE((*reader)->at_end());
  EXPECT_FALSE(log().open_reader({in_, {PartitionId(kPartitions)}, {}, false}).has_value());
}

TEST_P(LogConformance, AReaderEndsWhereTheTopicEndedWhenItWasOpened) {
  produce(in_, {text("0")});
  auto reader = log().open_reader({in_, {}, {}, false});
  ASSERT_TRUE(reader.has_value());
  produce(in_, {text("1")});
  auto batch = (*reader)->next(soon());
  ASSERT_TRUE(batch.has_value() && batch->has_value());
  EXPECT_EQ((*batch)->records.size(), 1U);
  batch = (*reader)->next(soon());
  ASSERT_TRUE(batch.has_value());
  EXPECT_FALSE(batch->has_value());
  EXPECT_TRUE((*reader)->at_end());
}

TEST_P(LogConformance, AFollowingReaderSeesWhatComesLater) {
  auto reader = log().open_reader({in_, {}, {}, /*follow=*/true});
  ASSERT_TRUE(reader.has_value());
  auto batch = (*reader)->next(env::real_clock().steady());
  ASSERT_TRUE(batch.has_value());
  EXPECT_FALSE(batch->has_value());
  produce(in_, {text("later", 2)});
  batch = (*reader)->next(soon());
  ASSERT_TRUE(batch.has_value() && batch->has_value());
  EXPECT_EQ((*batch)->records.at(0).value, "later");
  EXPECT_GT((*batch)->next, (*batch)->records.back().offset);
}

}  // namespace millrace::log::testing
