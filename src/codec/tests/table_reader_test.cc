#include "codec/table_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/testing/table_file.h"
#include "codec/testing/telco.h"

namespace millrace::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TableFile;

std::string open_error(std::string_view content, const CsvDialect& dialect = {},
                       const data::Schema& schema = {}) {
  const TableFile file(content);
  const auto reader = file.open(dialect, schema);
  if (reader) return "";
  EXPECT_EQ(reader.error().code(), ErrorCode::kBadData);
  return reader.error().message();
}

TEST(TableReader, RowsAreNumberedFromZeroAndLinesFromOne) {
  const auto rows = TableFile("a,b\n1,2\n3,4\n").rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].row, 0);
  EXPECT_EQ(rows[0].line, 2);
  EXPECT_EQ(rows[1].row, 1);
  EXPECT_EQ(rows[1].line, 3);
  EXPECT_EQ(rows[1].raw, "3,4");
  EXPECT_THAT(rows[1].cells, ElementsAre("3", "4"));
}

// Row B11: line ends of both kinds, and none at the end.
TEST(TableReader, LineEndsMayBeMixed) {
  EXPECT_THAT(TableFile("a,b\r\n1,2\n3,4\r\n\"5\",\"6\"\r\n7,8").texts(),
              ElementsAre("2: 1|2", "3: 3|4", "4: 5|6", "5: 7|8"));
  EXPECT_EQ(TableFile("a,b\r\n1,2\r\n").rows()[0].raw, "1,2");
}

TEST(TableReader, QuotedCellsHoldSeparatorsQuotesAndLineBreaks) {
  const auto rows =
      TableFile("a,b,c\n\"x,y\",\"say \"\"hi\"\"\",\"one\r\ntwo\n\"\n\"\",\"\"\"\",z\n").rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_THAT(rows[0].cells, ElementsAre("x,y", "say \"hi\"", "one\r\ntwo\n"));
  EXPECT_EQ(rows[0].raw, "\"x,y\",\"say \"\"hi\"\"\",\"one\r\ntwo\n\"");
  EXPECT_THAT(rows[1].cells, ElementsAre("", "\"", "z"));
  EXPECT_EQ(rows[1].line, 5);
}

TEST(TableReader, OtherSeparatorsAndQuotesAreStated) {
  CsvDialect dialect;
  dialect.separator = ';';
  dialect.quote = '\'';
  EXPECT_THAT(TableFile("a;b\n'x;y';\"\n").texts(dialect), ElementsAre("2: x;y|\""));
}

TEST(TableReader, CellsOfEveryLengthAreFound) {
  std::string content = "a,b,c\n";
  for (std::size_t length = 0; length < 200; ++length) {
    const std::string cell(length, 'x');
    content += cell + ",y," + cell + "\n";
  }
  const auto rows = TableFile(content).rows();
  ASSERT_EQ(rows.size(), 200u);
  for (std::size_t length = 0; length < 200; ++length) {
    const std::string cell(length, 'x');
    EXPECT_THAT(rows[length].cells, ElementsAre(cell, "y", cell));
  }
}

TEST(TableReader, RowsAcrossBlocksAreWhole) {
  std::string content = "a,b,c\n";
  constexpr std::size_t kRowCount = 40'000;  // about 1 MB, four blocks
  for (std::size_t i = 0; i < kRowCount; ++i) {
    const std::string n = std::to_string(i);
    content += n + (i % 3 == 0 ? ",\"quoted \"\"" + n + "\"\"\n\"," : "," + n + ",") + "end\n";
  }
  const auto rows = TableFile(content).rows();
  ASSERT_EQ(rows.size(), kRowCount);
  for (std::size_t i = 0; i < kRowCount; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_THAT(rows[i].cells, ElementsAre(n, i % 3 == 0 ? "quoted \"" + n + "\"\n" : n, "end"));
  }
}

TEST(TableReader, RowLongerThanABlockIsWhole) {
  const std::string large(700'000, 'x');
  const auto rows = TableFile("a,b\n" + large + ",1\n\"" + large + "\n\",2\n").rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].cells[0], large);
  EXPECT_EQ(rows[1].cells[0], large + "\n");
}

