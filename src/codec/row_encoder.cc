#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "codec/internal/decimal.h"
#include "codec/internal/json_buffer.h"
#include "codec/internal/name_table.h"
#include "codec/table_reader.h"

namespace millrace::codec {
namespace {

using data::Field;
using data::FieldType;
using internal::Decimal;
using internal::is_blank;
using internal::JsonBuffer;

// What a column's cells become.
enum class Kind {
  kText,        // a string, or null where blank
  kCategory,    // the same, but a blank level of the schema is a string
  kNumber,      // a number where it is one
  kInteger,     // a number where it is one without fraction
  kTextNumber,  // always a string, as written
  kBoolean,     // true or false where it is one
};

Kind kind_of(const Field& field) {
  switch (field.type) {
    case FieldType::kString:
    case FieldType::kTimestamp:
      return Kind::kText;
    case FieldType::kCategory:
      return Kind::kCategory;
    case FieldType::kInteger:
      return field.accept_text ? Kind::kTextNumber : Kind::kInteger;
    case FieldType::kNumber:
      return field.accept_text ? Kind::kTextNumber : Kind::kNumber;
    case FieldType::kBoolean:
      return Kind::kBoolean;
  }
  return Kind::kText;
}

struct Column {
  std::string prefix;  // `{"name":` or `,"name":`
  Kind kind = Kind::kText;
  std::vector<std::string> values;  // of a category, those that are blank
};

// Integers of up to 18 digits fit 64 bits, and decimals with a point or an exponent are doubles
// anyway: these are copied when JSON allows their text.
constexpr std::size_t kCopiedDigitsMax = 18;
constexpr double kExactIntegerMax = 9007199254740992;  // 2^53

void put_integral(JsonBuffer& out, double number) {
  if (std::abs(number) <= kExactIntegerMax) {
    out.put(std::to_string(static_cast<std::int64_t>(number)));
  } else {
    out.put_number(number);
  }
}

// False where the cell is no number that its field could hold.
bool put_number(JsonBuffer& out, std::string_view cell, Kind kind, char point) {
  const Decimal decimal = Decimal::scan(internal::trimmed(cell), point);
  if (!decimal.is_number) return false;
  const bool short_digits = decimal.digits <= kCopiedDigitsMax;
  if (decimal.is_json && decimal.is_digits && short_digits) {
    out.put_short(decimal.text);
    return true;
  }
  if (kind == Kind::kNumber && decimal.is_json && short_digits && !decimal.has_exponent) {
    out.put_short(decimal.text);
    return true;
  }
  const std::optional<double> value = decimal.value();
  if (!value || (kind == Kind::kInteger && *value != std::trunc(*value))) return false;
  if (kind == Kind::kInteger) {
    put_integral(out, *value);
  } else {
    out.put_number(*value);
  }
  return true;
}

bool put_boolean(JsonBuffer& out, std::string_view cell) {
  const std::string_view text = internal::trimmed(cell);
  if (text == "true" || text == "True" || text == "TRUE") {
    out.put("true");
    return true;
  }
  if (text != "false" && text != "False" && text != "FALSE") return false;
  out.put("false");
  return true;
}

}  // namespace

struct RowEncoder::State {
  void put_cell(const Column& column, std::string_view cell);
  void put_text_number(std::string_view cell);

  std::vector<Column> columns;
  std::vector<std::string> names;
  char point = '.';
  JsonBuffer buffer;
  std::string extra_name;  // of the call before: whether a column has it is found out once
  bool extra_is_column = false;
};

RowEncoder::RowEncoder(const data::Schema& schema, const std::vector<std::string>& columns,
                       const CsvDialect& dialect)
    : state_(std::make_unique<State>()) {
  state_->names = columns;
  state_->point = dialect.decimal_comma ? ',' : '.';
  for (const std::string& name : columns) {
    Column column;
    column.prefix = state_->columns.empty() ? "{" : ",";
    json::append_string(column.prefix, name);
    column.prefix += ':';
    if (const auto found = schema.find(name)) {
      const Field& field = schema.field(*found);
      column.kind = kind_of(field);
      std::copy_if(field.values.begin(), field.values.end(), std::back_inserter(column.values),
                   [](const std::string& value) { return is_blank(value); });
    }
    state_->columns.push_back(std::move(column));
  }
}

RowEncoder::RowEncoder(RowEncoder&&) noexcept = default;
RowEncoder& RowEncoder::operator=(RowEncoder&&) noexcept = default;
RowEncoder::~RowEncoder() = default;

void RowEncoder::encode(const TableRow& row, std::string_view extra_field,
                        std::string_view extra_value, std::string& out) {
  State& state = *state_;
  if (state.columns.empty()) {  // NDJSON
    out.assign(row.raw);
    return;
  }
  CHECK(row.cells.size() == state.columns.size());
  state.buffer.clear();
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    state.buffer.put(state.columns[i].prefix);
    state.put_cell(state.columns[i], row.cells[i]);
  }
  if (extra_field != state.extra_name) {
    state.extra_name = extra_field;
    state.extra_is_column =
        std::find(state.names.begin(), state.names.end(), extra_field) != state.names.end();
  }
  if (!extra_field.empty() && !state.extra_is_column) {
    state.buffer.put(',');
    state.buffer.put_string(extra_field);
    state.buffer.put(':');
    state.buffer.put_string(extra_value);
  }
  state.buffer.put('}');
  out.assign(state.buffer.view());
}

void RowEncoder::State::put_cell(const Column& column, std::string_view cell) {
  switch (column.kind) {
    case Kind::kTextNumber:
      return put_text_number(cell);
    case Kind::kNumber:
    case Kind::kInteger:
      if (put_number(buffer, cell, column.kind, point)) return;
      break;
    case Kind::kBoolean:
      if (put_boolean(buffer, cell)) return;
      break;
    case Kind::kText:
    case Kind::kCategory:
      break;
  }
  const bool is_null = is_blank(cell) && std::find(column.values.begin(), column.values.end(),
                                                   cell) == column.values.end();
  if (is_null) {
    buffer.put("null");
  } else {
    buffer.put_string(cell);
  }
}

// As written, except that a decimal comma becomes a point: the message does not carry the dialect.
void RowEncoder::State::put_text_number(std::string_view cell) {
  if (point == '.' || !Decimal::scan(internal::trimmed(cell), point).is_number) {
    return buffer.put_string(cell);
  }
  std::string pointed(cell);
  std::replace(pointed.begin(), pointed.end(), point, '.');
  buffer.put_string(pointed);
}

}  // namespace millrace::codec
