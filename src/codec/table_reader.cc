#include "codec/table_reader.h"

#include <algorithm>

#include "base/check.h"
#include "base/human.h"
#include "base/text.h"
#include "codec/internal/block_reader.h"
#include "codec/internal/csv_header.h"
#include "codec/internal/csv_splitter.h"
#include "codec/internal/decimal.h"
#include "codec/internal/derived_columns.h"
#include "codec/internal/parquet_rows.h"
#include "codec/record_decoder.h"

namespace millrace::codec {
namespace {

using data::RecordCode;
using internal::CsvSplit;
using internal::CsvSplitter;
using Last = CsvSplitter::Last;

constexpr std::size_t kRawKeptMax = 4096;  // of a row that is too large
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

void add_error(TableRow& row, RecordCode code, std::string reason, std::string_view field = {}) {
  row.errors.push_back({code, std::string(field), std::move(reason)});
}

bool all_empty(const std::vector<std::string_view>& cells) {
  return std::all_of(cells.begin(), cells.end(),
                     [](std::string_view cell) { return cell.empty(); });
}

}  // namespace

TableFormat format_of_path(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  const std::string_view ending = dot == std::string_view::npos ? "" : path.substr(dot);
  if (ending == ".ndjson" || ending == ".jsonl" || ending == ".json") return TableFormat::kNdjson;
  if (ending == ".parquet") return TableFormat::kParquet;
  return TableFormat::kCsv;
}

struct TableReader::State {
  State(env::InputFile file, std::string name_in, TableFormat format_in,
        const CsvDialect& dialect_in)
      : name(std::move(name_in)),
        format(format_in),
        dialect(dialect_in),
        blocks(std::move(file)),
        splitter(dialect.separator, dialect.quote, internal::kColumnsMax + 1) {}

  Status start(const data::Schema& schema);
  Status read_header(const data::Schema& schema);
  Result<bool> read(TableRow& row);
  Result<bool> read_csv(TableRow& row);
  Result<bool> read_line(TableRow& row);
  Status skip_rest_of_line();
  Status check_csv(const CsvSplit& split, TableRow& row);
  Status check_cells(const CsvSplit& split, TableRow& row);
  void check_sizes_and_utf8(const CsvSplit& split, TableRow& row) const;
  void check_json(TableRow& row);
  bool drop_empty_trailing(TableRow& row) const;
  bool too_large(std::string_view text, TableRow& row);
  std::string_view text_in_sight() const;
  Last last_in_sight(std::string_view text) const;
  void advance(std::size_t bytes, std::int64_t lines);

