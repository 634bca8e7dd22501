// Columns that a CSV's dialect adds: a time made of others, and constants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/row_decoder.h"
#include "codec/testing/table_file.h"
#include "env/clock.h"

namespace millrace::codec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TableFile;

constexpr const char* kDayFirst = "%d/%m/%Y %H.%M.%S";
constexpr const char* kMonthFirst = "%m/%d/%Y %H:%M:%S";

CsvDialect dialect_with(const std::string& format, Milliseconds step = std::chrono::hours(1)) {
  CsvDialect dialect;
  dialect.separator = ';';
  dialect.timestamp = CsvTimestamp{"ts", {"Date", "Time"}, format, step};
  return dialect;
}

// `hours` rows from 10 March 2004, 18:00 on, written by `format` of strftime.
std::string hours_file(int hours, const char* format) {
  std::string text = "Date;Time;x\n";
  for (int i = 0; i < hours; ++i) {
    const std::time_t seconds = 1'078'941'600 + std::time_t{i} * 3600;
    std::tm fields{};
    gmtime_r(&seconds, &fields);
    char line[64];
    std::strftime(line, sizeof(line), format, &fields);
    text += std::string(line) + ";" + std::to_string(i) + "\n";
  }
  return text;
}

struct Outcome {
  std::size_t good = 0;
  std::vector<std::string> bad;  // "line: message"
  std::string error;
};

Outcome read_all(const std::string& content, const CsvDialect& dialect) {
  const TableFile file(content);
  Outcome outcome;
  auto reader = file.open(dialect);
  if (!reader) {
    outcome.error = reader.error().message();
    return outcome;
  }
  TableRow row;
  while (true) {
    const auto more = reader->read(row);
    if (!more) {
      EXPECT_EQ(more.error().code(), ErrorCode::kBadData);
      outcome.error = more.error().message();
      return outcome;
    }
    if (!*more) return outcome;
    if (row.errors.empty()) {
      ++outcome.good;
    } else {
      outcome.bad.push_back(std::to_string(row.line) + ": " + row.errors.front().message());
    }
  }
}

TEST(CsvTimestamp, ItsColumnsBecomeOneFieldInUtcAndAreNoColumnsOfTheirOwn) {
  CsvDialect dialect = dialect_with(kDayFirst);
  dialect.drop_empty_trailing_columns = true;
  dialect.constants = {{"station", "sensor_1"}, {"height", "2"}};
  const TableFile file(
      "Date;x;Time;;\r\n10/03/2004;1;18.00.00;;\r\n10/03/2004;2;19.00.00;;\r\n;;;;\r\n");
  const auto reader = file.open(dialect);
  ASSERT_TRUE(reader) << reader.error().message();
  EXPECT_THAT(reader->columns(), ElementsAre("x", "ts", "station", "height"));
  EXPECT_THAT(file.texts(dialect), ElementsAre("2: 1|2004-03-10T18:00:00.000Z|sensor_1|2",
                                               "3: 2|2004-03-10T19:00:00.000Z|sensor_1|2"));
}

TEST(CsvTimestamp, DerivedCellsAreTypedByTheSchemaLikeOthers) {
  std::vector<data::Field> fields(3);
  fields[0].name = "x";
  fields[0].type = data::FieldType::kNumber;
  fields[1].name = "ts";
  fields[1].type = data::FieldType::kTimestamp;
  fields[2].name = "height";
  fields[2].type = data::FieldType::kNumber;
  const auto schema = *data::Schema::make(fields);
  CsvDialect dialect = dialect_with(kDayFirst);
  dialect.constants = {{"height", "2"}};
  const TableFile file("Date;Time;x\n10/03/2004;18.00.00;1\n");
  auto reader = file.open(dialect, schema);
  ASSERT_TRUE(reader) << reader.error().message();
  auto decoder = RowDecoder::make(schema, reader->columns(), dialect, Purpose::kScoring);
  TableRow row;
  ASSERT_TRUE(*reader->read(row));
  std::vector<data::Cell> cells(3);
  data::RecordErrors errors;
  EXPECT_TRUE(decoder->decode(row, cells, errors));
  EXPECT_EQ(decoder->message(), R"({"x":1,"ts":"2004-03-10T18:00:00.000Z","height":2})");
  EXPECT_EQ(cells[1].time_ms, 1'078'941'600'000);
}

