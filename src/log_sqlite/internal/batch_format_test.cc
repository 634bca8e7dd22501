#include "log_sqlite/internal/batch_format.h"

#include <gtest/gtest.h>

#include <limits>

#include "env/random.h"

namespace millrace::log_sqlite::internal {
namespace {

std::string three_records() {
  BatchEncoder encoder;
  const log::Header headers[] = {{"name", "value"}, {"none", std::nullopt}};
  encoder.append({"key", "value", headers, Timestamp(1000), {}}, 21);
  encoder.append(
      {std::nullopt, std::nullopt, {}, Timestamp(std::numeric_limits<std::int64_t>::min()), {}}, 0);
  encoder.append({"", "", {}, Timestamp(std::numeric_limits<std::int64_t>::max()), {}}, 0);
  encoder.seal();
  return std::string(encoder.place(7, Offset(40)));
}

TEST(BatchFormat, ReadsBackWhatWasWritten) {
  const std::string bytes = three_records();
  const auto header = read_batch_header(bytes, Verify::kAll);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->partition_row, 7);
  EXPECT_EQ(header->base, Offset(40));
  EXPECT_EQ(header->next(), Offset(43));
  EXPECT_EQ(header->headers, 2U);
  EXPECT_EQ(header->time_max, Timestamp(std::numeric_limits<std::int64_t>::max()));
  RecordCursor cursor(*header, std::string_view(bytes).substr(kBatchHeaderBytes));
  std::vector<log::Header> headers;
  headers.reserve(2);
  std::size_t size = 0;
  log::Record record;
  ASSERT_TRUE(cursor.read(record, headers, size));
  EXPECT_EQ(record.offset, Offset(40));
  EXPECT_EQ(record.key, "key");
  EXPECT_EQ(record.value, "value");
  ASSERT_EQ(record.headers.size(), 2U);
  EXPECT_EQ(record.headers[0].name, "name");
  EXPECT_EQ(record.headers[0].value, "value");
  EXPECT_EQ(record.headers[1].value, std::nullopt);
  ASSERT_TRUE(cursor.read(record, headers, size));
  EXPECT_EQ(record.key, std::nullopt);
  EXPECT_EQ(record.value, std::nullopt);
  EXPECT_EQ(record.timestamp, Timestamp(std::numeric_limits<std::int64_t>::min()));
  ASSERT_TRUE(cursor.read(record, headers, size));
  EXPECT_EQ(record.key, "");
  EXPECT_EQ(record.value, "");
  EXPECT_EQ(record.timestamp, Timestamp(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(cursor.at(), bytes.data() + bytes.size());
  EXPECT_EQ(size, 21U);
}

// The layout that docs/formats/embedded-log.md gives, byte for byte.
TEST(BatchFormat, IsTheDocumentedLayout) {
  BatchEncoder encoder;
  encoder.append({"k", "vv", {}, Timestamp(2), {}}, 3);
  encoder.append({std::nullopt, "w", {}, Timestamp(1), {}}, 1);
  encoder.seal();
  const std::string_view bytes = encoder.place(1, Offset(0));
  EXPECT_EQ(bytes.substr(0, 4), "MRB1");
  EXPECT_EQ(bytes.substr(kBatchHeaderBytes), std::string_view("\x02\x03\x00\x00"
                                                              "kvv"
                                                              "\x00\x02\x01\x00"
                                                              "w",
                                                              12));
}

TEST(BatchFormat, EveryFlippedBitIsNoticed) {
  const std::string good = three_records();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read_batch_header(bytes, Verify::kAll).has_value()) << bit;
  }
}

TEST(BatchFormat, EveryTruncationIsNoticed) {
  const std::string good = three_records();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(read_batch_header(good.substr(0, size), Verify::kAll).has_value()) << size;
  }
}

TEST(BatchFormat, WalkingAnyBytesStaysInside) {
  env::Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    // On the heap and of exact size, so that an address sanitizer sees a byte too far.
    std::vector<char> payload(random.below(40));
    for (char& byte : payload) byte = static_cast<char>(random.next());
    BatchHeader header;
    header.records = 10;
    RecordCursor skipping(header, {payload.data(), payload.size()});
    RecordCursor reading(header, {payload.data(), payload.size()});
    std::size_t bytes = 0;
    std::size_t count = 0;
    std::vector<log::Header> headers;
    headers.reserve(64);
    log::Record record;
    for (std::uint32_t r = 0; r < header.records; ++r) {
      if (!skipping.skip(bytes, count)) break;
      ASSERT_LE(skipping.at(), payload.data() + payload.size());
    }
    for (std::uint32_t r = 0; r < header.records; ++r) {
      if (!reading.read(record, headers, bytes)) break;
      ASSERT_LE(reading.at(), payload.data() + payload.size());
    }
  }
}

}  // namespace
}  // namespace millrace::log_sqlite::internal
