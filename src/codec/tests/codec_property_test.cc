// The decoder against an obvious judge, rows against their messages, random bytes against the
// walls.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "base/arena.h"
#include "codec/internal/csv_splitter.h"
#include "codec/internal/decimal.h"
#include "codec/internal/name_table.h"
#include "codec/internal/pattern.h"
#include "codec/row_decoder.h"
#include "codec/testing/decode_harness.h"
#include "codec/testing/telco.h"
#include "codec/tests/decode_oracle.h"
#include "env/random.h"

namespace millrace::codec {
namespace {

using data::Field;
using data::FieldType;
using data::Policy;
using testing::DecodeHarness;

constexpr std::string_view kTokens[] = {"\"",
                                        "\\",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        ",",
                                        ":",
                                        "null",
                                        "true",
                                        "false",
                                        "0",
                                        "-1",
                                        "1e5",
                                        "3.5",
                                        "1e999",
                                        "\"\"",
                                        "\" \"",
                                        "\"5\"",
                                        "\"Yes\"",
                                        "\\u0041",
                                        "\\ud800",
                                        "\xC3\xA9",
                                        "\xFF",
                                        "\xEF\xBB\xBF",
                                        "\"n\":1,",
                                        "\"tenure\":3,",
                                        "\n",
                                        "\t",
                                        "12345678901234567890123",
                                        "\"x\":{\"y\":[1,{}]},",
                                        "18446744073709551615",
                                        "-9223372036854775809",
                                        "\"Churn\":null,",
                                        "/*",
                                        "\x7F",
                                        "-0",
                                        "01"};

constexpr std::string_view kValues[] = {"null",
                                        "true",
                                        "0",
                                        "1",
                                        "2",
                                        "-0",
                                        "3.0",
                                        "3.5",
                                        "99",
                                        "1e1",
                                        "-200",
                                        "200",
                                        "201",
                                        R"("")",
                                        R"(" ")",
                                        R"("Yes")",
                                        R"("No")",
                                        R"("\u0059es")",
                                        R"("5")",
                                        R"(" 1.5 ")",
                                        R"("1e")",
                                        R"("1234-ABCDE")",
                                        R"("2025-10-11T00:00:00Z")",
                                        R"("DSL")",
                                        R"("One year")",
                                        "[]",
                                        "{}",
                                        R"({"y":1})",
                                        R"({"y":1,"y":2})"};

// The bytes [from, to) of the value behind a random colon outside its string, as far as a naive
// look can tell.
std::pair<std::size_t, std::size_t> random_value(const std::string& text, env::Random& random) {
  const std::size_t colon = text.find("\":", random.below(text.size() + 1));
  if (colon == std::string::npos) return {0, 0};
  const std::size_t end = text.find_first_of(",}", colon);
  return {colon + 2, std::min(end, text.size())};
}

void mutate_bytes(std::string& text, env::Random& random) {
  const std::size_t at = random.below(text.size() + 1);
  const std::string_view token = kTokens[random.below(std::size(kTokens))];
  const std::size_t cut = std::min(text.size() - at, std::size_t{random.below(12)});
  switch (random.below(5)) {
    case 0:
      text.insert(at, token);
      break;
    case 1:
      text.replace(at, cut, token);
      break;
    case 2:
      text.erase(at, cut);
      break;
    case 3:
      text.insert(at, text.substr(random.below(text.size() + 1), random.below(40)));
      break;
    default:
      if (at < text.size()) text[at] = static_cast<char>(random.below(256));
  }
}

std::string mutated(std::string text, env::Random& random) {
  const std::size_t count = 1 + random.below(3);
  for (std::size_t i = 0; i < count; ++i) {
    const auto [from, to] = random_value(text, random);
    switch (random.below(6)) {
      case 0:
        mutate_bytes(text, random);
        break;
      case 1:
        text.insert(from, " \n\t");
        break;
      case 2: {  // a member, with the comma in front of it
        const std::size_t comma = text.rfind(',', from);
        if (comma != std::string::npos) text.erase(comma, to - comma);
        break;
      }
      default:
        text.replace(from, to - from, kValues[random.below(std::size(kValues))]);
    }
  }
  return text;
}

// Every type and policy, so that mutations of a good record meet all rules.
data::Schema lenient_schema() {
  std::vector<Field> fields = testing::telco_fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Field& field = fields[i];
    if (i % 3 == 1) field.null = Policy::kMissing;
    if (i % 4 == 2) field.blank = Policy::kMissing;
    if (field.type == FieldType::kCategory && i % 2 == 0) field.unknown = Policy::kMissing;
    if (i % 5 == 3) field.required = false;
    if (field.type == FieldType::kInteger) field.accept_text = true;
    if (field.type == FieldType::kNumber) field.sentinels = {-200, 5};
  }
  return std::move(*data::Schema::make(fields));
}

void expect_agreement(std::uint64_t seed, const data::Schema& schema, Purpose purpose,
                      std::size_t rounds) {
  DecodeLimits limits;
  limits.depth_max = 4;
  limits.fields_max = 25;
  DecodeHarness harness(schema, purpose, limits);
  env::Random random(seed);
  for (std::size_t i = 0; i < rounds; ++i) {
    const std::string value = mutated(std::string(testing::kTelcoMessage), random);
    const bool good = harness.decode(value);
    if (good == testing::oracle_accepts(value, schema, purpose, limits)) continue;
    RC_FAIL((good ? "accepted: " : "refused for " + harness.errors()[0].message() + ": ") + value);
  }
}

void expect_same_cells(const data::Cell& a, const data::Cell& b, const std::string& value) {
  RC_ASSERT(a.state == b.state);
  RC_ASSERT(a.code == b.code);
  RC_ASSERT(std::bit_cast<std::uint64_t>(a.number) == std::bit_cast<std::uint64_t>(b.number));
  if (a.text != b.text) RC_FAIL("other texts: " + value);
}

// Reads `first` and then `second`, so that the second is expected to look like the first.
void expect_same_reading(const data::Schema& schema, const std::string& first,
                         const std::string& second) {
  DecodeHarness predicted(schema);
  DecodeHarness whole(schema, Purpose::kScoring, {}, Reading::kWhole);
  predicted.decode(first);
  const bool good = predicted.decode(second);
  if (good != whole.decode(second)) RC_FAIL((good ? "accepted: " : "refused: ") + second);
  RC_ASSERT(predicted.errors().size() == whole.errors().size());
  for (std::size_t i = 0; i < whole.errors().size(); ++i) {
    RC_ASSERT(predicted.errors()[i].message() == whole.errors()[i].message());
  }
  for (std::size_t i = 0; i < schema.size(); ++i) {
    expect_same_cells(predicted.cells()[i], whole.cells()[i], second);
  }
}

TEST(RecordDecoder, MutationsAreGoodAndBad) {
  DecodeHarness harness(testing::telco_schema());
  env::Random random(1);
  std::size_t good = 0;
  for (int i = 0; i < 2000; ++i) {
    good += harness.decode(mutated(std::string(testing::kTelcoMessage), random)) ? 1 : 0;
  }
  EXPECT_GT(good, 100u);
  EXPECT_LT(good, 1900u);
}

RC_GTEST_PROP(RecordDecoder, AgreesWithTheOracleOnTelco, (std::uint64_t seed)) {
  expect_agreement(seed, testing::telco_schema(), Purpose::kScoring, 100);
}

RC_GTEST_PROP(RecordDecoder, AgreesWithTheOracleOnLenientPolicies, (std::uint64_t seed)) {
  expect_agreement(seed, lenient_schema(), Purpose::kScoring, 50);
  expect_agreement(seed, lenient_schema(), Purpose::kTraining, 50);
}

RC_GTEST_PROP(RecordDecoder, PredictedReadingIsTheWhole, (std::uint64_t seed)) {
  env::Random random(seed);
  const std::string base(testing::kTelcoMessage);
  for (int i = 0; i < 50; ++i) {
    const std::string other = mutated(base, random);
    expect_same_reading(testing::telco_schema(), base, other);
    expect_same_reading(lenient_schema(), other, mutated(base, random));
    expect_same_reading(lenient_schema(), other, base);
  }
}

RC_GTEST_PROP(RecordDecoder, PredictedReadingOfNumbersIsTheWhole, ()) {
  const data::Schema schema =
      std::move(*data::Schema::make({testing::numeric("n", FieldType::kNumber, -1e308, 1e308)}));
  const auto digits = rc::gen::container<std::string>(rc::gen::inRange('0', ':'));
  std::string number = (*rc::gen::arbitrary<bool>() ? "-" : "") + *digits;
  if (*rc::gen::arbitrary<bool>()) number += "." + *digits;
  if (*rc::gen::inRange(0, 4) == 0) {
    number +=
        *rc::gen::element("e5", "E-3", "e", ".", "x", " ", "1.5", "-2", "e+", "E400", "e-400");
  }
  expect_same_reading(schema, R"({"n":1})", R"({"n":)" + number + "}");
  expect_same_reading(schema, R"({"n": 1.5 })", R"({"n": )" + number + " }");
}

// A message that was cut, with the rest of it still behind it in memory.
TEST(RecordDecoder, WhatStandsBehindAMessageIsNotRead) {
  const std::string base = std::string(testing::kTelcoMessage);
  const std::string memory = base + base + std::string(kArenaPadding, ' ');
  const data::Schema schema = lenient_schema();
  std::vector<data::Cell> cells(schema.size());
  data::RecordErrors errors;
  for (std::size_t size = 0; size < base.size(); ++size) {
    auto decoder = RecordDecoder::make(schema, Purpose::kScoring);
    ASSERT_TRUE(decoder->decode(std::string_view(memory).substr(0, base.size()), cells, errors));
    EXPECT_FALSE(decoder->decode(std::string_view(memory).substr(0, size), cells, errors)) << size;
    errors.clear();
  }
}

RC_GTEST_PROP(RecordDecoder, RandomBytesNeverGetThrough, (const std::string& bytes)) {
  DecodeHarness harness(testing::telco_schema());
  RC_ASSERT(!harness.decode(bytes));
  RC_ASSERT(!harness.decode("{" + bytes + "}"));
}

RC_GTEST_PROP(RowDecoder, CellsOfARowAreThoseOfItsMessage, (std::uint64_t seed)) {
  const data::Schema schema = testing::telco_schema();
  env::Random random(seed);
  std::vector<std::string> columns;
  std::vector<std::string> cells;
  for (const Field& field : schema.fields()) {
    columns.push_back(field.name);
    if (field.type == FieldType::kCategory) {
      cells.push_back(field.values[random.below(field.values.size())]);
    } else if (field.type == FieldType::kInteger) {
      cells.push_back(std::to_string(random.below(static_cast<std::uint64_t>(field.max) + 1)));
    } else if (field.type == FieldType::kNumber) {
      char text[40];
      cells.emplace_back(text, std::to_chars(text, text + 40, random.uniform() * field.max).ptr);
    } else {
      cells.push_back(field.name == "customerID" ? "1234-ABCDE" : "2025-10-11T03:28:23.234Z");
    }
  }
  auto decoder = RowDecoder::make(schema, columns, {}, Purpose::kTraining);
  TableRow row;
  row.cells.assign(cells.begin(), cells.end());
  std::vector<data::Cell> decoded(schema.size());
  data::RecordErrors errors;
  RC_ASSERT(decoder->decode(row, decoded, errors));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Field& field = schema.field(i);
    if (data::is_numeric(field.type)) {
      double number = 0;
      std::from_chars(cells[i].data(), cells[i].data() + cells[i].size(), number);
      RC_ASSERT(decoded[i].number == number);
    } else {
      RC_ASSERT(decoded[i].text == cells[i]);
    }
  }
}

