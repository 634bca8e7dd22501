#include <gtest/gtest.h>

#include <cstdlib>

#include "codec/row_decoder.h"
#include "codec/table_reader.h"
#include "codec/testing/decode_harness.h"
#include "codec/testing/telco.h"

namespace millrace::codec {
namespace {

using data::Field;
using data::FieldType;

constexpr double kInf = std::numeric_limits<double>::infinity();

// One field of each type.
data::Schema typed_schema() {
  std::vector<Field> fields(7);
  fields[0].name = "s";
  fields[1] = testing::numeric("i", FieldType::kInteger, -kInf, kInf);
  fields[2] = testing::numeric("d", FieldType::kNumber, -kInf, kInf);
  fields[3] = testing::numeric("t", FieldType::kNumber, -kInf, kInf);
  fields[3].accept_text = true;
  fields[4] = testing::numeric("b", FieldType::kBoolean, -kInf, kInf);
  fields[5] = testing::category("c", {"No", "Yes"});
  fields[6].name = "time";
  fields[6].type = FieldType::kTimestamp;
  return std::move(*data::Schema::make(fields));
}

// The message of a row of one column.
std::string encoded(const std::string& column, std::string_view cell,
                    const CsvDialect& dialect = {}) {
  RowEncoder encoder(typed_schema(), {column}, dialect);
  TableRow row;
  row.cells = {cell};
  std::string out;
  encoder.encode(row, {}, {}, out);
  return out;
}

struct Case {
  const char* column;
  std::string_view cell;
  std::string_view message;
};

TEST(RowEncoder, CellsBecomeWhatTheSchemaDeclares) {
  const Case cases[] = {
      {"i", "1", R"({"i":1})"},
      {"i", " 1 ", R"({"i":1})"},
      {"i", "-0", R"({"i":-0})"},
      {"i", "3.0", R"({"i":3})"},
      {"i", "1e5", R"({"i":100000})"},
      {"i", "007", R"({"i":7})"},
      {"i", "+7", R"({"i":7})"},
      {"i", "999999999999999999", R"({"i":999999999999999999})"},
      {"i", "3.5", R"({"i":"3.5"})"},
      {"i", "x", R"({"i":"x"})"},
      {"i", "", R"({"i":null})"},
      {"i", "  ", R"({"i":null})"},
      {"d", "29.85", R"({"d":29.85})"},
      {"d", "29.850", R"({"d":29.850})"},
      {"d", ".5", R"({"d":0.5})"},
      {"d", "5.", R"({"d":5})"},
      {"d", "-200", R"({"d":-200})"},
      {"d", "1e999", R"({"d":"1e999"})"},
      {"d", "nan", R"({"d":"nan"})"},
      {"d", "1,5", R"({"d":"1,5"})"},
      {"d", "", R"({"d":null})"},
      {"t", "29.85", R"({"t":"29.85"})"},
      {"t", " ", R"({"t":" "})"},
      {"t", "", R"({"t":""})"},
      {"t", "x", R"({"t":"x"})"},
      {"b", "true", R"({"b":true})"},
      {"b", "False", R"({"b":false})"},
      {"b", "yes", R"({"b":"yes"})"},
      {"b", "", R"({"b":null})"},
      {"c", "Yes", R"({"c":"Yes"})"},
      {"c", "Maybe", R"({"c":"Maybe"})"},
      {"c", "", R"({"c":null})"},
      {"s", "1", R"({"s":"1"})"},
      {"s", "", R"({"s":null})"},
      {"time", "2025-10-11T00:00:00Z", R"({"time":"2025-10-11T00:00:00Z"})"},
      {"time", "", R"({"time":null})"},
      {"other", "1", R"({"other":"1"})"},
      {"other", "", R"({"other":null})"},
  };
  for (const Case& c : cases) EXPECT_EQ(encoded(c.column, c.cell), c.message) << c.cell;
}

TEST(RowEncoder, IntegersBeyond64BitsStayReadable) {
  EXPECT_EQ(encoded("i", "123456789012345678901234567890"), R"({"i":1.2345678901234568e+29})");
  EXPECT_EQ(encoded("d", "123456789012345678901234567890"), R"({"d":1.2345678901234568e+29})");
}

TEST(RowEncoder, DecimalCommaBecomesAPoint) {
  CsvDialect dialect;
  dialect.decimal_comma = true;
  EXPECT_EQ(encoded("d", "2,6", dialect), R"({"d":2.6})");
  EXPECT_EQ(encoded("d", "-200", dialect), R"({"d":-200})");
  EXPECT_EQ(encoded("d", "2.6", dialect), R"({"d":"2.6"})");
  EXPECT_EQ(encoded("i", "3,0", dialect), R"({"i":3})");
  EXPECT_EQ(encoded("t", "2,60", dialect), R"({"t":"2.60"})");
  EXPECT_EQ(encoded("t", "a,b", dialect), R"({"t":"a,b"})");
  EXPECT_EQ(encoded("s", "a,b", dialect), R"({"s":"a,b"})");
}

TEST(RowEncoder, TextIsEscaped) {
  using namespace std::string_view_literals;
  EXPECT_EQ(encoded("s", "a\"b\\c\nd\te\x01"), R"({"s":"a\"b\\c\nd\te\u0001"})");
  EXPECT_EQ(encoded("s", "a long text with one \" in its middle"),
            R"({"s":"a long text with one \" in its middle"})");
  EXPECT_EQ(encoded("s", "Z\xC3\xBCrich"), "{\"s\":\"Z\xC3\xBCrich\"}");
  EXPECT_EQ(encoded("s", "\xE9"), "{\"s\":\"\xEF\xBF\xBD\"}");
  EXPECT_EQ(encoded("a\"b", "x"), R"({"a\"b":"x"})");
}

