#include "codec/record_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "codec/testing/decode_harness.h"
#include "codec/testing/telco.h"

namespace millrace::codec {
namespace {

using data::CellState;
using data::Field;
using data::FieldType;
using data::Policy;
using testing::category;
using testing::DecodeHarness;
using testing::kTelcoMessage;
using testing::numeric;

constexpr double kInf = std::numeric_limits<double>::infinity();

data::Schema schema_of(std::vector<Field> fields) {
  return std::move(*data::Schema::make(std::move(fields)));
}

// Two optional fields, so that a record is judged by what the test writes.
data::Schema small_schema() {
  Field number = numeric("n", FieldType::kNumber, -kInf, kInf);
  Field text;
  text.name = "s";
  number.required = text.required = false;
  return schema_of({number, text});
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string telco_with(std::string_view from, std::string_view to) {
  return replaced(std::string(kTelcoMessage), from, to);
}

TEST(RecordDecoder, TelcoMessageBecomesCells) {
  DecodeHarness harness(testing::telco_schema());
  ASSERT_TRUE(harness.decode(kTelcoMessage));
  EXPECT_EQ(harness.cell("customerID").text, "7760-OYPDY");
  EXPECT_EQ(harness.cell("customerID").state, CellState::kText);
  EXPECT_EQ(harness.cell("gender").code, 0);
  EXPECT_EQ(harness.cell("InternetService").code, 1);
  EXPECT_EQ(harness.cell("InternetService").text, "Fiber optic");
  EXPECT_EQ(harness.cell("tenure").number, 2);
  EXPECT_EQ(harness.cell("MonthlyCharges").number, 70.7);
  EXPECT_EQ(harness.cell("TotalCharges").number, 151.65);
  EXPECT_EQ(harness.cell("TotalCharges").text, "151.65");
  EXPECT_EQ(harness.cell("event_ts").time_ms, 1760153303234);
}

TEST(RecordDecoder, OrderOfFieldsDoesNotMatter) {
  DecodeHarness harness(testing::telco_schema());
  ASSERT_TRUE(harness.decode(kTelcoMessage));
  const std::string moved =
      replaced(telco_with(R"("tenure":2,)", ""), R"({"customerID")", R"({"tenure":2,"customerID")");
  for (int turn = 0; turn < 3; ++turn) {
    ASSERT_TRUE(harness.decode(moved));
    EXPECT_EQ(harness.cell("tenure").number, 2);
    EXPECT_EQ(harness.cell("MonthlyCharges").number, 70.7);
    ASSERT_TRUE(harness.decode(kTelcoMessage));
    EXPECT_EQ(harness.cell("Contract").code, 0);
  }
}

TEST(RecordDecoder, LargeIntegersKeepTheirDigits) {
  const std::pair<std::string, std::string> cases[] = {
      {"9007199254740991", ""},
      {"9007199254740993", "9007199254740993"},
      {"-9223372036854775807", "-9223372036854775807"},
      {"18446744073709551615", "18446744073709551615"},
      {"1e17", ""},
      {"90071992547409930.5", ""}};
  for (const Reading reading : {Reading::kPredicted, Reading::kWhole}) {
    DecodeHarness harness(small_schema(), Purpose::kScoring, {}, reading);
    for (const auto& [written, digits] : cases) {
      ASSERT_TRUE(harness.decode(R"({"n":)" + written + "}")) << written;
      EXPECT_EQ(harness.cell("n").text, digits) << written;
      EXPECT_EQ(harness.cell("n").number, std::stod(written));
      EXPECT_FALSE(harness.cell("n").came_as_text());
    }
  }
}

TEST(RecordDecoder, LabelIsRequiredForTrainingOnly) {
  const std::string without = telco_with(R"("Churn":"Yes",)", "");
  const std::string null = telco_with(R"("Churn":"Yes")", R"("Churn":null)");
  const std::string blank = telco_with(R"("Churn":"Yes")", R"("Churn":" ")");
  DecodeHarness scoring(testing::telco_schema(), Purpose::kScoring);
  DecodeHarness training(testing::telco_schema(), Purpose::kTraining);
  for (const std::string& message : {without, null, blank}) {
    EXPECT_EQ(scoring.errors_of(message), "");
    EXPECT_EQ(scoring.cell("Churn").state, CellState::kMissing);
  }
  EXPECT_EQ(training.errors_of(without), "missing_field Churn");
  EXPECT_EQ(training.errors_of(null), "null_value Churn");
  EXPECT_EQ(training.errors_of(blank), "blank_value Churn");
  EXPECT_EQ(training.errors_of(kTelcoMessage), "");
  EXPECT_EQ(scoring.errors_of(telco_with(R"("Churn":"Yes")", R"("Churn":"Perhaps")")),
            "unknown_value Churn");
}

TEST(RecordDecoder, LabelWithoutValueIsNoTrainingRecordWhateverThePolicies) {
  Field label = category("y", {"a", "b"});
  label.label = true;
  label.blank = label.null = label.unknown = Policy::kMissing;
  DecodeHarness training(schema_of({label}), Purpose::kTraining);
  EXPECT_EQ(training.errors_of(R"({"y":null})"), "missing_field y");
  EXPECT_EQ(training.errors_of(R"({"y":""})"), "missing_field y");
  EXPECT_EQ(training.errors_of(R"({"y":"c"})"), "missing_field y");
}

TEST(RecordDecoder, EveryErrorOfARecordIsReported) {
  DecodeHarness harness(testing::telco_schema());
  std::string message = telco_with(R"("tenure":2)", R"("tenure":200)");
  message = replaced(message, R"("gender":"Female")", R"("gender":"F")");
  message = replaced(message, R"("MonthlyCharges":70.7,)", "");
  message = replaced(message, "7760-OYPDY", "nobody");
  message = replaced(message, R"("Churn")", R"("churn")");
  EXPECT_EQ(harness.errors_of(message),
            "pattern_mismatch customerID; unknown_value gender; out_of_range tenure; "
            "missing_field MonthlyCharges; unknown_field churn");
  EXPECT_EQ(harness.cell("tenure").state, CellState::kInvalid);
  EXPECT_EQ(harness.cell("Contract").code, 0);  // the good ones are there all the same
  EXPECT_EQ(harness.errors()[2].message(), "Field 'tenure': 200 is above the maximum 100");
  EXPECT_EQ(harness.errors()[1].reason, "'F' is none of 'Female', 'Male'");
  EXPECT_EQ(harness.errors()[4].reason, "the schema has no such field, did you mean 'Churn'?");
}

TEST(RecordDecoder, ManyErrorsAreCutWithTheirNumber) {
  data::Schema schema = small_schema();
  schema.unknown_fields_allowed = false;
  DecodeHarness harness(schema);
  std::string message = "{";
  for (int i = 0; i < 250; ++i) message += "\"k" + std::to_string(i) + "\":1,";
  message.back() = '}';
  ASSERT_FALSE(harness.decode(message));
  ASSERT_EQ(harness.errors().size(), data::kRecordErrorsMax);
  EXPECT_NE(harness.errors().back().reason.find("(and 150 more errors)"), std::string::npos);
}

struct Case {
  std::string_view value;
  std::string_view errors;
};

// Row B1: what JSON forbids, also in a field that nobody reads.
TEST(RecordDecoder, WhatJsonForbidsIsRefused) {
  DecodeHarness harness(small_schema());
  using namespace std::string_view_literals;
  const std::string_view refused[] = {
      "",
      " \n\t ",
      "{",
      R"({"n":1)",
      R"({"n":1}})",
      R"({"n":1} x)",
      R"({"n":1}{"n":2})",
      R"({"n":1,})",
      R"({,"n":1})",
      R"({"n" 1})",
      R"({"x":tru})",
      R"({"x":nul})",
      R"({"x":TRUE})",
      R"({"x":NaN})",
      R"({"x":Infinity})",
      R"({"x":-Infinity})",
      R"({"x":1e999})",
      R"({"x":123456789012345678901234567890})",
      R"({"x":012})",
      R"({"x":-})",
      R"({"x":+1})",
      R"({"x":.5})",
      R"({"x":1.})",
      R"({"x":1e})",
      R"({"x":0x10})",
      R"({"x":[1,]})",
      R"({"x":[1}})",
      R"({"x":1 /* one */})",
      "{\"x\":1} // end",
      R"({'x':1})",
      R"({x:1})",
      R"({"x":"\x"})",
      R"({"x":"\u12"})",
      "{\"x\":\"a\nb\"}",
      "{\"x\":\"a\0b\"}"sv,
      "{\"x\":1}\0"sv,
      R"({"x":"open})",
      "\xEF\xBB\xBF{\"n\":1}",
  };
  for (const std::string_view value : refused) {
    EXPECT_EQ(harness.errors_of(value), "parse_error ") << value;
  }
  harness.decode("\xEF\xBB\xBF{\"n\":1}");
  EXPECT_EQ(harness.errors()[0].reason, "not JSON: the value starts with a byte order mark");
  harness.decode("");
  EXPECT_EQ(harness.errors()[0].reason, "the value is empty");
}

TEST(RecordDecoder, OtherJsonIsNotAnObject) {
  DecodeHarness harness(small_schema());
  for (const std::string_view value : {"null", "1", "\"text\"", "true", "[]", "[{\"n\":1}]"}) {
    EXPECT_EQ(harness.errors_of(value), "not_an_object ") << value;
  }
}

// Row B2.
TEST(RecordDecoder, InvalidUtf8IsRefused) {
  DecodeHarness harness(small_schema());
  for (const std::string_view bytes :
       {"\xFF", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x28\xA1"}) {
    EXPECT_EQ(harness.errors_of("{\"x\":\"" + std::string(bytes) + "\"}"), "invalid_utf8 ");
    EXPECT_EQ(harness.errors_of("{\"" + std::string(bytes) + "\":1}"), "invalid_utf8 ");
  }
}

TEST(RecordDecoder, HalfSurrogatePairsAreRefused) {
  DecodeHarness harness(small_schema());
  for (const std::string_view escape :
       {R"(\ud800)", R"(\udc00)", R"(\ud800x)", R"(\ud800\u0041)"}) {
    EXPECT_EQ(harness.errors_of("{\"s\":\"" + std::string(escape) + "\"}"), "parse_error ")
        << escape;
  }
  ASSERT_TRUE(harness.decode(R"({"s":"\ud83d\ude00"})"));
  EXPECT_EQ(harness.cell("s").text, "\xF0\x9F\x98\x80");
}

TEST(RecordDecoder, ControlAndBidirectionalCharactersAreKeptVerbatim) {
  DecodeHarness harness(small_schema());
  ASSERT_TRUE(harness.decode("{\"s\":\"a\\u0000b\xE2\x80\xAE\\u001b[31m\"}"));
  EXPECT_EQ(harness.cell("s").text, std::string_view("a\0b\xE2\x80\xAE\x1b[31m", 11));
}

TEST(RecordDecoder, ReasonsCarryNoControlBytes) {
  Field level = category("c", {"a"});
  DecodeHarness harness(schema_of({level}));
  ASSERT_FALSE(harness.decode(R"({"c":"\u001b[31m\n"})"));
  EXPECT_EQ(harness.errors()[0].reason, "'\\x1b[31m\\x0a' is none of 'a'");
  ASSERT_FALSE(harness.decode("{\"c\":\"" + std::string(5000, 'x') + "\"}"));
  EXPECT_LT(harness.errors()[0].reason.size(), 100u);
}

// Row B3: limits are met before memory is allocated for the message.
TEST(RecordDecoder, LimitsAreMetFirst) {
  DecodeLimits limits;
  limits.bytes_max = 200'000;
  limits.depth_max = 5;
  limits.fields_max = 1000;
  DecodeHarness harness(small_schema(), Purpose::kScoring, limits);
  EXPECT_EQ(harness.errors_of("{\"s\":\"" + std::string(200'000, 'x') + "\"}"), "too_large ");
  EXPECT_EQ(harness.errors_of("{\"x\":" + std::string(100'000, '[')), "too_deep ");
  EXPECT_EQ(harness.errors_of("{\"x\":" + std::string(1000, '[')), "too_deep ");
  std::string many = "{";
  for (int i = 0; i < 20'000; ++i) many += "\"\":0,";
  many.back() = '}';
  EXPECT_EQ(harness.errors_of(many), "too_many_fields ");
  std::string some = "{";
  for (int i = 0; i < 1001; ++i) some += "\"" + std::to_string(i) + "\":0,";
  some.back() = '}';
  EXPECT_EQ(harness.errors_of(some), "too_many_fields ");
  EXPECT_EQ(harness.errors_of(R"({"n":1})"), "");
}

// What is refused does not depend on the messages before: memory that is there already is no
// licence.
TEST(RecordDecoder, TokenLimitHoldsWhateverCameBefore) {
  DecodeHarness harness(small_schema());
  std::string values = "{\"x\":[0";
  for (std::size_t i = 0; i < DecodeLimits{}.tokens_max() / 2; ++i) values += ",0";
  values += "]}";
  EXPECT_EQ(harness.errors_of(values), "too_many_values ");
  EXPECT_EQ(harness.errors_of("{\"x\":\"" + std::string(1'000'000, 'x') + "\"}"), "");
  EXPECT_EQ(harness.errors_of(values), "too_many_values ");
  EXPECT_EQ(harness.errors_of("{\"x\":\"" + std::string(900'000, ',') + "\"}"), "");
}

TEST(RecordDecoder, DepthLimitCountsContainers) {
  DecodeLimits limits;
  limits.depth_max = 3;
  DecodeHarness harness(small_schema(), Purpose::kScoring, limits);
  EXPECT_EQ(harness.errors_of(R"({"x":[[1]]})"), "");
  EXPECT_EQ(harness.errors_of(R"({"x":[{"y":1}]})"), "");
  EXPECT_EQ(harness.errors_of(R"({"x":[[]]})"), "");
  EXPECT_EQ(harness.errors_of(R"({"x":[[[1]]]})"), "too_deep ");
  EXPECT_EQ(harness.errors_of(R"({"x":[[[[]]]]})"), "too_deep ");
  EXPECT_EQ(harness.errors_of(R"({"x":[[{}]]})"), "");  // an empty one holds nothing
  const std::string padding(40'000, ' ');
  EXPECT_EQ(harness.errors_of(R"({"x":[[1]]})" + padding), "");
  EXPECT_EQ(harness.errors_of(R"({"x":[[[1]]]})" + padding), "too_deep ");
}

TEST(RecordDecoder, LargeMessageWithinTheLimitsIsRead) {
  DecodeHarness harness(small_schema());
  const std::string text(900'000, 'x');
  EXPECT_EQ(harness.errors_of("{\"x\":\"" + text + "\",\"n\":1}"), "");
  EXPECT_EQ(harness.cell("n").number, 1);
  EXPECT_EQ(harness.errors_of("{\"" + std::string(65'536, 'k') + "\":1}"), "");
}

TEST(RecordDecoder, TextLongerThanItsFieldAllowsIsRefused) {
  Field text;
  text.name = "s";
  text.text_bytes_max = 5;
  DecodeHarness harness(schema_of({text}));
  EXPECT_EQ(harness.errors_of(R"({"s":"12345"})"), "");
  EXPECT_EQ(harness.errors_of(R"({"s":"123456"})"), "too_large s");
}

// Row B4.
TEST(RecordDecoder, DuplicateKeysAreRefused) {
  DecodeHarness harness(small_schema());
  EXPECT_EQ(harness.errors_of(R"({"n":1,"n":1})"), "duplicate_key n");
  EXPECT_EQ(harness.errors_of(R"({"n":1,"\u006e":1})"), "duplicate_key n");
  EXPECT_EQ(harness.errors_of(R"({"x":1,"s":"a","x":1})"), "duplicate_key x");
  EXPECT_EQ(harness.errors_of(R"({"x":1,"\u0078":1,"x":2})"), "duplicate_key x");
  EXPECT_EQ(harness.errors_of(R"({"x":{"y":1,"y":2}})"), "duplicate_key x");
  EXPECT_EQ(harness.errors_of(R"({"x":[[{"y":1,"z":[{"y":2}],"y":2}]]})"), "duplicate_key x");
  EXPECT_EQ(harness.errors_of(R"({"x":{"y":1},"z":{"y":1,"x":[{"y":1},{"y":1}]}})"), "");
}

TEST(RecordDecoder, DuplicatesAmongManyUnknownKeysAreFound) {
  DecodeHarness harness(small_schema());
  std::string many = "{";
  for (int i = 0; i < 2000; ++i) many += "\"a rather long name " + std::to_string(i) + "\":0,";
  EXPECT_EQ(harness.errors_of(many + "\"n\":1}"), "");
  EXPECT_EQ(harness.errors_of(many + "\"a rather long name 1234\":1}"),
            "duplicate_key a rather long name 1234");
}

TEST(RecordDecoder, CaseVariantsAndProtoAreOtherFields) {
  DecodeHarness open(small_schema());
  EXPECT_EQ(open.errors_of(R"({"n":1,"N":2,"__proto__":{"n":3},"constructor":4})"), "");
  EXPECT_EQ(open.cell("n").number, 1);
  data::Schema schema = small_schema();
  schema.unknown_fields_allowed = false;
  DecodeHarness closed(schema);
  EXPECT_EQ(closed.errors_of(R"({"n":1,"N":2,"__proto__":3})"),
            "unknown_field N; unknown_field __proto__");
}

// Row B5.
TEST(RecordDecoder, TypesAreNotGuessed) {
  Field integer = numeric("i", FieldType::kInteger, -kInf, kInf);
  Field number = numeric("d", FieldType::kNumber, -kInf, kInf);
  Field boolean = numeric("b", FieldType::kBoolean, -kInf, kInf);
  Field text;
  text.name = "s";
  Field level = category("c", {"No", "Yes", "1", "true"});
  Field time;
  time.name = "t";
  time.type = FieldType::kTimestamp;
  std::vector<Field> fields = {integer, number, boolean, text, level, time};
  for (Field& field : fields) field.required = false;
  DecodeHarness harness(schema_of(fields));
  const Case cases[] = {
      {R"({"i":3})", ""},
      {R"({"i":3.0})", ""},
      {R"({"i":-0})", ""},
      {R"({"i":3e2})", ""},
      {R"({"i":3.5})", "wrong_type i"},
      {R"({"i":"3"})", "wrong_type i"},
      {R"({"i":true})", "wrong_type i"},
      {R"({"i":[3]})", "wrong_type i"},
      {R"({"d":151.65})", ""},
      {R"({"d":18446744073709551615})", ""},
      {R"({"d":"151.65"})", "wrong_type d"},
      {R"({"d":" "})", "wrong_type d"},
      {R"({"d":{}})", "wrong_type d"},
      {R"({"b":true})", ""},
      {R"({"b":1})", "wrong_type b"},
      {R"({"b":"Yes"})", "wrong_type b"},
      {R"({"b":"true"})", "wrong_type b"},
      {R"({"s":""})", ""},
      {R"({"s":5})", "wrong_type s"},
      {R"({"s":false})", "wrong_type s"},
      {R"({"c":"Yes"})", ""},
      {R"({"c":"yes"})", "unknown_value c"},
      {R"({"c":"Yes "})", "unknown_value c"},
      {R"({"c":1})", "wrong_type c"},
      {R"({"c":true})", "wrong_type c"},
      {R"({"c":""})", "blank_value c"},
      {R"({"t":"2025-10-11T03:28:23Z"})", ""},
      {R"({"t":"2025-02-29T00:00:00Z"})", "bad_time t"},
      {R"({"t":"yesterday"})", "bad_time t"},
      {R"({"t":1760153303234})", "wrong_type t"},
      {R"({"i":null,"d":null,"c":null})", "null_value i; null_value d; null_value c"},
  };
  for (const Case& c : cases) EXPECT_EQ(harness.errors_of(c.value), c.errors) << c.value;
}

TEST(RecordDecoder, NumbersAsTextAreReadWhereTheSchemaSaysSo) {
  Field number = numeric("d", FieldType::kNumber, 0, 1000);
  number.accept_text = true;
  DecodeHarness strict(schema_of({number}));
  const Case cases[] = {
      {R"({"d":"151.65"})", ""},
      {R"({"d":" 151.65 "})", ""},
      {R"({"d":151.65})", ""},
      {R"({"d":"1e2"})", ""},
      {R"({"d":"+5"})", ""},
      {R"({"d":".5"})", ""},
      {R"({"d":"5."})", ""},
      {R"({"d":"007"})", ""},
      {R"({"d":" "})", "blank_value d"},
      {R"({"d":""})", "blank_value d"},
      {R"({"d":"1001"})", "out_of_range d"},
      {R"({"d":"-1"})", "out_of_range d"},
      {R"({"d":"12 34"})", "wrong_type d"},
      {R"({"d":"1,5"})", "wrong_type d"},
      {R"({"d":"0x10"})", "wrong_type d"},
      {R"({"d":"nan"})", "wrong_type d"},
      {R"({"d":"inf"})", "wrong_type d"},
      {R"({"d":"1e999"})", "wrong_type d"},
      {R"({"d":"1e"})", "wrong_type d"},
      {R"({"d":"."})", "wrong_type d"},
      {R"({"d":"--1"})", "wrong_type d"},
      {R"({"d":"12\u0000"})", "wrong_type d"},
  };
  for (const Case& c : cases) EXPECT_EQ(strict.errors_of(c.value), c.errors) << c.value;
  number.blank = Policy::kMissing;
  DecodeHarness lenient(schema_of({number}));
  EXPECT_EQ(lenient.errors_of(R"({"d":" "})"), "");
  EXPECT_EQ(lenient.cell("d").state, CellState::kMissing);
  EXPECT_EQ(lenient.errors_of(R"({"d":"x"})"), "wrong_type d");
}

TEST(RecordDecoder, PoliciesTurnEmptyValuesIntoMissingOnes) {
  Field level = category("c", {"a", "b"});
  level.blank = level.null = level.unknown = Policy::kMissing;
  DecodeHarness harness(schema_of({level}));
  for (const std::string_view value : {R"({"c":""})", R"({"c":null})", R"({"c":"z"})"}) {
    EXPECT_EQ(harness.errors_of(value), "") << value;
    EXPECT_EQ(harness.cell("c").state, CellState::kMissing) << value;
  }
  EXPECT_EQ(harness.errors_of("{}"), "missing_field c");
}

// Row B6.
TEST(RecordDecoder, ExtremeNumbersAreFiniteCells) {
  DecodeHarness harness(small_schema());
  for (const std::string_view value : {"-0", "-0.0", "5e-324", "1e308", "-1.7976931348623157e308",
                                       "1e-400", "9223372036854775807", "-9223372036854775808"}) {
    ASSERT_TRUE(harness.decode("{\"n\":" + std::string(value) + "}")) << value;
    EXPECT_TRUE(std::isfinite(harness.cell("n").number)) << value;
  }
}

TEST(RecordDecoder, SentinelsAreMissingWhateverTheRange) {
  Field number = numeric("n", FieldType::kNumber, 0, 100);
  number.sentinels = {-200};
  number.accept_text = true;
  DecodeHarness harness(schema_of({number}));
  for (const std::string_view value : {R"({"n":-200})", R"({"n":-200.0})", R"({"n":"-200"})"}) {
    EXPECT_EQ(harness.errors_of(value), "") << value;
    EXPECT_EQ(harness.cell("n").state, CellState::kMissing) << value;
  }
  EXPECT_EQ(harness.errors_of(R"({"n":-201})"), "out_of_range n");
  EXPECT_EQ(harness.errors()[0].reason, "-201 is below the minimum 0");
}

TEST(RecordDecoder, TimesFarAwayAndLeapSecondsAreRead) {
  Field time;
  time.name = "t";
  time.type = FieldType::kTimestamp;
  time.blank = Policy::kMissing;
  DecodeHarness harness(schema_of({time}));
  for (const std::string_view value :
       {"9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z",
        "2016-12-31T23:59:60Z", "2024-03-31T02:30:00+01:00", "2025-10-11 03:28:23"}) {
    EXPECT_EQ(harness.errors_of("{\"t\":\"" + std::string(value) + "\"}"), "") << value;
  }
  EXPECT_EQ(harness.errors_of(R"({"t":" "})"), "");
  EXPECT_EQ(harness.cell("t").state, CellState::kMissing);
  EXPECT_EQ(harness.errors_of(R"({"t":"10000-01-01T00:00:00Z"})"), "bad_time t");
}

TEST(RecordDecoder, ValuesOfPersonalFieldsAreNotQuoted) {
  std::vector<Field> fields = testing::telco_fields();
  for (Field& field : fields) field.pii = true;
  DecodeHarness harness(schema_of(fields));
  std::string message = telco_with("7760-OYPDY", "secret");
  message = replaced(message, R"("tenure":2)", R"("tenure":777)");
  message = replaced(message, R"("gender":"Female")", R"("gender":"secret")");
  message = replaced(message, R"("Partner":"Yes")", R"("Partner":777)");
  message = replaced(message, R"("MonthlyCharges":70.7)", R"("MonthlyCharges":"secret")");
  message = replaced(message, R"("151.65")", R"("secret")");
  message = replaced(message, R"(2025-10-11T03)", "secret");
  ASSERT_FALSE(harness.decode(message));
  EXPECT_EQ(harness.errors().size(), 7u);
  for (const data::RecordError& error : harness.errors()) {
    EXPECT_EQ(error.reason.find("secret"), std::string::npos) << error.reason;
    EXPECT_EQ(error.reason.find("777"), std::string::npos) << error.reason;
  }
}

TEST(RecordDecoder, BadPatternIsAConfigurationError) {
  Field text;
  text.name = "s";
  text.pattern = "[a-";
  const auto made = RecordDecoder::make(schema_of({text}), Purpose::kScoring);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::kConfig);
  EXPECT_NE(made.error().message().find("field 's'"), std::string::npos);
}

TEST(RecordDecoder, SchemaOfManyFieldsIsReadInAnyOrder) {
  std::vector<Field> fields;
  for (int i = 0; i < 200; ++i) {
    fields.push_back(numeric("field " + std::to_string(i), FieldType::kInteger, -kInf, kInf));
  }
  DecodeHarness harness(schema_of(fields));
  std::string backwards = "{";
  for (int i = 199; i >= 0; --i) {
    backwards += "\"field " + std::to_string(i) + "\":" + std::to_string(i) + ",";
  }
  backwards.back() = '}';
  for (int turn = 0; turn < 2; ++turn) {
    ASSERT_TRUE(harness.decode(backwards));
    EXPECT_EQ(harness.cell("field 137").number, 137);
  }
  EXPECT_EQ(harness.errors_of(replaced(backwards, R"("field 70":70,)", "")),
            "missing_field field 70");
}

TEST(RecordDecoder, CellsOfAnUnreadableRecordAreInvalid) {
  DecodeHarness harness(small_schema());
  ASSERT_TRUE(harness.decode(R"({"n":1})"));
  ASSERT_FALSE(harness.decode("{"));
  EXPECT_EQ(harness.cell("n").state, CellState::kInvalid);
}

}  // namespace
}  // namespace millrace::codec