// Splits a text whose padding is there, and gives the cells as strings.
struct SplitText {
  explicit SplitText(const std::string& text, internal::CsvSplitter::Last last) {
    const std::string padded = text + std::string(64, '\0');
    internal::CsvSplitter splitter(',', '"', 1000);
    std::vector<std::string_view> views;
    split = splitter.split(std::string_view(padded).substr(0, text.size()), last, views);
    cells.assign(views.begin(), views.end());
  }
  internal::CsvSplit split;
  std::vector<std::string> cells;
};
using Last = internal::CsvSplitter::Last;
using Outcome = internal::CsvSplit::Outcome;

RC_GTEST_PROP(CsvSplitter, QuotedRowReadsBack, ()) {
  const auto cells = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::element('a', 'b', ',', '"', '\n', '\r', ' '))));
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) row += ',';
    const bool plain = cells[i].find_first_of(",\"\n\r") == std::string::npos;
    if (plain && *rc::gen::arbitrary<bool>()) {
      row += cells[i];
      continue;
    }
    row += '"';
    for (const char c : cells[i]) row += c == '"' ? "\"\"" : std::string(1, c);
    row += '"';
  }
  const std::string end = *rc::gen::element<std::string>("\n", "\r\n");
  const SplitText whole(row + end + "next,row\n", Last::kNo);
  RC_ASSERT(whole.split.outcome == Outcome::kRow);
  RC_ASSERT(whole.cells == cells);
  RC_ASSERT(whole.split.raw_size == row.size());
  RC_ASSERT(whole.split.size == row.size() + end.size());
  const SplitText unended(row, Last::kYes);
  RC_ASSERT(unended.split.outcome == Outcome::kRow);
  RC_ASSERT(unended.cells == cells);
}

