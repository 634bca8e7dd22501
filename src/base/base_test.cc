#include <gtest/gtest.h>

#include <set>

#include "base/arena.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/text.h"

namespace millrace {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error(ErrorCode::kBadData, "odd");
  return n / 2;
}

Status both(int a, int b) {
  MILLRACE_TRY(half(a));
  MILLRACE_ASSIGN(const int h, half(b));
  return h == 0 ? Status(Error(ErrorCode::kInternal, "zero")) : Status();
}

TEST(Result, MacrosReturnTheFirstError) {
  EXPECT_TRUE(both(2, 2));
  EXPECT_EQ(both(1, 2).error().code(), ErrorCode::kBadData);
  EXPECT_EQ(both(2, 0).error().message(), "zero");
}

TEST(Error, CodeFixesExitCodeAndDisposition) {
  const Error error(ErrorCode::kFenced, "taken over");
  EXPECT_EQ(error.exit_code(), 75);
  EXPECT_EQ(error.disposition(), Disposition::kFatal);
  EXPECT_EQ(error.with_context("group g").message(), "group g: taken over");
  EXPECT_EQ(to_string(ErrorCode::kUnknownTopic), "unknown_topic");
}

TEST(Hash, Crc32cKnownAnswer) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

// Values of org.apache.kafka.common.utils.Utils.murmur2, from Kafka's own unit test.
TEST(Hash, Murmur2MatchesKafkasJavaClient) {
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")),
            -58897971);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("abc")), 479470107);
}

TEST(Hash, StableHashDependsOnEveryByte) {
  std::set<std::uint64_t> seen;
  std::string text = "7590-VHVEG and more";
  seen.insert(stable_hash64(text));
  for (char& c : text) {
    c ^= 1;
    seen.insert(stable_hash64(text));
    c ^= 1;
  }
  EXPECT_EQ(seen.size(), text.size() + 1);
}

TEST(Ids, TopicNamesFollowKafkasRule) {
  EXPECT_TRUE(is_legal_topic_name("telco.raw.customers"));
  EXPECT_FALSE(is_legal_topic_name(""));
  EXPECT_FALSE(is_legal_topic_name(".."));
  EXPECT_FALSE(is_legal_topic_name("a b"));
  EXPECT_FALSE(is_legal_topic_name(std::string(250, 'a')));
}

TEST(Text, NearestNameFindsTypingErrorsOnly) {
  const std::vector<std::string> names = {"tenure", "Contract", "TotalCharges"};
  EXPECT_EQ(nearest_name("tenur", names), "tenure");
  EXPECT_EQ(nearest_name("contract", names), "Contract");
  EXPECT_EQ(nearest_name("zzz", names), "");
  EXPECT_EQ(did_you_mean("TotalCharge", names), ", did you mean 'TotalCharges'?");
}

TEST(Text, PrintableEscapesWhatSteersATerminal) {
  EXPECT_EQ(printable("plain é"), "plain é");
  EXPECT_EQ(printable("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(Text, Utf8RefusesOverlongAndSurrogates) {
  EXPECT_TRUE(is_utf8("é€😀"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
}

TEST(Text, Base64KnownAnswersAndBack) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  const std::string bytes("\x00\xff\x10", 3);
  EXPECT_EQ(from_base64(base64(bytes)), bytes);
  EXPECT_EQ(from_base64("Zg="), std::nullopt);
  EXPECT_EQ(from_base64("Z*=="), std::nullopt);
}

TEST(Arena, ViewsSurviveGrowthAndMoves) {
  Arena arena(128);
  std::vector<std::string_view> views;
  for (int i = 0; i < 1000; ++i) views.push_back(arena.copy(std::to_string(i)));
  const Arena moved = std::move(arena);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(views[static_cast<std::size_t>(i)], std::to_string(i));
}

}  // namespace
}  // namespace millrace