  std::string name;       // for messages
  bool nameless = false;  // no ending says what it holds
  TableFormat format;
  CsvDialect dialect;
  internal::BlockReader blocks;
  CsvSplitter splitter;
  internal::CsvColumns columns;
  internal::DerivedColumns derived;
  std::optional<RecordDecoder> structure;  // NDJSON: is it an object?
  std::optional<internal::ParquetRows> parquet;
  std::int64_t line = 1;
  RowNumber next_row;
  bool in_long_line = false;  // what is left of a line that was too large is to be skipped
};

TableReader::TableReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TableReader::TableReader(TableReader&&) noexcept = default;
TableReader& TableReader::operator=(TableReader&&) noexcept = default;
TableReader::~TableReader() = default;

Result<TableReader> TableReader::open(const std::string& path, TableFormat format,
                                      const CsvDialect& dialect, const data::Schema& schema,
                                      const env::StopToken* stop) {
  MILLRACE_ASSIGN(env::InputFile file, env::InputFile::open(path));
  if (stop != nullptr) file.interrupt_by(*stop);
  const std::string name = path == "-" ? "standard input" : "'" + path + "'";
  auto state = std::make_unique<State>(std::move(file), name, format, dialect);
  state->nameless = path == "-";
  if (format == TableFormat::kParquet) {
    MILLRACE_ASSIGN(state->parquet, internal::ParquetRows::open(path, dialect, schema));
    return TableReader(std::move(state));
  }
  MILLRACE_TRY(state->start(schema));
  return TableReader(std::move(state));
}

TableFormat TableReader::format() const { return state_->format; }

const std::vector<std::string>& TableReader::columns() const {
  return state_->parquet ? state_->parquet->columns() : state_->columns.names;
}

Result<bool> TableReader::read(TableRow& row) { return state_->read(row); }

Result<std::optional<TableRow>> TableReader::next() {
  TableRow row;
  MILLRACE_ASSIGN(const bool found, state_->read(row));
  if (!found) return std::optional<TableRow>();
  return std::optional<TableRow>(std::move(row));
}

Status TableReader::skip_to(RowNumber row) {
  CHECK(row.value() >= state_->next_row.value());
  TableRow skipped;
  while (state_->next_row.value() < row.value()) {
    MILLRACE_ASSIGN(const bool found, state_->read(skipped));
    if (!found) break;
  }
  return {};
}

std::uint64_t TableReader::bytes_read() const {
  return state_->parquet ? state_->parquet->bytes_read() : state_->blocks.consumed();
}
std::uint64_t TableReader::bytes_total() const { return state_->blocks.file_size(); }

Status TableReader::State::start(const data::Schema& schema) {
  if (format == TableFormat::kRaw) return {};
  constexpr std::size_t kMagicBytesMax = 16;
  while (blocks.window().size() < kMagicBytesMax && !blocks.at_end()) MILLRACE_TRY(blocks.more());
  MILLRACE_TRY(internal::check_is_text(blocks.window(), name));
  if (blocks.window().starts_with(kByteOrderMark)) blocks.consume(kByteOrderMark.size());
  if (nameless && internal::trimmed(blocks.window()).starts_with('{')) {
    format = TableFormat::kNdjson;
  }
  if (format == TableFormat::kCsv) {
    if (dialect.header) return read_header(schema);
    MILLRACE_ASSIGN(columns, internal::columns_of_schema(dialect, schema, name));
    MILLRACE_ASSIGN(derived, internal::DerivedColumns::make(dialect, columns, name));
    return {};
  }
  DecodeLimits limits;
  limits.bytes_max = dialect.row_bytes_max;
  MILLRACE_ASSIGN(structure, RecordDecoder::make(data::Schema(), Purpose::kScoring, limits));
  return {};
}

Status TableReader::State::read_header(const data::Schema& schema) {
  std::vector<std::string_view> cells;
  while (true) {
    const std::string_view text = text_in_sight();
    if (text.empty() && blocks.at_end()) {
      return Error(ErrorCode::kBadData, name + " is empty: not even a header line.");
    }
    const CsvSplit split = splitter.split(text, last_in_sight(text), cells);
    if (split.outcome == CsvSplit::Outcome::kNeedMore && text.size() <= dialect.row_bytes_max) {
      MILLRACE_TRY(blocks.more());
      continue;
    }
    std::string where = name + " line " + std::to_string(line);
    if (split.outcome != CsvSplit::Outcome::kRow) {
      const std::string why = split.outcome == CsvSplit::Outcome::kBad ? std::string(split.reason)
                                                                       : "the line is too long";
      where += ": the header cannot be read: " + why + ".";
      return Error(ErrorCode::kBadData, where);
    }
    if (text.substr(0, split.raw_size).find('\r') != std::string_view::npos) {
      return Error(ErrorCode::kBadData, where +
                                            ": carriage returns alone end the lines of this "
                                            "file. Convert it to LF or CRLF.");
    }
    if (!all_empty(cells) || !dialect.drop_empty_rows) {
      MILLRACE_ASSIGN(columns, internal::columns_of_header(cells, dialect, schema, where));
      MILLRACE_ASSIGN(derived, internal::DerivedColumns::make(dialect, columns, name));
      advance(split.size, split.lines);
      return {};
    }
    advance(split.size, split.lines);
  }
}

// What a splitter may look at: cut, so that what is a row never depends on how the file was read.
std::string_view TableReader::State::text_in_sight() const {
  return blocks.window().substr(0, dialect.row_bytes_max + 2);
}

Last TableReader::State::last_in_sight(std::string_view text) const {
  return blocks.at_end() && text.size() == blocks.window().size() ? Last::kYes : Last::kNo;
}

void TableReader::State::advance(std::size_t bytes, std::int64_t lines) {
  blocks.consume(bytes);
  line += lines;
}

Result<bool> TableReader::State::read(TableRow& row) {
  row.errors.clear();
  row.cells.clear();
  row.raw = {};
  if (in_long_line) MILLRACE_TRY(skip_rest_of_line());
  MILLRACE_ASSIGN(const bool found, parquet                       ? parquet->read(row)
                                    : format == TableFormat::kCsv ? read_csv(row)
                                                                  : read_line(row));
  if (found) {
    row.row = next_row;
    next_row = next_row.next();
  }
  return found;
}

Status TableReader::State::skip_rest_of_line() {
  while (true) {
    const std::string_view window = blocks.window();
    const std::size_t line_end = window.find('\n');
    if (line_end != std::string_view::npos) {
      advance(line_end + 1, 1);
      break;
    }
    blocks.consume(window.size());
    if (blocks.at_end()) break;
    MILLRACE_TRY(blocks.more());
  }
  in_long_line = false;
  return {};
}

// The start of a line beyond row_bytes_max becomes a bad row; the rest is skipped by the next read,
// block by block.
bool TableReader::State::too_large(std::string_view text, TableRow& row) {
  row.line = line;
  row.raw = text.substr(0, kRawKeptMax);
  row.cells.clear();
  add_error(row, RecordCode::kTooLarge,
            "the row is longer than " + std::to_string(dialect.row_bytes_max) + " bytes");
  in_long_line = true;
  advance(text.size(), std::count(text.begin(), text.end(), '\n'));
  return true;
}

Result<bool> TableReader::State::read_csv(TableRow& row) {
  while (true) {
    const std::string_view text = text_in_sight();
    const Last last = last_in_sight(text);
    if (text.empty() && last == Last::kYes) return false;
    CsvSplit split = splitter.split(text, last, row.cells);
    if (split.outcome == CsvSplit::Outcome::kNeedMore) {
      if (text.size() <= dialect.row_bytes_max) {
        MILLRACE_TRY(blocks.more());
        continue;
      }
      if (split.open_quote == CsvSplit::kNowhere) return too_large(text, row);
      split = CsvSplitter::give_up(text, last, split.open_quote,
                                   "a quote is not closed within the largest row");
      if (split.outcome == CsvSplit::Outcome::kNeedMore) return too_large(text, row);
    }
    row.line = line;
    row.raw = text.substr(0, split.raw_size);
    const bool dropped =
        dialect.drop_empty_rows && split.outcome == CsvSplit::Outcome::kRow && all_empty(row.cells);
    if (!dropped) MILLRACE_TRY(check_csv(split, row));
    advance(split.size, split.lines);
    if (!dropped) return true;
  }
}

Status TableReader::State::check_csv(const CsvSplit& split, TableRow& row) {
  if (split.outcome == CsvSplit::Outcome::kBad) {
    const bool ended = split.size > split.raw_size;  // by a line end, which is counted
    const std::int64_t fault_line = line + split.lines - (ended ? 1 : 0);
    std::string reason(split.reason);
    if (split.code == RecordCode::kBadQuoting && fault_line != line) {
      reason += " (line " + std::to_string(fault_line) + ")";
    }
    add_error(row, split.code, std::move(reason));
  } else {
    MILLRACE_TRY(check_cells(split, row));
  }
  if (!row.errors.empty()) row.cells.clear();
  return {};
}

Status TableReader::State::check_cells(const CsvSplit& split, TableRow& row) {
  if (split.raw_size > dialect.row_bytes_max) {
    add_error(row, RecordCode::kTooLarge,
              "the row is longer than " + std::to_string(dialect.row_bytes_max) + " bytes");
  }
  const std::size_t expected = columns.in_file;
  if (split.cell_count != expected && !(split.cell_count > expected && drop_empty_trailing(row))) {
    add_error(row, RecordCode::kColumnCount,
              human_count(split.cell_count, "cell", "cells") + " where the file has " +
                  std::to_string(expected) + " columns");
    return {};
  }
  MILLRACE_TRY(derived.read(row));
  if (!columns.all_kept()) {
    for (std::size_t i = 0; i < columns.kept.size(); ++i) row.cells[i] = row.cells[columns.kept[i]];
    row.cells.resize(columns.kept.size());
  }
  check_sizes_and_utf8(split, row);
  derived.append(row.cells);
  return {};
}

void TableReader::State::check_sizes_and_utf8(const CsvSplit& split, TableRow& row) const {
  if (row.raw.size() > dialect.field_bytes_max) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (row.cells[i].size() <= dialect.field_bytes_max) continue;
      add_error(row, RecordCode::kTooLarge,
                std::to_string(row.cells[i].size()) + " bytes are above the maximum " +
                    std::to_string(dialect.field_bytes_max),
                columns.names[i]);
    }
  }
  if (split.ascii || is_utf8(row.raw)) return;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    if (is_utf8(row.cells[i])) continue;
    add_error(row, RecordCode::kInvalidUtf8, "the cell is not UTF-8", columns.names[i]);
  }
}

