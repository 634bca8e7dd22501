// Files written and read through the plugin: every kind of column comes back, and no damage to a
// file does more than an error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "codec/parquet_writer.h"
#include "codec/table_reader.h"
#include "env/file.h"

namespace millrace::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t kFileMax = 64 << 20;

class ParquetFile : public ::testing::Test {
 protected:
  ParquetFile() : folder_(std::move(*env::TemporaryFolder::make("parquet"))) {}

  env::Path path() const { return folder_.path() / "table.parquet"; }

  const std::vector<ColumnHead> heads_ = {
      {"on", ColumnKind::kBoolean},   {"count", ColumnKind::kInteger},
      {"level", ColumnKind::kNumber}, {"at", ColumnKind::kTimestamp},
      {"name", ColumnKind::kText},    {"kind", ColumnKind::kCategory},
      {"bytes", ColumnKind::kBytes},
  };

  // `rows` rows in row groups of `group`; every fifth value is null.
  void write(std::size_t rows, std::size_t group, Compression compression = Compression::kSnappy) {
    auto writer = ParquetWriter::create(path(), heads_, compression);
    ASSERT_TRUE(writer) << writer.error().message();
    std::vector<ColumnValues> columns;
    for (const ColumnHead& head : heads_) columns.emplace_back(head.kind);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t c = 0; c < columns.size(); ++c) add(columns[c], row, c);
      if (columns[0].rows() < group && row + 1 < rows) continue;
      ASSERT_TRUE(writer->write(columns));
      for (ColumnValues& column : columns) column.clear();
    }
    ASSERT_TRUE(writer->finish());
    ASSERT_TRUE(writer->commit());
  }

  static void add(ColumnValues& column, std::size_t row, std::size_t index) {
    const auto number = static_cast<std::int64_t>(row);
    if ((row + index) % 5 == 0) return column.add_null();
    switch (column.kind()) {
      case ColumnKind::kBoolean:
        return column.add_boolean(row % 2 == 0);
      case ColumnKind::kInteger:
        return column.add_integer(number - 3);
      case ColumnKind::kNumber:
        return column.add_number(static_cast<double>(number) / 7);
      case ColumnKind::kTimestamp:
        return column.add_time(Timestamp(number * 3'600'000 - 1));
      default:
        return column.add_text("t" + std::to_string(row % 3));
    }
  }

  // Reads to the end: rows, or the error's text.
  Result<std::size_t> count_rows(const CsvDialect& dialect = {}) {
    auto reader = TableReader::open(path(), TableFormat::kParquet, dialect, {});
    if (!reader) return reader.error();
    TableRow row;
    std::size_t rows = 0;
    while (true) {
      MILLRACE_ASSIGN(const bool more, reader->read(row));
      if (!more) return rows;
      EXPECT_TRUE(!row.errors.empty() || row.cells.size() == reader->columns().size());
      ++rows;
    }
  }

  env::TemporaryFolder folder_;
};

TEST_F(ParquetFile, EveryKindComesBackAsCells) {
  write(9, 4);
  auto reader = TableReader::open(path(), TableFormat::kParquet, {}, {});
  ASSERT_TRUE(reader) << reader.error().message();
  EXPECT_THAT(reader->columns(),
              ElementsAre("on", "count", "level", "at", "name", "kind", "bytes"));
  TableRow row;
  ASSERT_TRUE(*reader->read(row));
  EXPECT_EQ(row.line, 1);
  EXPECT_THAT(row.cells, ElementsAre("", "-3", "0", "1969-12-31T23:59:59.999Z", "t0", "", "t0"));
  ASSERT_TRUE(*reader->read(row));
  EXPECT_THAT(row.cells, ElementsAre("false", "-2", "0.14285714285714285",
                                     "1970-01-01T00:59:59.999Z", "", "t1", "t1"));
  ASSERT_TRUE(reader->skip_to(RowNumber(7)));
  ASSERT_TRUE(*reader->read(row));
  EXPECT_EQ(row.row, RowNumber(7));
  EXPECT_THAT(row.cells, ElementsAre("false", "4", "1", "", "t1", "t1", "t1"));
  ASSERT_TRUE(*reader->read(row));
  EXPECT_FALSE(*reader->read(row));
  EXPECT_EQ(reader->bytes_read(), reader->bytes_total());
}

