#include "app/start_point.h"

#include <gtest/gtest.h>

#include "env/testing/manual_clock.h"
#include "log/testing/memory_log.h"

namespace millrace::app {
namespace {

constexpr Timestamp kNow(1'000'000'000);

TEST(StartPoint, WordsTimesSpansAndOffsets) {
  const auto parse = [](const std::string& text, Offsets offsets = Offsets::kTaken) {
    return parse_start_point("--to", text, kNow, offsets);
  };
  EXPECT_EQ(parse("earliest")->kind, StartPoint::Kind::kEarliest);
  EXPECT_EQ(parse("latest")->kind, StartPoint::Kind::kLatest);
  EXPECT_EQ(parse("17")->offset, Offset(17));
  EXPECT_EQ(parse("1970-01-01T00:00:01Z")->time, Timestamp(1000));
  EXPECT_EQ(parse("90s")->time, Timestamp(kNow.value() - 90'000));
  EXPECT_EQ(parse("2h")->time, Timestamp(kNow.value() - 7'200'000));
  for (const char* bad :
       {"", "-1", "s", "1w", "1.5h", "yesterday", "99999999999999999999", "99999999999999999d"}) {
    const auto refused = parse(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code(), ErrorCode::kUsage);
  }
  EXPECT_FALSE(parse("17", Offsets::kRefused));
}

TEST(StartPoint, IsAnOffsetOfEachPartition) {
  env::ManualClock clock;
  log::testing::MemoryLog log(clock);
  const TopicName topic("t");
  log::TopicConfig two;
  two.partitions = 2;
  ASSERT_TRUE(log.admin().create_topic(topic, two));
  const auto producer = log.open_producer({topic, ""});
  const auto handle = *(*producer)->open_topic(topic);
  for (const std::int64_t time : {100, 200, 300}) {
    log::NewRecord record;
    record.value = "v";
    record.timestamp = Timestamp(time);
    record.partition = PartitionId(1);
    ASSERT_TRUE((*producer)->append(handle, record));
  }
  ASSERT_TRUE((*producer)->commit(RowNumber(0)));
  const auto info = log.admin().describe_topic(topic);
  const auto at = [&](const std::string& text) {
    const auto start = parse_start_point("--from", text, kNow, Offsets::kTaken);
    return offsets_of(log.admin(), *info, *start).value().at(PartitionId(1));
  };
  EXPECT_EQ(at("earliest"), Offset(0));
  EXPECT_EQ(at("latest"), Offset(3));
  EXPECT_EQ(at("9"), Offset(9));
  EXPECT_EQ(at("1970-01-01T00:00:00.150Z"), Offset(1));
}

}  // namespace
}  // namespace millrace::app
