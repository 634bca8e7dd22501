#include "codec/internal/parquet_rows.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "codec/internal/csv_header.h"
#include "codec/internal/derived_columns.h"
#include "codec/internal/parquet_plugin.h"
#include "env/clock.h"
#include "env/random_file.h"
#include "json/text.h"

namespace millrace::codec::internal {
namespace {

constexpr std::size_t kTimeSize = 24;

// As `produce` would read it from a CSV. NaN, which is how pandas writes what is missing, is
// nothing.
void append_number(std::string& out, double number, char point) {
  if (std::isnan(number)) return;
  if (std::isinf(number)) {
    out += number > 0 ? "inf" : "-inf";
    return;
  }
  const std::size_t from = out.size();
  json::append_number(out, number);
  const std::string_view text = std::string_view(out).substr(from);
  if (text.ends_with(".0")) out.resize(out.size() - 2);
  if (point != '.')
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), '.', point);
}

void append_time(std::string& out, std::int64_t time_ms) {
  char text[kTimeSize];
  env::format_rfc3339(Timestamp(time_ms), text);
  out.append(text, kTimeSize);
}

}  // namespace

struct ParquetRows::State {
  State(env::RandomFile from, const CsvDialect& how)
      : file(std::move(from)), name(file.path().string()), dialect(how) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (handle != nullptr) api->read_free(handle);
  }

  static int read_bytes(void* context, std::int64_t at, char* into, std::size_t size) {
    State& self = *static_cast<State*>(context);
    Status read = self.file.read_at(static_cast<std::uint64_t>(at), {into, size});
    if (read) return 0;
    if (!self.failure) self.failure = std::move(read.error());
    return 1;
  }
  Error error_of(const plugin::ParquetError& error) const {
    return failure ? *failure : parquet_error(name, error);
  }

  Status start(const data::Schema& schema);
  CsvDialect dialect_of() const;
  Status check_kinds(const std::vector<plugin::ParquetColumn>& heads) const;
  Status next_batch();
  void append_cell(const plugin::ParquetColumn& column);
  void check_texts(TableRow& row) const;

  env::RandomFile file;
  std::string name;
  CsvDialect dialect;
  std::optional<Error> failure;  // of reading
  const plugin::ParquetApi* api = nullptr;
  plugin::ParquetReaderHandle* handle = nullptr;
  std::vector<std::string> names;  // of all columns of the file
  CsvColumns columns;
  DerivedColumns derived;
  std::vector<std::size_t> selected;  // columns of the file that are read, ascending
  std::vector<plugin::ParquetColumn> batch;
  std::size_t batch_rows = 0;
  std::size_t at = 0;  // in the batch
  std::int64_t line = 0;
  std::string text;  // the cells of a row, commas between
  std::vector<std::size_t> ends;
};

ParquetRows::ParquetRows(std::unique_ptr<State> state) : state_(std::move(state)) {}
ParquetRows::ParquetRows(ParquetRows&&) noexcept = default;
ParquetRows& ParquetRows::operator=(ParquetRows&&) noexcept = default;
ParquetRows::~ParquetRows() = default;

Result<ParquetRows> ParquetRows::open(const std::string& path, const CsvDialect& dialect,
                                      const data::Schema& schema) {
  if (path == "-") {
    return Error(ErrorCode::kUsage,
                 "Parquet cannot be read from standard input, because its table of contents stands "
                 "at the end. Give a file.");
  }
  MILLRACE_ASSIGN(env::RandomFile file, env::RandomFile::open(path));
  auto state = std::make_unique<State>(std::move(file), dialect);
  MILLRACE_ASSIGN(state->api, load_parquet());
  MILLRACE_TRY(state->start(schema));
  return ParquetRows(std::move(state));
}

const std::vector<std::string>& ParquetRows::columns() const { return state_->columns.names; }

std::uint64_t ParquetRows::bytes_total() const { return state_->file.size(); }

// By rows: the bytes of a file are read column by column.
std::uint64_t ParquetRows::bytes_read() const {
  const auto total = static_cast<double>(state_->api->read_rows_total(state_->handle));
  if (total <= 0) return bytes_total();
  const double share = std::min(1.0, static_cast<double>(state_->line) / total);
  return static_cast<std::uint64_t>(share * static_cast<double>(bytes_total()));
}

