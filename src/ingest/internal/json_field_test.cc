#include "ingest/internal/json_field.h"

#include <gtest/gtest.h>

namespace millrace::ingest {
namespace {

std::string field(std::string_view object, std::string_view name) {
  std::string scratch;
  return std::string(json_field(object, name, scratch).value_or("(none)"));
}

TEST(JsonField, FindsTextNumbersAndBooleansAsWritten) {
  constexpr std::string_view kObject = R"( { "id" : "A-1", "n":-1.50e3 ,"b":true} )";
  EXPECT_EQ(field(kObject, "id"), "A-1");
  EXPECT_EQ(field(kObject, "n"), "-1.50e3");
  EXPECT_EQ(field(kObject, "b"), "true");
}

TEST(JsonField, StepsOverNestedValues) {
  constexpr std::string_view kObject = R"({"a":{"id":"no","x":"}]"},"l":[1,[2,"]"]],"id":"yes"})";
  EXPECT_EQ(field(kObject, "id"), "yes");
}

TEST(JsonField, ResolvesEscapesInNamesAndValues) {
  EXPECT_EQ(field(R"({"id":"a\"b\u00e9"})", "id"), "a\"b\xC3\xA9");
  EXPECT_EQ(field(R"({"i\u0064":"x"})", "id"), "x");
}

TEST(JsonField, AnEmptyTextIsThere) { EXPECT_EQ(field(R"({"id":""})", "id"), ""); }

TEST(JsonField, NullNestedAndAbsentFieldsAreNone) {
  EXPECT_EQ(field(R"({"id":null})", "id"), "(none)");
  EXPECT_EQ(field(R"({"id":[1]})", "id"), "(none)");
  EXPECT_EQ(field(R"({"id":{}})", "id"), "(none)");
  EXPECT_EQ(field(R"({})", "id"), "(none)");
  EXPECT_EQ(field(R"(["id"])", "id"), "(none)");
  EXPECT_EQ(field("", "id"), "(none)");
}

TEST(JsonField, BrokenTextIsNeverReadBeyondItsEnd) {
  constexpr std::string_view kObject = R"({"a":{"x":"\"y"},"id":"z\\","n":[1,{"q":2}]})";
  for (std::size_t cut = 0; cut <= kObject.size(); ++cut) {
    const std::string part(kObject.substr(0, cut));  // a copy, so that ASan sees its end
    field(part, "id");
    field(part, "n");
  }
}

}  // namespace
}  // namespace millrace::ingest