// A text that is cut anywhere asks for more or gives the same row: never another one.
RC_GTEST_PROP(CsvSplitter, RowDoesNotDependOnWhereTheTextWasCut, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '\r', '"', '\n'));
  const SplitText whole(text, Last::kYes);
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const SplitText cut(text.substr(0, size), Last::kNo);
    if (cut.split.outcome == Outcome::kNeedMore) continue;
    RC_ASSERT(cut.split.outcome == whole.split.outcome);
    RC_ASSERT(cut.split.size == whole.split.size);
    RC_ASSERT(cut.split.raw_size == whole.split.raw_size);
    RC_ASSERT(cut.split.lines == whole.split.lines);
    RC_ASSERT(cut.cells == whole.cells);
  }
}

RC_GTEST_PROP(Decimal, ValueIsThatOfTheStandardLibrary, (std::int32_t mantissa)) {
  const int places = *rc::gen::inRange(0, 12);
  const int exponent = *rc::gen::inRange(-330, 330);
  std::string text = std::to_string(mantissa);
  const std::size_t sign = mantissa < 0 ? 1 : 0;
  if (places > 0)
    text.insert(std::max(sign, text.size() - std::min(text.size(), std::size_t(places))), ".");
  if (*rc::gen::arbitrary<bool>()) text += "e" + std::to_string(exponent);
  double expected = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), expected);
  const auto value = internal::Decimal::scan(text).value();
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  RC_ASSERT(value.has_value() == is_number);
  if (value) RC_ASSERT(*value == expected);
}