// Whether all cells beyond the columns are empty and the dialect drops them.
bool TableReader::State::drop_empty_trailing(TableRow& row) const {
  if (!dialect.drop_empty_trailing_columns || row.cells.size() > internal::kColumnsMax)
    return false;
  const auto extra = row.cells.begin() + static_cast<std::ptrdiff_t>(columns.in_file);
  if (std::any_of(extra, row.cells.end(), [](std::string_view cell) { return !cell.empty(); })) {
    return false;
  }
  row.cells.resize(columns.in_file);
  return true;
}

Result<bool> TableReader::State::read_line(TableRow& row) {
  while (true) {
    const std::string_view text = text_in_sight();
    const std::size_t line_end = text.find('\n');
    const bool last = last_in_sight(text) == Last::kYes;
    if (line_end == std::string_view::npos && !last) {
      if (text.size() > dialect.row_bytes_max) return too_large(text, row);
      MILLRACE_TRY(blocks.more());
      continue;
    }
    if (text.empty()) return false;
    std::string_view raw = text.substr(0, line_end);
    if (format == TableFormat::kNdjson && raw.ends_with('\r')) raw.remove_suffix(1);
    const bool dropped = format == TableFormat::kNdjson && internal::is_blank(raw);
    row.line = line;
    row.raw = raw;
    if (!dropped && raw.size() > dialect.row_bytes_max) {
      add_error(row, RecordCode::kTooLarge,
                "the row is longer than " + std::to_string(dialect.row_bytes_max) + " bytes");
    } else if (!dropped && format == TableFormat::kNdjson) {
      check_json(row);
    }
    advance(line_end == std::string_view::npos ? text.size() : line_end + 1, 1);
    if (!dropped) return true;
  }
}

void TableReader::State::check_json(TableRow& row) {
  static_assert(internal::BlockReader::kPadding >= kArenaPadding);
  structure->decode(row.raw, {}, row.errors);
}

}  // namespace millrace::codec