TEST(CsvTimestamp, ARowThatDoesNotFitIsABadRowWithLineColumnsAndFormat) {
  const Outcome outcome = read_all(
      "Date;Time;x\n10/03/2004;18.00.00;1\nyesterday;19.00.00;2\n;;3\n10/03/2004;20.00.00;4\n",
      dialect_with(kDayFirst));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.good, 2U);
  EXPECT_THAT(outcome.bad, ElementsAre("3: Field 'Date Time': 'yesterday 19.00.00' does not fit "
                                       "csv.timestamp.format '%d/%m/%Y %H.%M.%S'",
                                       HasSubstr("4: Field 'Date Time': ' ' does not fit")));
}

TEST(CsvTimestamp, GapsOfWholeStepsAreAllowed) {
  const Outcome outcome =
      read_all("Date;Time;x\n10/03/2004;18.00.00;1\n10/03/2004;21.00.00;2\n25/12/2004;00.00.00;3\n",
               dialect_with(kDayFirst));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.good, 3U);
}

TEST(CsvTimestamp, WithoutAStepAnyOrderIsRead) {
  const Outcome outcome =
      read_all("Date;Time;x\n11/03/2004;18.00.00;1\n10/03/2004;18.30.00;2\n10/03/2004;18.30.00;3\n",
               dialect_with(kDayFirst, Milliseconds(0)));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.good, 3U);
}

TEST(CsvTimestamp, RowsOutOfOrderRefuseTheFile) {
  const CsvDialect dialect = dialect_with(kDayFirst);
  EXPECT_THAT(
      read_all("Date;Time;x\n20/03/2004;18.00.00;1\n20/03/2004;17.00.00;2\n", dialect).error,
      AllOf(HasSubstr("line 3: '20/03/2004 17.00.00'"), HasSubstr("1 h before the row before it"),
            HasSubstr("line 2"), HasSubstr("csv.timestamp.step")));
  EXPECT_THAT(
      read_all("Date;Time;x\n20/03/2004;18.00.00;1\n20/03/2004;18.00.00;2\n", dialect).error,
      HasSubstr("the same time as the row before it"));
  EXPECT_THAT(
      read_all("Date;Time;x\n20/03/2004;18.00.00;1\n20/03/2004;19.30.00;2\n", dialect).error,
      HasSubstr("90 min after the row before it (line 2, '20/03/2004 18.00.00'), no multiple of "
                "csv.timestamp.step 1 h"));
}

// BUG-A1: 3/10/2004 is 10 March, and 3 October to whoever reads the day first.
TEST(CsvTimestamp, MonthFirstDatesReadDayFirstAreRefusedWithBothReadings) {
  const std::string file = hours_file(100, "%m/%d/%Y;%H:%M:%S");
  const Outcome outcome = read_all(file, dialect_with("%d/%m/%Y %H:%M:%S"));
  EXPECT_THAT(outcome.error,
              AllOf(HasSubstr("line 8: '03/11/2004 00:00:00' is 2004-11-03T00:00:00.000Z"),
                    HasSubstr("2004-03-11T00:00:00.000Z"), HasSubstr("goes on without a gap"),
                    HasSubstr("--set csv.timestamp.format='%m/%d/%Y %H:%M:%S'")));
  EXPECT_EQ(read_all(file, dialect_with(kMonthFirst)).good, 100U);
}

TEST(CsvTimestamp, DayFirstDatesReadMonthFirstAreRefusedWithBothReadings) {
  const std::string file = hours_file(100, "%d/%m/%Y;%H.%M.%S");
  const Outcome outcome = read_all(file, dialect_with("%m/%d/%Y %H.%M.%S"));
  EXPECT_THAT(outcome.error, AllOf(HasSubstr("line 8: '11/03/2004 00.00.00'"),
                                   HasSubstr("--set csv.timestamp.format='%d/%m/%Y %H.%M.%S'")));
  EXPECT_EQ(read_all(file, dialect_with(kDayFirst)).good, 100U);
}