TEST_F(ParquetFile, RowGroupsAndCompressionsAreNoDifference) {
  for (const auto compression :
       {Compression::kSnappy, Compression::kZstd, Compression::kGzip, Compression::kNone}) {
    write(10'000, 999, compression);
    EXPECT_EQ(*count_rows(), 10'000U);
  }
}

TEST_F(ParquetFile, WithoutRowsHasColumns) {
  auto writer = ParquetWriter::create(path(), heads_, Compression::kSnappy);
  ASSERT_TRUE(writer->finish());
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(*count_rows(), 0U);
}

TEST_F(ParquetFile, IsNotThereBeforeItIsWhole) {
  {
    auto writer = ParquetWriter::create(path(), heads_, Compression::kSnappy);
    ASSERT_TRUE(writer->finish());
    EXPECT_FALSE(std::filesystem::exists(path()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ParquetFile, NumbersAreWrittenAsTheDialectReadsThem) {
  auto writer = ParquetWriter::create(path(), {{"x", ColumnKind::kNumber}}, Compression::kNone);
  std::vector<ColumnValues> column(1, ColumnValues(ColumnKind::kNumber));
  column[0].add_number(0.5);
  column[0].add_number(std::nan(""));
  column[0].add_number(std::numeric_limits<double>::infinity());
  column[0].add_number(-0.0);
  ASSERT_TRUE(writer->write(column));
  ASSERT_TRUE(writer->finish());
  ASSERT_TRUE(writer->commit());
  CsvDialect dialect;
  dialect.decimal_comma = true;
  dialect.rename = {{"x", "level"}};
  auto reader = TableReader::open(path(), TableFormat::kParquet, dialect, {});
  EXPECT_THAT(reader->columns(), ElementsAre("level"));
  TableRow row;
  std::vector<std::string> cells;
  while (*reader->read(row)) cells.emplace_back(row.cells[0]);
  EXPECT_THAT(cells, ElementsAre("0,5", "", "inf", "-0"));
}

TEST_F(ParquetFile, BytesThatAreNoTextAreABadRow) {
  auto writer = ParquetWriter::create(path(), {{"b", ColumnKind::kBytes}}, Compression::kNone);
  std::vector<ColumnValues> column(1, ColumnValues(ColumnKind::kBytes));
  column[0].add_text("\xFF\xFE");
  column[0].add_text("fine");
  ASSERT_TRUE(writer->write(column));
  ASSERT_TRUE(writer->finish());
  ASSERT_TRUE(writer->commit());
  auto reader = TableReader::open(path(), TableFormat::kParquet, {}, {});
  TableRow row;
  ASSERT_TRUE(*reader->read(row));
  ASSERT_EQ(row.errors.size(), 1U);
  EXPECT_EQ(row.errors[0].code, data::RecordCode::kInvalidUtf8);
  ASSERT_TRUE(*reader->read(row));
  EXPECT_THAT(row.cells, ElementsAre("fine"));
}

TEST_F(ParquetFile, StandardInputIsRefused) {
  const auto reader = TableReader::open("-", TableFormat::kParquet, {}, {});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code(), ErrorCode::kUsage);
}

TEST_F(ParquetFile, AFieldThatIsRequiredNeedsItsColumn) {
  write(3, 3);
  data::Field field;
  field.name = "station";
  const auto reader =
      TableReader::open(path(), TableFormat::kParquet, {}, *data::Schema::make({field}));
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().message(), HasSubstr("no column for 'station'"));
}

TEST_F(ParquetFile, CutAnywhereIsAnError) {
  write(200, 64);
  const std::string whole = *env::read_file(path(), kFileMax);
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 37) {
    ASSERT_TRUE(env::write_file_atomic(path(), whole.substr(0, size)));
    const auto rows = count_rows();
    ASSERT_FALSE(rows) << size;
    EXPECT_EQ(rows.error().code(), ErrorCode::kBadData) << rows.error().message();
    EXPECT_THAT(rows.error().message(), HasSubstr("table.parquet"));
  }
}

// Pages carry a checksum; what is left are the headers and the footer.
TEST_F(ParquetFile, DamageIsAnErrorOrAsManyRows) {
  write(200, 64);
  const std::string whole = *env::read_file(path(), kFileMax);
  std::mt19937 random(1);
  std::size_t refused = 0;
  constexpr std::size_t kTimes = 600;
  for (std::size_t i = 0; i < kTimes; ++i) {
    std::string damaged = whole;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    ASSERT_TRUE(env::write_file_atomic(path(), damaged));
    const auto rows = count_rows();
    if (!rows) {
      ++refused;
      EXPECT_THAT(rows.error().code(),
                  ::testing::AnyOf(ErrorCode::kBadData, ErrorCode::kLimitExceeded))
          << rows.error().message();
    } else {
      EXPECT_LE(*rows, 100'000U);
    }
  }
  EXPECT_GT(refused, kTimes / 4);
}

}  // namespace
}  // namespace millrace::codec
