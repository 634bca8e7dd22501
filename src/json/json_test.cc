#include "json/json.h"

#include <gtest/gtest.h>

#include <limits>

#include "json/text.h"

namespace millrace::json {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

TEST(Json, RoundTripKeepsOrder) {
  const auto value = parse(R"({"b":1,"a":[true,null,"x"]})", "f.json");
  ASSERT_TRUE(value);
  EXPECT_EQ(to_line(*value), R"({"b":1,"a":[true,null,"x"]})");
  EXPECT_EQ(*get<int>(*value, "b"), 1);
  EXPECT_FALSE(get<int>(*value, "c"));
  EXPECT_FALSE(get<std::string>(*value, "b"));
}

TEST(Json, ErrorsNameFileLineAndColumn) {
  EXPECT_EQ(parse("{\n  \"a\": }", "f.json").error().message(), "f.json:2:8: not valid JSON");
  EXPECT_EQ(parse(R"({"a":1,"a":2})", "f").error().message(), "f: duplicate key 'a'");
  EXPECT_FALSE(parse(std::string(5000, '['), "f"));
  EXPECT_FALSE(parse("", "f"));
}

TEST(JsonText, EscapesWhatMustBe) {
  EXPECT_EQ(quoted("plain"), "\"plain\"");
  EXPECT_EQ(quoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
  EXPECT_EQ(quoted("é\"\n"), "\"é\\\"\\n\"");
  EXPECT_EQ(quoted("a\"\xff"), "\"a\\\"\xEF\xBF\xBD\"");
}

TEST(JsonText, NumbersAreShortestAndFinite) {
  std::string out;
  append_number(out, 0.71197);
  out += ' ';
  append_number(out, 1.0);
  out += ' ';
  append_number(out, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(out, "0.71197 1 null");
}

}  // namespace
}  // namespace millrace::json