// A date that fits one reading only, in a file whose other dates fit both.
TEST(CsvTimestamp, ADateThatOnlyTheOtherReadingFitsRefusesTheFile) {
  const std::string file =
      "Date;Time;x\n03/12/2004;00:00:00;1\n03/12/2004;01:00:00;2\n03/13/2004;00:00:00;3\n";
  EXPECT_THAT(read_all(file, dialect_with("%d/%m/%Y %H:%M:%S")).error,
              AllOf(HasSubstr("line 4: '03/13/2004 00:00:00' does not fit"),
                    HasSubstr("2004-03-13T00:00:00.000Z by --set csv.timestamp.format="
                              "'%m/%d/%Y %H:%M:%S'")));
}

TEST(CsvTimestamp, AFileOfAnotherFormatIsOneErrorNotThousandsOfBadRows) {
  const Outcome other_marks =
      read_all(hours_file(5000, "%d/%m/%Y;%H:%M:%S"), dialect_with(kDayFirst));
  EXPECT_THAT(other_marks.error,
              AllOf(HasSubstr("line 2: '10/03/2004 18:00:00' does not fit"),
                    HasSubstr("--set csv.timestamp.format='%d/%m/%Y %H:%M:%S'")));
  EXPECT_TRUE(other_marks.bad.empty());
  const Outcome strange = read_all(hours_file(5000, "%d %b %Y;%H.%M"), dialect_with(kDayFirst));
  EXPECT_THAT(strange.error, AllOf(HasSubstr("line 11: "), HasSubstr("neither does any row")));
  EXPECT_EQ(strange.bad.size(), 9U);
}

TEST(CsvTimestamp, MissingDoubleAndOwnColumnsAreErrorsOfTheHeader) {
  CsvDialect dialect = dialect_with(kDayFirst);
  EXPECT_THAT(
      read_all("Date;Tiem;x\n", dialect).error,
      HasSubstr("no column 'Time', which csv.timestamp.columns names, did you mean 'Tiem'?"));
  EXPECT_THAT(read_all("ts;x\n", dialect).error,
              HasSubstr("The file has 'ts' itself: --set csv.timestamp={}."));
  EXPECT_THAT(read_all("Date;Time;Time\n", dialect).error, HasSubstr("stands twice"));
  EXPECT_THAT(read_all("Date;Time;ts\n", dialect).error,
              AllOf(HasSubstr("a column 'ts' of its own"), HasSubstr("--set csv.timestamp={}")));
  dialect.constants = {{"x", "1"}};
  EXPECT_THAT(read_all("Date;Time;x\n", dialect).error, HasSubstr("--set csv.constants={}"));
}

TEST(CsvTimestamp, AFileWithoutHeaderHasTheFieldsThatAreNotConstant) {
  std::vector<data::Field> fields(2);
  fields[0].name = "a";
  fields[1].name = "b";
  const auto schema = *data::Schema::make(fields);
  CsvDialect dialect;
  dialect.header = false;
  dialect.constants = {{"a", "always"}};
  const auto reader = TableFile("1\n2\n").open(dialect, schema);
  ASSERT_TRUE(reader) << reader.error().message();
  EXPECT_THAT(reader->columns(), ElementsAre("b", "a"));
}

TEST(CsvTimestamp, ResumingKeepsTheOrderInView) {
  const TableFile file(hours_file(10, "%d/%m/%Y;%H.%M.%S"));
  auto reader = file.open(dialect_with(kDayFirst));
  ASSERT_TRUE(reader->skip_to(RowNumber(7)));
  const auto rows = TableFile::rows_of(*reader);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_THAT(rows[0].cells, ElementsAre("7", "2004-03-11T01:00:00.000Z"));
}

}  // namespace
}  // namespace millrace::codec
