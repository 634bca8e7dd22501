#include "config/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/overlay.h"
#include "config/scalars.h"

namespace millrace::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

enum class Colour { kRed, kGreen };
constexpr std::array kColours = {Choice<Colour>{"red", Colour::kRed},
                                 Choice<Colour>{"green", Colour::kGreen}};

// A document and what reading it found.
struct Document {
  explicit Document(std::string_view text) {
    auto loaded = load_yaml(text, "p.yaml");
    EXPECT_TRUE(loaded) << loaded.error().message();
    if (loaded) root = *loaded;
  }
  MapReader top() { return MapReader(root.get(), "", reading); }
  std::string errors() const {
    const Status status = reading.status();
    return status ? "" : status.error().message();
  }
  NodePtr root;
  Reading reading;
};

TEST(MapReader, ReadsEveryType) {
  Document document(
      "t: no\ni: -7\nn: 1e-3\nb: true\nd: 7d\ns: 1MiB\nl: [No, Yes]\nc: green\nnums: [1, -200]\n");
  MapReader top = document.top();
  EXPECT_EQ(top.required_text("t"), "no");
  EXPECT_EQ(top.integer("i", 0), -7);
  EXPECT_EQ(top.number("n", 0), 0.001);
  EXPECT_TRUE(top.boolean("b", false));
  EXPECT_EQ(top.duration("d", Milliseconds(0)), Milliseconds(7LL * 86'400'000));
  EXPECT_EQ(top.bytes("s", 0), 1U << 20);
  EXPECT_THAT(top.texts("l"), ElementsAre("No", "Yes"));
  EXPECT_EQ(top.choice("c", Colour::kRed, kColours), Colour::kGreen);
  EXPECT_THAT(top.numbers("nums"), ElementsAre(1, -200));
  top.finish();
  EXPECT_EQ(document.errors(), "");
}

TEST(MapReader, LeftOutKeysYieldDefaultsAndSaySo) {
  Document document("a: 1\n");
  MapReader top = document.top();
  EXPECT_EQ(top.integer("a", 5), 1);
  EXPECT_EQ(top.integer("b", 5), 5);
  MapReader child = top.map("commit");
  EXPECT_EQ(child.duration("interval", Milliseconds(90'000)), Milliseconds(90'000));
  child.finish();
  top.finish();
  ASSERT_EQ(document.reading.values().size(), 3U);
  EXPECT_EQ(document.reading.values()[0].origin, "p.yaml:1:4");
  EXPECT_EQ(document.reading.values()[1].origin, "default");
  EXPECT_EQ(document.reading.values()[2].path, "commit.interval");
  EXPECT_EQ(document.reading.values()[2].value, "90s");
}

TEST(MapReader, UnknownKeysAreReportedWithTheNearestName) {
  Document document("topic: x\ninput:\n  partitons: 3\n  zzz: 1\n");
  MapReader top = document.top();
  top.text("topic", "");
  MapReader input = top.map("input");
  input.integer("partitions", 1);
  input.finish();
  top.finish();
  EXPECT_EQ(document.errors(),
            "p.yaml:3:3: unknown key 'partitons', did you mean 'partitions'?\n"
            "p.yaml:4:3: unknown key 'zzz'");
}

TEST(MapReader, AllErrorsComeAtOnceInTheOrderOfTheFile) {
  Document document("z: 1\nb: yes\ni: 012\nn: nan\nc: gren\nd: 10\nt: [x]\nq: '5'\nr: 11\n");
  MapReader top = document.top();
  top.integer("r", 0, {.min = 0, .max = 10});
  top.integer("q", 0);
  top.text("t", "");
  top.duration("d", Milliseconds(0));
  top.choice("c", Colour::kRed, kColours);
  top.number("n", 0);
  top.integer("i", 0);
  top.boolean("b", false);
  top.required_text("name");
  top.finish();
  EXPECT_EQ(document.errors(),
            "p.yaml:1:1: 'name' is missing\n"
            "p.yaml:1:1: unknown key 'z'\n"
            "p.yaml:2:4: 'b': expected true or false, found 'yes'\n"
            "p.yaml:3:4: 'i': expected an integer without leading zeros (quote it if text is "
            "meant), found '012'\n"
            "p.yaml:4:4: 'n': expected a number, found 'nan'\n"
            "p.yaml:5:4: 'c': expected red or green, found 'gren', did you mean 'green'?\n"
            "p.yaml:6:4: 'd': expected a duration such as 100ms, 10s, 5m, 2h or 7d, found '10'\n"
            "p.yaml:7:4: 't': expected text, found a list\n"
            "p.yaml:8:4: 'q': expected an integer, found text in quotes\n"
            "p.yaml:9:4: 'r' is 11, must be from 0 to 10");
}

TEST(MapReader, FiftyErrorsAreShownAndTheRestCounted) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "k" + std::to_string(i) + ": 1\n";
  Document document(text);
  MapReader top = document.top();
  top.finish();
  const std::string errors = document.errors();
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 50);
  EXPECT_THAT(errors, HasSubstr("p.yaml:50:1: unknown key 'k49'\nand 10 more errors"));
}

