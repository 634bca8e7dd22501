#include "engine/dead_letter.h"

#include <gtest/gtest.h>

#include <map>

#include "json/json.h"

namespace millrace::engine {
namespace {

const log::TopicPartition kSource{TopicName("in"), PartitionId(2)};
const log::TopicPartition kQueue{TopicName("dead"), PartitionId(0)};

log::Record record_of(const log::NewRecord& written, std::int64_t offset) {
  log::Record record;
  record.offset = Offset(offset);
  record.timestamp = written.timestamp;
  record.key = written.key;
  record.value = written.value;
  record.headers = written.headers;
  return record;
}

log::Record bad_record(std::span<const log::Header> headers = {}) {
  log::Record record;
  record.offset = Offset(41);
  record.timestamp = Timestamp(1000);
  record.key = "k";
  record.value = "{\"tenure\":200}";
  record.headers = headers;
  return record;
}

const data::RecordErrors kErrors = {
    {data::RecordCode::kOutOfRange, "tenure", "200 is above the maximum 100"},
    {data::RecordCode::kUnknownValue, "Contract", "'Never' is no level"}};

TEST(DeadLetter, HeadersFormatKeepsBytesAndReadsBackWhole) {
  DeadLetterWriter writer(spec::DeadLetterFormat::kHeaders, GroupId("g"));
  const log::Header trace{"trace", "abc"};
  const log::Record bad = bad_record({&trace, 1});
  const log::NewRecord written = writer.compose(kSource, bad, kErrors, "decode", Timestamp(5000));
  EXPECT_EQ(written.key, bad.key);
  EXPECT_EQ(written.value, bad.value);
  const DeadLetter letter = read_dead_letter(kQueue, record_of(written, 7));
  EXPECT_EQ(letter.code, "out_of_range");
  EXPECT_EQ(letter.type, "validation_error");
  EXPECT_EQ(letter.message, "Field 'tenure': 200 is above the maximum 100");
  EXPECT_EQ(letter.details.size(), 2U);
  EXPECT_EQ(letter.source_topic, "in");
  EXPECT_EQ(letter.source_partition, 2);
  EXPECT_EQ(letter.source_offset, 41);
  EXPECT_EQ(letter.failed_at, "1970-01-01T00:00:05.000Z");
  EXPECT_EQ(letter.group, "g");
  EXPECT_EQ(letter.attempt, 1U);
  ASSERT_EQ(letter.original_headers.size(), 1U);
  EXPECT_EQ(letter.original_headers[0].first, "trace");
}

TEST(DeadLetter, AttemptGrowsWithAReplayAndItsHeadersAreReplaced) {
  DeadLetterWriter writer(spec::DeadLetterFormat::kHeaders, GroupId("g"));
  const std::vector<log::Header> replayed = {{kReplayAttemptHeader, "2"},
                                             {kReplaySourceHeader, "in/2/41"}};
  const log::Record bad = bad_record(replayed);
  const DeadLetter letter = read_dead_letter(
      kQueue, record_of(writer.compose(kSource, bad, kErrors, "decode", Timestamp(0)), 0));
  EXPECT_EQ(letter.attempt, 3U);
  EXPECT_TRUE(letter.original_headers.empty());
}

TEST(DeadLetter, EnvelopeHasTheReferencesFieldsAndKeepsAnyBytes) {
  DeadLetterWriter writer(spec::DeadLetterFormat::kEnvelope, GroupId("g"));
  log::Record bad = bad_record();
  const std::string bytes = "\xff\xfe broken";
  bad.value = bytes;
  const log::NewRecord written = writer.compose(kSource, bad, kErrors, "decode", Timestamp(5000));
  const auto object = json::parse(*written.value, "envelope");
  ASSERT_TRUE(object);
  for (const char* field : {"original_message", "error_type", "error_message", "source_topic",
                            "failed_ts", "consumer_group"}) {
    EXPECT_TRUE(object->contains(field)) << field;
  }
  EXPECT_FALSE(object->contains("retry_count"));
  const DeadLetter letter = read_dead_letter(kQueue, record_of(written, 0));
  EXPECT_EQ(letter.value, bytes);
  EXPECT_EQ(letter.code, "out_of_range");
  EXPECT_EQ(letter.source_offset, 41);
}

TEST(DeadLetter, CutFitsTheLimitAndSaysSo) {
  DeadLetterWriter writer(spec::DeadLetterFormat::kHeaders, GroupId("g"));
  log::Record bad = bad_record();
  const std::string big(100'000, 'x');
  bad.value = big;
  writer.compose(kSource, bad, kErrors, "decode", Timestamp(0));
  const log::NewRecord cut = writer.cut(10'000);
  std::size_t bytes = cut.key->size() + cut.value->size();
  for (const log::Header& header : cut.headers) bytes += header.name.size() + header.value->size();
  EXPECT_LE(bytes, 10'000U);
  EXPECT_GT(cut.value->size(), 5'000U);
  EXPECT_TRUE(read_dead_letter(kQueue, record_of(cut, 0)).truncated);
}

// A record with no value must come back as one, not as the envelope around it.
TEST(DeadLetter, EnvelopeOfATombstoneReadsBackAsOne) {
  DeadLetterWriter writer(spec::DeadLetterFormat::kEnvelope, GroupId("g"));
  log::Record tombstone = bad_record();
  tombstone.key.reset();
  tombstone.value.reset();
  const log::NewRecord written =
      writer.compose(kSource, tombstone, kErrors, "decode", Timestamp(0));
  EXPECT_EQ(written.key, "UNKNOWN");
  const DeadLetter letter = read_dead_letter(kQueue, record_of(written, 0));
  EXPECT_EQ(letter.value, std::nullopt);
  EXPECT_EQ(letter.key, std::nullopt);
  EXPECT_EQ(letter.source_offset, 41);
}

TEST(DeadLetter, EnvelopeOfTheReplacedSystemGivesItsMessage) {
  log::Record foreign = bad_record();
  foreign.value =
      R"({"original_message":{"tenure":200},"error_type":"validation_error","source_topic":"in"})";
  const DeadLetter letter = read_dead_letter(kQueue, foreign);
  EXPECT_EQ(letter.value, R"({"tenure":200})");
  EXPECT_EQ(letter.key, "k");
}

// An envelope holds the bytes twice; where that is too much, headers say it all and nothing is
// lost.
TEST(DeadLetter, EnvelopeThatDoesNotFitGivesWayToHeaders) {
  DeadLetterWriter writer(spec::DeadLetterFormat::kEnvelope, GroupId("g"));
  log::Record bad = bad_record();
  const std::string big = "{\"x\":\"" + std::string(6'000, 'x') + "\"}";
  bad.value = big;
  EXPECT_GT(writer.compose(kSource, bad, kErrors, "decode", Timestamp(0)).value->size(), 12'000U);
  const log::NewRecord fitting = writer.cut(10'000);
  EXPECT_EQ(fitting.value, big);
  const DeadLetter letter = read_dead_letter(kQueue, record_of(fitting, 0));
  EXPECT_FALSE(letter.truncated);
  EXPECT_EQ(letter.code, "out_of_range");
  EXPECT_EQ(letter.value, big);
  const log::NewRecord cut = writer.cut(5'000);
  EXPECT_TRUE(read_dead_letter(kQueue, record_of(cut, 0)).truncated);
  EXPECT_LT(cut.value->size(), 5'000U);
}

TEST(DeadLetter, ForeignRecordKeepsItsBytesAndHasNoCode) {
  const DeadLetter letter = read_dead_letter(kQueue, bad_record());
  EXPECT_TRUE(letter.code.empty());
  EXPECT_EQ(letter.value, "{\"tenure\":200}");
}

}  // namespace
}  // namespace millrace::engine
