#include "app/record_filter.h"

#include <gtest/gtest.h>

namespace millrace::app {
namespace {

bool matches(const std::vector<std::string>& where, std::optional<std::string_view> value,
             std::optional<std::string> key = {}) {
  const auto filter = RecordFilter::make(std::move(key), where);
  EXPECT_TRUE(filter) << filter.error().message();
  log::Record record;
  record.key = "k";
  record.value = value;
  return filter->matches(record);
}

TEST(RecordFilter, WithoutConditionsEverythingMatches) {
  EXPECT_TRUE(matches({}, "anything"));
  EXPECT_TRUE(matches({}, std::nullopt));
}

TEST(RecordFilter, KeysAreEqualByteForByte) {
  EXPECT_TRUE(matches({}, "v", "k"));
  EXPECT_FALSE(matches({}, "v", "K"));
}

TEST(RecordFilter, ValuesAreEqualAsWhatTheyAre) {
  const char* message = R"({"a":"Yes","n":0.5,"b":true,"z":null,"in":{"side":3}})";
  EXPECT_TRUE(matches({"a=Yes"}, message));
  EXPECT_FALSE(matches({"a=yes"}, message));
  EXPECT_TRUE(matches({"n=0.50"}, message));
  EXPECT_TRUE(matches({"b=true"}, message));
  EXPECT_TRUE(matches({"z=null"}, message));
  EXPECT_TRUE(matches({"in.side=3"}, message));
  EXPECT_FALSE(matches({"in.no=3"}, message));
  EXPECT_FALSE(matches({"a.side=3"}, message));
  EXPECT_FALSE(matches({"missing=null"}, message));
  EXPECT_TRUE(matches({"a=Yes", "b=true"}, message));
  EXPECT_FALSE(matches({"a=Yes", "b=false"}, message));
}

TEST(RecordFilter, WhatIsNoJsonMatchesNoField) {
  EXPECT_FALSE(matches({"a=1"}, "{broken"));
  EXPECT_FALSE(matches({"a=1"}, "[1]"));
  EXPECT_FALSE(matches({"a=1"}, std::nullopt));
}

TEST(RecordFilter, AConditionHasAFieldAndAValue) {
  for (const char* bad : {"", "field", "=value"})
    EXPECT_FALSE(RecordFilter::make({}, {bad})) << bad;
  EXPECT_TRUE(RecordFilter::make({}, {"field="}));
}

}  // namespace
}  // namespace millrace::app
