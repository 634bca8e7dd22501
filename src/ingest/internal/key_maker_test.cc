#include "ingest/internal/key_maker.h"

#include <gtest/gtest.h>

#include <set>

namespace millrace::ingest {
namespace {

TEST(KeyRule, ReadsEachForm) {
  EXPECT_EQ(parse_key_rule("uuid")->kind, KeyRule::Kind::kUuid);
  EXPECT_EQ(parse_key_rule("hash")->kind, KeyRule::Kind::kHash);
  EXPECT_EQ(parse_key_rule("none")->kind, KeyRule::Kind::kNone);
  EXPECT_EQ(parse_key_rule("constant:a:b")->text, "a:b");
  EXPECT_EQ(parse_key_rule("customerID")->text, "customerID");
  EXPECT_EQ(parse_key_rule("field:uuid")->text, "uuid");
  EXPECT_EQ(parse_key_rule("field:uuid")->kind, KeyRule::Kind::kField);
  EXPECT_FALSE(parse_key_rule(""));
}

TEST(KeyMaker, TakesTheFieldsText) {
  KeyMaker maker({KeyRule::Kind::kField, "id"});
  EXPECT_EQ(maker.make("7590-VHVEG", "row"), "7590-VHVEG");
}

TEST(KeyMaker, ABlankOrAbsentFieldIsANullKey) {
  KeyMaker maker({KeyRule::Kind::kField, "id"});
  EXPECT_FALSE(maker.make(" ", "row"));
  EXPECT_FALSE(maker.make(std::nullopt, "row"));
}

TEST(KeyMaker, UuidsAreOfVersionFourAndDiffer) {
  KeyMaker maker({KeyRule::Kind::kUuid, ""});
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid(*maker.make(std::nullopt, "row"));
    ASSERT_EQ(uuid.size(), 36U) << uuid;
    EXPECT_EQ(uuid[8], '-');
    EXPECT_EQ(uuid[13], '-');
    EXPECT_EQ(uuid[14], '4') << uuid;
    EXPECT_EQ(uuid[18], '-');
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
    EXPECT_EQ(uuid[23], '-');
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(KeyMaker, EqualRowsHashToEqualKeys) {
  KeyMaker maker({KeyRule::Kind::kHash, ""});
  const std::string first(*maker.make(std::nullopt, "a,b"));
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(maker.make(std::nullopt, "a,b"), first);
  EXPECT_NE(maker.make(std::nullopt, "a,c"), first);
}

TEST(KeyMaker, AConstantIsTheSameForAll) {
  KeyMaker maker({KeyRule::Kind::kConstant, "x"});
  EXPECT_EQ(maker.make("7590", "row"), "x");
}

}  // namespace
}  // namespace millrace::ingest