TEST(RowEncoder, EveryLengthAndPlaceOfAnEscapeIsRight) {
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t place = 0; place <= length; ++place) {
      std::string text(length, 'x');
      std::string expected(length, 'x');
      if (place < length) {
        text[place] = '"';
        expected.insert(place, "\\");
        expected[place + 1] = '"';
      }
      if (length == 0) continue;
      EXPECT_EQ(encoded("s", text), "{\"s\":\"" + expected + "\"}");
    }
  }
}

TEST(RowEncoder, BlankLevelOfACategoryIsText) {
  const auto schema = data::Schema::make({testing::category("c", {" ", "x"})});
  RowEncoder encoder(*schema, {"c"}, {});
  TableRow row;
  std::string out;
  row.cells = {" "};
  encoder.encode(row, {}, {}, out);
  EXPECT_EQ(out, R"({"c":" "})");
  row.cells = {""};
  encoder.encode(row, {}, {}, out);
  EXPECT_EQ(out, R"({"c":null})");
}

TEST(RowEncoder, StampedTimeIsTheLastFieldUnlessAColumnHasIt) {
  RowEncoder encoder(typed_schema(), {"s", "i"}, {});
  TableRow row;
  std::string out;
  row.cells = {"x", "1"};
  encoder.encode(row, "event_ts", "2025-10-11T00:00:00.000Z", out);
  EXPECT_EQ(out, R"({"s":"x","i":1,"event_ts":"2025-10-11T00:00:00.000Z"})");
  encoder.encode(row, "s", "2025-10-11T00:00:00.000Z", out);
  EXPECT_EQ(out, R"({"s":"x","i":1})");
  encoder.encode(row, "", "ignored", out);
  EXPECT_EQ(out, R"({"s":"x","i":1})");
}

TEST(RowEncoder, NdjsonRowsPassUnchanged) {
  RowEncoder encoder(typed_schema(), {}, {});
  TableRow row;
  row.raw = R"({"i" : 1.0 })";
  std::string out = "old";
  encoder.encode(row, "event_ts", "now", out);
  EXPECT_EQ(out, R"({"i" : 1.0 })");
}

TEST(RowDecoder, RowIsCheckedAsItsMessage) {
  const auto schema = testing::telco_schema();
  auto decoder =
      RowDecoder::make(schema, {"tenure", "TotalCharges", "Churn"}, {}, Purpose::kScoring);
  ASSERT_TRUE(decoder);
  std::vector<data::Cell> cells(schema.size());
  data::RecordErrors errors;
  TableRow row;
  row.cells = {"200", " ", "No"};
  EXPECT_FALSE(decoder->decode(row, cells, errors));
  EXPECT_EQ(decoder->message(), R"({"tenure":200,"TotalCharges":" ","Churn":"No"})");
  EXPECT_EQ(errors[0].message(), "Field 'tenure': 200 is above the maximum 100");
  EXPECT_EQ(cells[*schema.find("TotalCharges")].state, data::CellState::kMissing);
  EXPECT_EQ(cells[*schema.find("Churn")].code, 0);
}

TEST(RowDecoder, BadRowGivesItsOwnErrors) {
  const auto schema = typed_schema();
  auto decoder = RowDecoder::make(schema, {"i"}, {}, Purpose::kScoring);
  std::vector<data::Cell> cells(schema.size());
  data::RecordErrors errors;
  TableRow row;
  row.errors.push_back({data::RecordCode::kColumnCount, "", "2 cells"});
  EXPECT_FALSE(decoder->decode(row, cells, errors));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].code, data::RecordCode::kColumnCount);
  EXPECT_EQ(cells[0].state, data::CellState::kInvalid);
}

TEST(TelcoFile, AllRowsDecodeAndElevenTotalsAreMissing) {
  const char* folder = std::getenv("MILLRACE_DATA_DIR");
  if (folder == nullptr) GTEST_SKIP() << "SKIPPED: no data at MILLRACE_DATA_DIR";
  const auto schema = testing::telco_schema();
  auto reader = TableReader::open(std::string(folder) + "/Telco-Customer-Churn.csv",
                                  TableFormat::kCsv, {}, schema);
  ASSERT_TRUE(reader) << reader.error().message();
  auto decoder = RowDecoder::make(schema, reader->columns(), {}, Purpose::kTraining);
  ASSERT_TRUE(decoder);
  std::vector<data::Cell> cells(schema.size());
  data::RecordErrors errors;
  std::size_t rows = 0;
  std::size_t churned = 0;
  std::size_t missing = 0;
  TableRow row;
  while (reader->read(row).value()) {
    ASSERT_TRUE(decoder->decode(row, cells, errors)) << row.line << errors[0].message();
    ++rows;
    churned += cells[*schema.find("Churn")].code == 1 ? 1 : 0;
    missing += cells[*schema.find("TotalCharges")].state == data::CellState::kMissing ? 1 : 0;
  }
  EXPECT_EQ(rows, 7043u);
  EXPECT_EQ(churned, 1869u);
  EXPECT_EQ(missing, 11u);
}

}  // namespace
}  // namespace millrace::codec
