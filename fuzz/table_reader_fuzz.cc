// Any bytes as a file. The first byte chooses format and dialect. Never a crash; the rows cover the
// file once and in order; skipping lands where reading does; what a row becomes is JSON.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/row_decoder.h"
#include "codec/table_reader.h"

namespace {

using namespace millrace::codec;  // NOLINT: a program of one file
using millrace::RowNumber;

constexpr std::size_t kRowBytesMax = 300;  // small, so that the limit is met

// The bytes as a file that has a name.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : fd_(::memfd_create("table", MFD_CLOEXEC)) {
    CHECK(fd_ >= 0);
    CHECK(::write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

CsvDialect dialect_of(std::uint8_t choice) {
  CsvDialect dialect;
  dialect.row_bytes_max = kRowBytesMax;
  dialect.field_bytes_max = kRowBytesMax / 2;
  dialect.separator = (choice & 1) != 0 ? ';' : ',';
  dialect.decimal_comma = (choice & 2) != 0;
  dialect.drop_empty_rows = (choice & 4) != 0;
  dialect.drop_empty_trailing_columns = (choice & 8) != 0;
  if ((choice & 16) != 0) dialect.ignore_columns = {"", "x"};
  const int derived = (choice >> 5) / 3;  // what is left of the bits that choose the format
  if (derived == 1) {
    dialect.timestamp = CsvTimestamp{"ts", {"d", "t"}, "%d/%m/%Y %H.%M.%S", std::chrono::hours(1)};
  } else if (derived == 2) {
    dialect.timestamp = CsvTimestamp{"ts", {"d"}, "%m/%d/%Y", millrace::Milliseconds(0)};
    dialect.constants = {{"c", "1"}};
  }
  return dialect;
}

// Every column a number, so that rows exercise the encoder's numbers too.
millrace::data::Schema schema_of(const std::vector<std::string>& columns) {
  std::vector<millrace::data::Field> fields;
  for (const std::string& name : columns) {
    millrace::data::Field field;
    field.name = name;
    field.type = fields.size() % 2 == 0 ? millrace::data::FieldType::kNumber
                                        : millrace::data::FieldType::kString;
    field.null = field.blank = millrace::data::Policy::kMissing;
    field.accept_text = fields.size() % 4 == 2;
    fields.push_back(field);
  }
  return std::move(*millrace::data::Schema::make(std::move(fields)));
}

// A good row's message is JSON: of its errors, none is about the message's form.
void check_message(RowDecoder& decoder, const TableRow& row,
                   std::vector<millrace::data::Cell>& cells) {
  millrace::data::RecordErrors errors;
  if (decoder.decode(row, cells, errors)) return;
  for (const auto& error : errors) {
    CHECK(error.code == millrace::data::RecordCode::kWrongType);
  }
}

// One more row; `refused`: its time refuses the file.
bool read(TableReader& reader, TableRow& row, bool& refused) {
  const auto more = reader.read(row);
  refused = !more.has_value();
  CHECK(more.has_value() || more.error().code() == millrace::ErrorCode::kBadData);
  return more && *more;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
  const CsvDialect dialect = dialect_of(data[0]);
  const auto format = static_cast<TableFormat>((data[0] >> 5) % 3);
  const MemoryFile file(content);
  auto reader = TableReader::open(file.path(), format, dialect, {});
  if (!reader) return 0;
  const auto schema = schema_of(reader->columns());
  auto decoder = RowDecoder::make(schema, reader->columns(), dialect, Purpose::kScoring);
  CHECK(decoder.has_value());
  std::vector<millrace::data::Cell> cells(schema.size());
  TableRow row;
  std::int64_t rows = 0;
  std::int64_t line = 0;
  std::vector<std::string> raws;
  bool refused = false;
  while (read(*reader, row, refused)) {
    CHECK(row.row.value() == rows++);
    CHECK(row.line > line);
    CHECK(row.raw.size() <= kRowBytesMax || !row.errors.empty());
    CHECK(row.errors.empty() || row.cells.empty());
    line = row.line;
    raws.emplace_back(row.raw);
    if (row.errors.empty() && format == TableFormat::kCsv) check_message(*decoder, row, cells);
  }
  CHECK(refused || reader->bytes_read() == content.size());
  auto again = TableReader::open(file.path(), format, dialect, {});
  CHECK(again->skip_to(RowNumber(rows / 2)).has_value());
  for (std::int64_t i = rows / 2; i < rows; ++i) {
    CHECK(read(*again, row, refused));
    CHECK(row.raw == raws[static_cast<std::size_t>(i)]);
  }
  CHECK(!read(*again, row, refused));
  return 0;
}
