#include "ingest/internal/id_pattern.h"

#include <gtest/gtest.h>

#include <set>

namespace millrace::ingest {
namespace {

TEST(IdPattern, TextsMatchThePattern) {
  const auto id = IdPattern::parse("[0-9]{4}-[A-Z]{5}", 42);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->texts(), 10'000ULL * 26 * 26 * 26 * 26 * 26);
  for (std::uint64_t n = 0; n < 200; ++n) {
    std::string text;
    id->append(n, text);
    ASSERT_EQ(text.size(), 10U) << text;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char low = i < 4 ? '0' : i == 4 ? '-' : 'A';
      const char high = i < 4 ? '9' : i == 4 ? '-' : 'Z';
      EXPECT_TRUE(text[i] >= low && text[i] <= high) << text;
    }
  }
}

TEST(IdPattern, NoTextComesTwiceBeforeAllWereUsed) {
  const auto id = IdPattern::parse("x[a-c0-9]{3}", 7);
  ASSERT_TRUE(id);
  ASSERT_EQ(id->texts(), 2197U);
  std::set<std::string> seen;
  for (std::uint64_t n = 0; n < id->texts(); ++n) {
    std::string text;
    id->append(n, text);
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 2197U);
}

TEST(IdPattern, AnotherSeedIsAnotherOrder) {
  const auto one = IdPattern::parse("[0-9]{8}", 1);
  const auto two = IdPattern::parse("[0-9]{8}", 2);
  std::string first;
  std::string second;
  for (std::uint64_t n = 0; n < 10; ++n) {
    one->append(n, first);
    two->append(n, second);
  }
  EXPECT_NE(first, second);
}

TEST(IdPattern, RefusesWhatItCannotWrite) {
  for (const char* pattern : {"", "[", "[]", "[z-a]", "a{", "a{0}", "a{999}", "a*", "(a)", "[^a]",
                              "\\d", "a{2", "\"", "]", "[0-9]{200}[0-9]{200}"}) {
    EXPECT_FALSE(IdPattern::parse(pattern, 1)) << pattern;
  }
}

}  // namespace
}  // namespace millrace::ingest