TEST(MapReader, RangesSayTheirBounds) {
  Document document("a: 0\nb: 2\nc: -1\nd: 1ms\ne: 2KiB\n");
  MapReader top = document.top();
  top.number("a", 1, {.min = 0, .max = 1, .at_min = NumberRange::Min::kExcluded});
  top.number("b", 1, {.min = 0, .max = 1});
  top.number("c", 1, {.min = 0});
  top.duration("d", Milliseconds(0), {.min = Milliseconds(10), .max = Milliseconds(1000)});
  top.bytes("e", 0, {.min = 0, .max = 1024});
  top.finish();
  EXPECT_EQ(document.errors(),
            "p.yaml:1:4: 'a' is 0, must be above 0 and at most 1\n"
            "p.yaml:2:4: 'b' is 2, must be from 0 to 1\n"
            "p.yaml:3:4: 'c' is -1, must be at least 0\n"
            "p.yaml:4:4: 'd' is 1ms, must be from 10ms to 1s\n"
            "p.yaml:5:4: 'e' is 2KiB, must be from 0 to 1KiB");
}

TEST(MapReader, NullWhereTextIsDueAsksForQuotes) {
  Document document("a: [x, null]\nb: ~\n");
  MapReader top = document.top();
  top.texts("a");
  top.text("b", "");
  top.finish();
  EXPECT_THAT(document.errors(), HasSubstr("p.yaml:1:8: expected text, found nothing (quote"));
  EXPECT_THAT(document.errors(), HasSubstr("p.yaml:2:4: 'b': expected text, found nothing"));
}

TEST(MapReader, AMapIsAskedForWhereThereIsNone) {
  Document document("input: 5\n");
  MapReader top = document.top();
  MapReader input = top.map("input");
  input.text("topic", "");
  input.finish();
  top.finish();
  EXPECT_EQ(document.errors(), "p.yaml:1:8: expected a map of keys, found a single value");
}

TEST(Overlay, ReplacesAddsAndCreatesMaps) {
  Document document("model: {trees: 100}\nfeatures: [{with: mean}]\n");
  const std::vector<std::string> set = {"model.trees=7", "a.b.c=[x, no]", "features.0.with=median",
                                        "empty="};
  const auto tree = apply_set(document.root, set);
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(to_yaml(**tree),
            "model:\n  trees: 7\nfeatures:\n  - with: median\na:\n  b:\n    c: [x, no]\n"
            "empty: ''\n");
  EXPECT_EQ((*tree)->find("model")->value->find("trees")->value->where.to_string(), "--set");
  EXPECT_EQ((*tree)->find("a")->key_where.to_string(), "--set");
  EXPECT_EQ(document.root->find("model")->value->find("trees")->value->text, "100");
}