RC_GTEST_PROP(Decimal, JsonNumbersAreThoseJsonAllows, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::element('0', '1', '9', '.', '-', '+', 'e', 'E'));
  const internal::Decimal decimal = internal::Decimal::scan(text);
  DecodeHarness harness(
      std::move(*data::Schema::make({testing::numeric("n", FieldType::kNumber, -1e308, 1e308)})));
  const bool json = harness.decode("{\"n\":" + text + "}");
  if (json) RC_ASSERT(decimal.is_json);
  if (decimal.is_json && decimal.value() && decimal.digits < 19) RC_ASSERT(json);
}

TEST(Pattern, TableAndRegularExpressionAgree) {
  const std::string patterns[] = {"[0-9]{4}-[A-Z]{5}", "abc", "[a-c]x{3}", "[ab_]{2}", "a", " {2}"};
  env::Random random(7);
  for (const std::string& text : patterns) {
    const auto table = internal::Pattern::make(text);
    const auto regex = internal::Pattern::make("(?:" + text + ")");
    ASSERT_TRUE(table && regex);
    EXPECT_TRUE(table->is_table()) << text;
    EXPECT_FALSE(regex->is_table());
    for (int i = 0; i < 20'000; ++i) {
      std::string value = text == "[0-9]{4}-[A-Z]{5}" ? "1234-ABCDE"
                          : text == "abc"             ? "abc"
                                                      : "axxx";
      value.resize(random.below(value.size() + 2), 'b');
      if (!value.empty() && random.below(2) == 0) {
        value[random.below(value.size())] = static_cast<char>(random.below(256));
      }
      ASSERT_EQ(table->matches(value), regex->matches(value)) << text << " on " << value;
    }
  }
}

TEST(Pattern, WhatTheTableCannotHoldIsLeftToTheRegularExpression) {
  for (const std::string text :
       {"a*", "a+", "a?", "a{2,3}", "a{0}", "a{2}?", "[^a]", "[a\\d]", "\\d", "a|b", "(a)", "^a$",
        ".", "[[:alpha:]]", "[]a]", "[a-]", "\xC3\xA9", "a{1000}", ""}) {
    const auto pattern = internal::Pattern::make(text);
    ASSERT_TRUE(pattern) << text;
    EXPECT_FALSE(pattern->is_table()) << text;
  }
  EXPECT_TRUE(internal::Pattern::make("")->matches(""));
  EXPECT_FALSE(internal::Pattern::make("")->matches("a"));
  EXPECT_TRUE(internal::Pattern::make("a{2,3}")->matches("aaa"));
}

RC_GTEST_PROP(NameTable, FindsExactlyItsNames, ()) {
  const auto text = rc::gen::container<std::string>(rc::gen::element('a', 'b'));
  const auto names = *rc::gen::unique<std::vector<std::string>>(rc::gen::resize(40, text));
  const internal::NameTable table(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    RC_ASSERT(table.find(names[i]) == static_cast<std::int32_t>(i));
  }
  const std::string other = *rc::gen::resize(40, text);
  const bool known = std::find(names.begin(), names.end(), other) != names.end();
  RC_ASSERT((table.find(other) != internal::NameTable::kNone) == known);
}

}  // namespace
}  // namespace millrace::codec