Status ParquetRows::State::start(const data::Schema& schema) {
  const plugin::ParquetSource source = {this, static_cast<std::int64_t>(file.size()),
                                        &State::read_bytes};
  plugin::ParquetError error = {};
  if (api->read_open(&source, &handle, &error) != 0) return error_of(error);
  std::vector<plugin::ParquetColumn> heads(api->read_columns(handle));
  for (std::size_t i = 0; i < heads.size(); ++i) {
    api->read_column(handle, i, &heads[i]);
    names.emplace_back(heads[i].name, heads[i].name_size);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (names.empty()) return Error(ErrorCode::kBadData, "'" + name + "' has no columns.");
  const CsvDialect table = dialect_of();
  MILLRACE_ASSIGN(columns, columns_of_header(views, table, schema, "'" + name + "'"));
  MILLRACE_ASSIGN(derived, DerivedColumns::make(table, columns, "'" + name + "'"));
  selected = columns.kept;
  selected.insert(selected.end(), columns.time.begin(), columns.time.end());
  std::sort(selected.begin(), selected.end());
  MILLRACE_TRY(check_kinds(heads));
  batch.resize(selected.size());
  if (api->read_select(handle, selected.data(), selected.size(), &error) != 0) {
    return error_of(error);
  }
  return {};
}

// What is left of the dialect, since a column is whole, and typed: names, and what the file lacks.
CsvDialect ParquetRows::State::dialect_of() const {
  const auto has = [this](const std::string& column) {
    return std::find(names.begin(), names.end(), column) != names.end();
  };
  CsvDialect table;
  table.ignore_columns = dialect.ignore_columns;
  table.rename = dialect.rename;
  const auto& rule = dialect.timestamp;
  if (rule && !has(rule->field) && std::all_of(rule->columns.begin(), rule->columns.end(), has)) {
    table.timestamp = rule;
  }
  for (const auto& constant : dialect.constants) {
    if (!has(constant.first)) table.constants.push_back(constant);
  }
  return table;
}

Status ParquetRows::State::check_kinds(const std::vector<plugin::ParquetColumn>& heads) const {
  for (const std::size_t index : selected) {
    const plugin::ParquetColumn& head = heads[index];
    if (head.kind != plugin::kParquetUnsupported) continue;
    const std::string column = printable({head.name, head.name_size}, 60);
    return Error(ErrorCode::kBadData,
                 "'" + name + "': column '" + column + "' is of type " + printable(head.type, 200) +
                     ", which is no number, text or time. Leave it out with csv.ignore_columns ['" +
                     column + "'], or take it apart before.");
  }
  return {};
}

Status ParquetRows::State::next_batch() {
  plugin::ParquetError error = {};
  at = 0;
  batch_rows = 0;
  if (api->read_next(handle, batch.data(), &batch_rows, &error) != 0) return error_of(error);
  return {};
}

Result<bool> ParquetRows::read(TableRow& row) {
  State& s = *state_;
  if (s.at >= s.batch_rows) {
    MILLRACE_TRY(s.next_batch());
    if (s.batch_rows == 0) return false;
  }
  s.text.clear();
  s.ends.clear();
  for (const plugin::ParquetColumn& column : s.batch) {
    s.append_cell(column);
    s.ends.push_back(s.text.size());
    s.text += ',';
  }
  ++s.at;
  row.line = ++s.line;
  row.raw = std::string_view(s.text).substr(0, s.text.size() - 1);
  row.cells.assign(s.columns.in_file, std::string_view());
  std::size_t from = 0;
  for (std::size_t i = 0; i < s.ends.size(); ++i) {
    row.cells[s.selected[i]] = std::string_view(s.text).substr(from, s.ends[i] - from);
    from = s.ends[i] + 1;
  }
  s.check_texts(row);
  if (row.errors.empty()) MILLRACE_TRY(s.derived.read(row));
  if (row.errors.empty()) {
    for (std::size_t i = 0; i < s.columns.kept.size(); ++i) {
      row.cells[i] = row.cells[s.columns.kept[i]];
    }
    row.cells.resize(s.columns.kept.size());
    s.derived.append(row.cells);
  } else {
    row.cells.clear();
  }
  return true;
}

void ParquetRows::State::append_cell(const plugin::ParquetColumn& column) {
  if (column.valid != nullptr && column.valid[at] == 0) return;
  switch (column.kind) {
    case plugin::kParquetBoolean:
      text += static_cast<const std::uint8_t*>(column.values)[at] != 0 ? "true" : "false";
      return;
    case plugin::kParquetInteger:
      text += std::to_string(static_cast<const std::int64_t*>(column.values)[at]);
      return;
    case plugin::kParquetNumber:
      append_number(text, static_cast<const double*>(column.values)[at],
                    dialect.decimal_comma ? ',' : '.');
      return;
    case plugin::kParquetTime:
      append_time(text, static_cast<const std::int64_t*>(column.values)[at]);
      return;
    default:
      text.append(column.bytes + column.offsets[at],
                  static_cast<std::size_t>(column.offsets[at + 1] - column.offsets[at]));
      return;
  }
}

void ParquetRows::State::check_texts(TableRow& row) const {
  const auto add = [&row](data::RecordCode code, const std::string& field, std::string reason) {
    row.errors.push_back({code, field, std::move(reason)});
  };
  if (text.size() > dialect.row_bytes_max) {
    add(data::RecordCode::kTooLarge, "",
        "the row is longer than " + std::to_string(dialect.row_bytes_max) + " bytes");
  }
  for (std::size_t i = 0; i < selected.size(); ++i) {
    const std::string_view cell = row.cells[selected[i]];
    if (cell.size() > dialect.field_bytes_max) {
      add(data::RecordCode::kTooLarge, names[selected[i]],
          std::to_string(cell.size()) + " bytes are above the maximum " +
              std::to_string(dialect.field_bytes_max));
    } else if (batch[i].kind == plugin::kParquetText && !is_utf8(cell)) {
      add(data::RecordCode::kInvalidUtf8, names[selected[i]], "the cell is not UTF-8");
    }
  }
}

}  // namespace millrace::codec::internal