TEST(TableReader, WrongColumnCountIsARowError) {
  const auto rows = TableFile("a,b\n1\n1,2,3\n1,2\n").rows();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].text(), "2! column_count");
  EXPECT_EQ(rows[0].errors[0].reason, "1 cell where the file has 2 columns");
  EXPECT_EQ(rows[1].text(), "3! column_count");
  EXPECT_EQ(rows[2].text(), "4: 1|2");
  EXPECT_EQ(rows[2].row, 2);
}

TEST(TableReader, TextBehindAClosingQuoteSpoilsItsLineOnly) {
  EXPECT_THAT(TableFile("a,b\n\"x\"y,1\n3,4\n").texts(), ElementsAre("2! bad_quoting", "3: 3|4"));
  EXPECT_THAT(TableFile("a,b\nx\"y,1\n3,4\n").texts(), ElementsAre("2! bad_quoting", "3: 3|4"));
  EXPECT_THAT(TableFile("a,b\n\"x\" ,1\n3,4\n").texts(), ElementsAre("2! bad_quoting", "3: 3|4"));
}

TEST(TableReader, UnclosedQuoteSpoilsItsLineOnly) {
  std::string content = "a,b\n1,\"open\n";
  for (int i = 0; i < 50'000; ++i) content += "x" + std::to_string(i) + ",y\n";
  const auto rows = TableFile(content).rows();
  ASSERT_EQ(rows.size(), 50'001u);
  EXPECT_EQ(rows[0].text(), "2! bad_quoting");
  EXPECT_EQ(rows[0].raw, "1,\"open");
  EXPECT_EQ(rows[0].errors[0].reason, "a quote is not closed before the end of the file");
  EXPECT_EQ(rows[1].text(), "3: x0|y");
  EXPECT_EQ(rows.back().line, 50'002);
}

TEST(TableReader, UnclosedQuoteIsGivenUpAtTheRowLimit) {
  CsvDialect dialect;
  dialect.row_bytes_max = 1000;
  std::string content = "a,b\n\"one\ntwo\",\"open\n";
  for (int i = 0; i < 500; ++i) content += "xxxx,yyyy\n";
  content += "\"closed\",1\n";
  const auto rows = TableFile(content).rows(dialect);
  ASSERT_EQ(rows.size(), 502u);
  EXPECT_EQ(rows[0].text(), "2! bad_quoting");
  EXPECT_EQ(rows[0].raw, "\"one\ntwo\",\"open");
  EXPECT_EQ(rows[0].errors[0].reason, "a quote is not closed within the largest row (line 3)");
  EXPECT_EQ(rows[1].text(), "4: xxxx|yyyy");
  EXPECT_EQ(rows[501].text(), "504: closed|1");
}

TEST(TableReader, LineBeyondTheLimitIsSkippedInBoundedMemory) {
  CsvDialect dialect;
  dialect.row_bytes_max = 100'000;
  for (const std::string_view start : {"1,", "1,\"", "\"a\nb\","}) {
    const std::string content = "a,b\n" + std::string(start) + std::string(3'000'000, 'x') +
                                "\n3,4\n" + std::string(100'000, 'y') + "z\n5,6\n";
    const auto rows = TableFile(content).rows(dialect);
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0].text(), "2! too_large");
    EXPECT_LE(rows[0].raw.size(), 4096u);
    EXPECT_THAT(rows[1].cells, ElementsAre("3", "4"));
    EXPECT_EQ(rows[1].line, start == "\"a\nb\"," ? 4 : 3);
    EXPECT_THAT(rows[2].text(), HasSubstr("too_large"));
    EXPECT_THAT(rows[3].cells, ElementsAre("5", "6"));
  }
}

TEST(TableReader, EndlessLastLineIsOneBadRow) {
  CsvDialect dialect;
  dialect.row_bytes_max = 1000;
  const TableFile file("a\n1\n" + std::string(600'000, 'x'));
  EXPECT_THAT(file.texts(dialect), ElementsAre("2: 1", "3! too_large"));
  EXPECT_THAT(TableFile(std::string(600'000, 'x')).texts(dialect, TableFormat::kNdjson),
              ElementsAre("1! too_large"));
  EXPECT_THAT(TableFile(std::string(600'000, 'x') + "\n\n").texts(dialect, TableFormat::kRaw),
              ElementsAre("1! too_large", "2:"));
}

TEST(TableReader, CellBeyondItsLimitNamesItsColumn) {
  CsvDialect dialect;
  dialect.field_bytes_max = 5;
  const auto rows = TableFile("a,b\n12345,123456\n").rows(dialect);
  ASSERT_EQ(rows.size(), 1u);
  ASSERT_EQ(rows[0].errors.size(), 1u);
  EXPECT_EQ(rows[0].errors[0].message(), "Field 'b': 6 bytes are above the maximum 5");
}

TEST(TableReader, NulByteIsARowError) {
  using namespace std::string_view_literals;
  EXPECT_THAT(TableFile("a,b\n1,\0\n\"\0\",2\n3,4\n"sv).texts(),
              ElementsAre("2! parse_error", "3! parse_error", "4: 3|4"));
}

TEST(TableReader, InvalidUtf8NamesItsColumn) {
  const auto rows = TableFile("a,b\n\xC3\xA9,\xE9\n\xC3\xA9,2\n").rows();
  ASSERT_EQ(rows.size(), 2u);
  ASSERT_EQ(rows[0].errors.size(), 1u);
  EXPECT_EQ(rows[0].errors[0].code, data::RecordCode::kInvalidUtf8);
  EXPECT_EQ(rows[0].errors[0].field, "b");
  EXPECT_EQ(rows[1].text(), "3: \xC3\xA9|2");
}

TEST(TableReader, FormulaCellsAreData) {
  EXPECT_THAT(TableFile("a,b\n=cmd()|x,+1\n@y,-z\n").texts(),
              ElementsAre("2: =cmd()|x|+1", "3: @y|-z"));
}

TEST(TableReader, ByteOrderMarkIsNoPartOfTheFirstColumn) {
  const TableFile file(
      "\xEF\xBB\xBF"
      "a,b\n1,2\n");
  auto reader = file.open();
  ASSERT_TRUE(reader);
  EXPECT_THAT(reader->columns(), ElementsAre("a", "b"));
}

TEST(TableReader, EmptyRowsAreDroppedByDefault) {
  EXPECT_THAT(TableFile("\n\na,b\n\n1,2\n,\n\r\n3,4\n\n").texts(), ElementsAre("5: 1|2", "8: 3|4"));
  CsvDialect dialect;
  dialect.drop_empty_rows = false;
  EXPECT_THAT(TableFile("a,b\n1,2\n,\n\n").texts(dialect),
              ElementsAre("2: 1|2", "3: |", "4! column_count"));
}

TEST(TableReader, EmptyTrailingColumnsAreDroppedWhereStated) {
  CsvDialect dialect;
  dialect.separator = ';';
  dialect.drop_empty_trailing_columns = true;
  const TableFile file("a;b;;\r\n1;2;;\r\n3;4\r\n5;6;;7\r\n;;;\r\n");
  EXPECT_THAT(file.texts(dialect), ElementsAre("2: 1|2", "3: 3|4", "4! column_count"));
}

TEST(TableReader, ColumnsAreIgnoredAndRenamed) {
  CsvDialect dialect;
  dialect.ignore_columns = {"", "x"};
  dialect.rename = {{"CO(GT)", "CO"}};
  const TableFile file(",CO(GT),x,b\n0,1.5,2,3\n");
  auto reader = file.open(dialect);
  ASSERT_TRUE(reader);
  EXPECT_THAT(reader->columns(), ElementsAre("CO", "b"));
  EXPECT_EQ(TableFile::rows_of(*reader)[0].text(), "2: 1.5|3");
}

TEST(TableReader, FileWithoutAColumnLeftIsRefused) {
  CsvDialect dialect;
  dialect.ignore_columns = {"a"};
  EXPECT_THAT(open_error("a\n1\n", dialect), HasSubstr("no column is left"));
}

TEST(TableReader, FileWithoutHeaderHasTheSchemasColumns) {
  CsvDialect dialect;
  dialect.header = false;
  const auto schema = testing::telco_schema();
  std::string line = "1";
  for (std::size_t i = 1; i < schema.size(); ++i) line += "," + std::to_string(i);
  const TableFile file(line + "\n");
  auto reader = file.open(dialect, schema);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->columns(), schema.names());
  const auto rows = TableFile::rows_of(*reader);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].line, 1);
  EXPECT_EQ(rows[0].cells.size(), schema.size());
}

TEST(TableReader, HeaderOnlyHasNoRows) {
  EXPECT_THAT(TableFile("a,b\n").texts(), IsEmpty());
  EXPECT_THAT(TableFile("a,b").texts(), IsEmpty());
}

TEST(TableReader, EmptyFileIsRefused) {
  EXPECT_THAT(open_error(""), HasSubstr("is empty"));
  EXPECT_THAT(open_error("\n\n\r\n"), HasSubstr("is empty"));
  EXPECT_THAT(open_error("\xEF\xBB\xBF"), HasSubstr("is empty"));
}

TEST(TableReader, DuplicateAndUnnamedColumnsAreRefused) {
  EXPECT_THAT(open_error("a,b,a\n"), HasSubstr("column 'a' stands twice, as columns 1 and 3"));
  EXPECT_THAT(open_error(",b\n"), HasSubstr("column 1 has no name"));
  CsvDialect dialect;
  dialect.rename = {{"x", "b"}};
  EXPECT_THAT(open_error("x,b\n", dialect), HasSubstr("column 'b' stands twice"));
}

TEST(TableReader, MissingColumnIsNamedWithTheNearestOne) {
  const auto schema =
      data::Schema::make({testing::category("gender", {"F"}),
                          testing::numeric("tenure", data::FieldType::kInteger, 0, 9)});
  const std::string error = open_error("gender,Tenur,other\n", {}, *schema);
  EXPECT_THAT(error, HasSubstr("line 1: no column for 'tenure', did you mean 'Tenur'?"));
  EXPECT_EQ(open_error("tenure,other,gender\n", {}, *schema), "");
}

TEST(TableReader, LabelAndOptionalFieldsNeedNoColumn) {
  auto fields = testing::telco_fields();
  for (data::Field& field : fields) field.required = field.name == "tenure" || field.label;
  EXPECT_EQ(open_error("tenure\n", {}, *data::Schema::make(fields)), "");
}

TEST(TableReader, MissingHeaderIsGuessedAt) {
  const auto schema =
      data::Schema::make({testing::category("gender", {"F"}),
                          testing::numeric("tenure", data::FieldType::kInteger, 0, 9)});
  EXPECT_THAT(open_error("F,3\nF,4\n", {}, *schema), HasSubstr("set csv.header: false"));
}

TEST(TableReader, OtherSeparatorIsGuessedAt) {
  EXPECT_THAT(open_error("a;b;c\n1;2;3\n"), HasSubstr("seems to use ';': set csv.separator"));
  EXPECT_THAT(open_error("a\tb\n"), HasSubstr("(tab)"));
  CsvDialect dialect;
  dialect.separator = ';';
  EXPECT_THAT(open_error("a,b\n", dialect), HasSubstr("seems to use ','"));
}

TEST(TableReader, FilesOfOtherKindsAreRefused) {
  using namespace std::string_view_literals;
  EXPECT_THAT(open_error("\x1F\x8B\x08\0\0"sv), HasSubstr("gzip"));
  EXPECT_THAT(open_error("PAR1\x15\x04"), HasSubstr("name that ends in .parquet"));
  EXPECT_THAT(open_error("\xFF\xFE"
                         "a\0,\0"sv),
              HasSubstr("UTF-16"));
  EXPECT_THAT(open_error("PK\x03\x04zip"), HasSubstr("ZIP"));
  EXPECT_THAT(open_error("a,b\r1,2\r3,4"), HasSubstr("carriage returns alone"));
  EXPECT_THAT(open_error("a,\"b\n1,2\n"), HasSubstr("header cannot be read"));
}

TEST(TableReader, MissingFileIsNoInput) {
  const auto reader = TableReader::open("/nowhere/at/all.csv", TableFormat::kCsv, {}, {});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code(), ErrorCode::kNoInput);
}

TEST(TableReader, SkippingLandsOnTheSameRow) {
  std::string content = "a,b\n";
  for (int i = 0; i < 1000; ++i) {
    content += i % 7 == 0 ? "bad\n" : i % 5 == 0 ? "\n" : "\"x\n" + std::to_string(i) + "\",y\n";
  }
  const TableFile file(content);
  const auto all = file.rows();
  for (const std::size_t from : {std::size_t{0}, std::size_t{1}, all.size() / 2, all.size() - 1}) {
    auto reader = file.open();
    ASSERT_TRUE(reader);
    ASSERT_TRUE(reader->skip_to(RowNumber(static_cast<std::int64_t>(from))));
    const auto rest = TableFile::rows_of(*reader);
    ASSERT_EQ(rest.size(), all.size() - from);
    EXPECT_EQ(rest[0].text(), all[from].text());
    EXPECT_EQ(rest[0].row, static_cast<std::int64_t>(from));
  }
  auto reader = file.open();
  ASSERT_TRUE(reader->skip_to(RowNumber(1'000'000)));
  EXPECT_THAT(TableFile::rows_of(*reader), IsEmpty());
}

TEST(TableReader, ProgressReachesTheSizeOfTheFile) {
  const TableFile file("a,b\n1,2\n3,4\n");
  auto reader = file.open();
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->bytes_total(), 12u);
  EXPECT_EQ(reader->bytes_read(), 4u);
  TableFile::rows_of(*reader);
  EXPECT_EQ(reader->bytes_read(), 12u);
}

TEST(TableReader, NdjsonRowsAreObjects) {
  const TableFile file("{\"a\":1}\r\n\n  \n[1]\n{\"a\":}\n{\"a\":1,\"a\":2}\n{\"b\":2}");
  EXPECT_THAT(file.texts({}, TableFormat::kNdjson),
              ElementsAre("1:", "4! not_an_object", "5! parse_error", "6! duplicate_key", "7:"));
  const auto rows = file.rows({}, TableFormat::kNdjson);
  EXPECT_EQ(rows[0].raw, "{\"a\":1}");
  EXPECT_EQ(rows[4].raw, "{\"b\":2}");
  EXPECT_EQ(rows[4].row, 4);
  EXPECT_THAT(TableFile("").texts({}, TableFormat::kNdjson), IsEmpty());
}

TEST(TableReader, RawLinesAreAsTheyAre) {
  using namespace std::string_view_literals;
  const auto rows = TableFile("\xEF\xBB\xBFx\r\n\n\0\xFF\n{\nlast"sv).rows({}, TableFormat::kRaw);
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[0].raw, "\xEF\xBB\xBFx\r");
  EXPECT_EQ(rows[1].raw, "");
  EXPECT_EQ(rows[2].raw, "\0\xFF"sv);
  EXPECT_EQ(rows[4].raw, "last");
  for (const auto& row : rows) EXPECT_THAT(row.errors, IsEmpty());
  EXPECT_EQ(TableFile("a\n").rows({}, TableFormat::kRaw).size(), 1u);
}

TEST(TableReader, RowsOfAPipeComeWhenTheyAreThereAndAStopEndsTheWait) {
  auto folder = env::TemporaryFolder::make("pipe");
  ASSERT_TRUE(folder);
  const std::string path = folder->path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int writer = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  const std::string_view start = "a,b\nthis is one,2\n3,";
  ASSERT_EQ(::write(writer, start.data(), start.size()), static_cast<ssize_t>(start.size()));
  env::StopToken stop;
  auto reader = TableReader::open(path, TableFormat::kCsv, {}, {}, &stop);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->bytes_total(), 0u);
  auto first = reader->next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->cells[0], "this is one");
  stop.request();
  const auto interrupted = reader->next();
  ASSERT_FALSE(interrupted);
  EXPECT_EQ(interrupted.error().code(), ErrorCode::kInterrupted);
  ::close(writer);
}

TEST(TableFormat, IsKnownByTheEnding) {
  EXPECT_EQ(format_of_path("a/b.csv"), TableFormat::kCsv);
  EXPECT_EQ(format_of_path("b.ndjson"), TableFormat::kNdjson);
  EXPECT_EQ(format_of_path("b.jsonl"), TableFormat::kNdjson);
  EXPECT_EQ(format_of_path("b.json"), TableFormat::kNdjson);
  EXPECT_EQ(format_of_path("-"), TableFormat::kCsv);
  EXPECT_EQ(format_of_path("table"), TableFormat::kCsv);
  EXPECT_EQ(format_of_path("a.parquet"), TableFormat::kParquet);
}

}  // namespace
}  // namespace millrace::codec