TEST(Overlay, KeysMayHoldDots) {
  Document document("schema: {PT08: {max: 1}, PT08.S1(CO): {max: 2}}\n");
  const std::vector<std::string> set = {"schema.PT08.S1(CO).max=7", "schema.PT08.max=5"};
  const auto tree = apply_set(document.root, set);
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(to_yaml(**tree), "schema:\n  PT08:\n    max: 5\n  PT08.S1(CO):\n    max: 7\n");
}

TEST(Overlay, SignsAndTimeFormatsNeedNoQuotes) {
  Document document("a: 1\n");
  const std::vector<std::string> set = {"comma=,", "bar=|", "format=%d/%m/%Y %H:%M", "none=~",
                                        "digit=7"};
  const auto tree = apply_set(document.root, set);
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ((*tree)->find("comma")->value->text, ",");
  EXPECT_EQ((*tree)->find("comma")->value->where.to_string(), "--set");
  EXPECT_EQ((*tree)->find("bar")->value->text, "|");
  EXPECT_EQ((*tree)->find("format")->value->text, "%d/%m/%Y %H:%M");
  EXPECT_EQ((*tree)->find("none")->value->kind, NodeKind::kNull);
  EXPECT_FALSE((*tree)->find("digit")->value->quoted);
  const auto again = load_yaml(to_yaml(**tree), "again");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ((*again)->find("format")->value->text, "%d/%m/%Y %H:%M");
}

TEST(Overlay, RefusesWhatIsNoAssignment) {
  Document document("a: 1\nl: [x]\n");
  const auto refused = [&](const std::string& assignment) {
    const std::vector<std::string> set = {assignment};
    const auto tree = apply_set(document.root, set);
    EXPECT_FALSE(tree) << assignment;
    EXPECT_EQ(tree.error().code(), ErrorCode::kUsage);
    return tree ? std::string() : tree.error().message();
  };
  EXPECT_THAT(refused("model.trees"), HasSubstr("expected key=value"));
  EXPECT_THAT(refused("=1"), HasSubstr("expected key=value"));
  EXPECT_THAT(refused("a..b=1"), HasSubstr("empty"));
  EXPECT_THAT(refused("a.b=1"), HasSubstr("no map"));
  EXPECT_THAT(refused("l.1=y"), HasSubstr("no item '1'"));
  EXPECT_THAT(refused("a=[1"), HasSubstr("not YAML"));
}

TEST(Scalars, DurationsAndSizesReadBackAsWritten) {
  for (const char* text : {"1ms", "100ms", "10s", "5m", "2h", "7d"}) {
    EXPECT_EQ(format_duration(*parse_duration(text)), text);
  }
  EXPECT_EQ(*parse_duration("1.5s"), Milliseconds(1500));
  for (const char* text : {"7", "64KiB", "1MiB", "3GiB"}) {
    EXPECT_EQ(format_bytes(*parse_bytes(text)), text);
  }
  EXPECT_EQ(*parse_bytes("1MB"), 1'000'000U);
  for (const char* text : {"", "10", "s", "-1s", "1.5ms", "1y", "1e99d", "01s", "1 s", "nan"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  for (const char* text : {"", "-1", "1.5", "1Mib", "0.3B", "01", "99999999999GiB"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(Scalars, NumbersRefuseWhatOthersReadDifferently) {
  for (const char* text :
       {"012", "-07", "0x10", "1_000", "+1", "1.0", "", " 1", "1e3", "99999999999999999999"}) {
    EXPECT_FALSE(parse_integer(text)) << text;
  }
  for (const char* text : {"nan", ".inf", "inf", "1e999", "012", "1,5", "", "0x1p3 ", "+1"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
  EXPECT_EQ(*parse_integer("-0"), 0);
  EXPECT_EQ(*parse_number("0.5"), 0.5);
  for (const char* text : {"True", "yes", "no", "on", "1", ""}) {
    EXPECT_FALSE(parse_boolean(text)) << text;
  }
}

}  // namespace
}  // namespace millrace::config
