#include "codec/record_table.h"

#include <simdjson.h>

#include <array>
#include <cmath>
#include <unordered_map>

#include "base/check.h"
#include "base/text.h"
#include "codec/internal/decimal.h"
#include "env/clock.h"

namespace millrace::codec {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kDepthMax = 64;
constexpr std::int64_t kExactIntegerMax = std::int64_t{1} << 53;
constexpr std::array<std::string_view, 7> kTaken = {
    "_partition", "_offset", "_timestamp", "_key", "_value", "_key_bytes", "date"};

// What the values of a field were, as bits.
enum Seen : unsigned {
  kSeenBoolean = 1,
  kSeenInteger = 2,
  kSeenInexact = 4,   // a whole number that no double holds
  kSeenUnsigned = 8,  // beyond int64_t
  kSeenNumber = 16,
  kSeenText = 32,
  kSeenNested = 64,
};

unsigned seen_of(const element& value) {
  switch (value.type()) {
    case element_type::BOOL:
      return kSeenBoolean;
    case element_type::INT64: {
      const std::int64_t number = value.get_int64().value_unsafe();
      const bool exact = number >= -kExactIntegerMax && number <= kExactIntegerMax;
      return exact ? kSeenInteger : kSeenInteger | kSeenInexact;
    }
    case element_type::UINT64:
      return kSeenUnsigned;
    case element_type::DOUBLE:
      return kSeenNumber;
    case element_type::STRING:
      return kSeenText;
    case element_type::NULL_VALUE:
      return 0;
    case element_type::ARRAY:
    case element_type::OBJECT:
      break;
  }
  return kSeenNested;
}

struct Field {
  ColumnHead head;
  bool typed = false;
  bool as_json = false;  // kText that holds JSON
  unsigned seen = 0;
};

// Decides an inferred field; false where it held nothing.
bool infer(Field& field) {
  const unsigned seen = field.seen;
  if (seen == 0) return false;
  field.as_json = false;
  if (seen == kSeenBoolean) {
    field.head.kind = ColumnKind::kBoolean;
  } else if ((seen & ~unsigned{kSeenInteger | kSeenInexact}) == 0) {
    field.head.kind = ColumnKind::kInteger;
  } else if ((seen & ~unsigned{kSeenInteger | kSeenNumber}) == 0) {
    field.head.kind = ColumnKind::kNumber;
  } else {
    field.head.kind = ColumnKind::kText;
    field.as_json = seen != kSeenText;
  }
  return true;
}

bool add_boolean(const element& value, ColumnValues& column) {
  bool flag = false;
  if (value.get_bool().get(flag) != simdjson::SUCCESS) return false;
  column.add_boolean(flag);
  return true;
}

// A text that is a number counts as one; a blank one is nothing.
enum class Blank { kYes, kNo };
struct TextNumber {
  Blank blank = Blank::kNo;
  std::optional<double> number;
};
TextNumber number_of(std::string_view text) {
  if (internal::is_blank(text)) return {Blank::kYes, std::nullopt};
  const auto decimal = internal::Decimal::scan(internal::trimmed(text));
  return {Blank::kNo, decimal.is_number ? decimal.value() : std::nullopt};
}

bool add_whole(double number, ColumnValues& column) {
  if (number != std::trunc(number) || std::abs(number) > static_cast<double>(kExactIntegerMax)) {
    return false;
  }
  column.add_integer(static_cast<std::int64_t>(number));
  return true;
}

bool add_integer(const element& value, ColumnValues& column) {
  std::int64_t number = 0;
  if (value.get_int64().get(number) == simdjson::SUCCESS) {
    column.add_integer(number);
    return true;
  }
  double real = 0;
  if (value.is_double() && value.get_double().get(real) == simdjson::SUCCESS) {
    return add_whole(real, column);
  }
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  const TextNumber parsed = number_of(text);
  if (parsed.blank == Blank::kYes) {
    column.add_null();
    return true;
  }
  return parsed.number && add_whole(*parsed.number, column);
}

bool add_number(const element& value, ColumnValues& column) {
  if (value.is_string()) {
    const TextNumber parsed = number_of(value.get_string().value_unsafe());
    if (parsed.blank == Blank::kYes) {
      column.add_null();
      return true;
    }
    if (!parsed.number) return false;
    column.add_number(*parsed.number);
    return true;
  }
  if ((seen_of(value) & ~unsigned{kSeenInteger | kSeenNumber}) != 0) return false;
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) return false;
  column.add_number(number);
  return true;
}

bool add_time(const element& value, ColumnValues& column) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  if (internal::is_blank(text)) {
    column.add_null();
    return true;
  }
  const auto time = env::parse_rfc3339(text);
  if (!time) return false;
  column.add_time(*time);
  return true;
}

// False, and nothing added, where the value does not fit.
bool add_value(const element& value, const Field& field, ColumnValues& column) {
  if (value.is_null()) {
    column.add_null();
    return true;
  }
  switch (field.head.kind) {
    case ColumnKind::kBoolean:
      return add_boolean(value, column);
    case ColumnKind::kInteger:
      return add_integer(value, column);
    case ColumnKind::kNumber:
      return add_number(value, column);
    case ColumnKind::kTimestamp:
      return add_time(value, column);
    case ColumnKind::kText:
    case ColumnKind::kCategory:
    case ColumnKind::kBytes:
      break;
  }
  std::string_view text;
  if (!field.as_json && value.get_string().get(text) == simdjson::SUCCESS) {
    column.add_text(text);
    return true;
  }
  if (!field.as_json && field.typed && (value.is_object() || value.is_array())) return false;
  column.add_text(simdjson::minify(value));
  return true;
}

}  // namespace

struct RecordTable::State {
  // Columns behind the fields.
  enum Fixed : std::size_t { kPartition, kOffset, kTimestamp, kKey, kValue, kKeyBytes };

  std::optional<simdjson::dom::object> parse(const StoredRecord& record);
  std::string column_name(std::string_view field) const;
  Field* field_of(std::string_view name);
  void fill_row(PartitionId partition, const StoredRecord& record);
  bool fill_fields(const simdjson::dom::object& object);

  simdjson::dom::parser parser;
  std::vector<Field> fields;
  std::unordered_map<std::string, std::size_t> by_name;  // as in the object
  bool key_bytes = false;
  bool decided = false;
  std::vector<ColumnHead> heads;
  std::vector<ColumnValues> values;
  std::vector<std::optional<std::size_t>> column_of;  // by field; nothing: no column
  std::vector<std::uint64_t> filled;                  // by field: the row that was filled last
  std::uint64_t row = 0;
  std::uint64_t kept_whole = 0;
};

RecordTable::RecordTable(std::vector<ColumnHead> typed) : state_(std::make_unique<State>()) {
  const auto allocated = state_->parser.allocate(0, kDepthMax);
  CHECK(allocated == simdjson::SUCCESS);
  for (ColumnHead& head : typed) {
    Field field;
    const std::string name = head.name;
    field.head = std::move(head);
    field.head.name = state_->column_name(name);
    field.typed = true;
    if (state_->by_name.emplace(name, state_->fields.size()).second) {
      state_->fields.push_back(std::move(field));
    }
  }
}
RecordTable::RecordTable(RecordTable&&) noexcept = default;
RecordTable& RecordTable::operator=(RecordTable&&) noexcept = default;
RecordTable::~RecordTable() = default;

const std::vector<ColumnHead>& RecordTable::columns() const { return state_->heads; }

std::uint64_t RecordTable::kept_whole() const { return state_->kept_whole; }

std::optional<simdjson::dom::object> RecordTable::State::parse(const StoredRecord& record) {
  if (!record.value) return std::nullopt;
  simdjson::dom::object object;
  const auto error = parser.parse(record.value->data(), record.value->size()).get(object);
  if (error != simdjson::SUCCESS) return std::nullopt;
  return object;
}

std::string RecordTable::State::column_name(std::string_view field) const {
  std::string name(field);
  if (std::find(kTaken.begin(), kTaken.end(), field) != kTaken.end()) name += '_';
  return name;
}

// Makes the field where it is new; nullptr where it can have no column.
Field* RecordTable::State::field_of(std::string_view name) {
  const auto found = by_name.find(std::string(name));
  if (found != by_name.end()) return &fields[found->second];
  if (decided || name.empty() || fields.size() >= kFieldsMax) return nullptr;
  Field field;
  field.head.name = column_name(name);
  // Behind its underscore it may meet a field that is called so.
  for (const Field& other : fields) {
    if (other.head.name == field.head.name) return nullptr;
  }
  by_name.emplace(std::string(name), fields.size());
  fields.push_back(std::move(field));
  return &fields.back();
}

void RecordTable::look(const StoredRecord& record) {
  State& s = *state_;
  CHECK(!s.decided);
  if (record.key && !is_utf8(*record.key)) s.key_bytes = true;
  const auto object = s.parse(record);
  if (!object) return;
  for (const auto& [name, value] : *object) {
    const unsigned seen = seen_of(value);
    if (seen == 0) continue;
    if (Field* const field = s.field_of(name)) field->seen |= seen;
  }
}

void RecordTable::decide() {
  State& s = *state_;
  s.decided = true;
  s.column_of.resize(s.fields.size());
  s.filled.assign(s.fields.size(), 0);
  for (std::size_t i = 0; i < s.fields.size(); ++i) {
    if (!s.fields[i].typed && !infer(s.fields[i])) continue;
    s.column_of[i] = s.heads.size();
    s.heads.push_back(s.fields[i].head);
  }
  s.heads.push_back({"_partition", ColumnKind::kInteger});
  s.heads.push_back({"_offset", ColumnKind::kInteger});
  s.heads.push_back({"_timestamp", ColumnKind::kTimestamp});
  s.heads.push_back({"_key", ColumnKind::kText});
  s.heads.push_back({"_value", ColumnKind::kBytes});
  if (s.key_bytes) s.heads.push_back({"_key_bytes", ColumnKind::kBytes});
  for (const ColumnHead& head : s.heads) s.values.emplace_back(head.kind);
}

std::span<const ColumnValues> RecordTable::fill(PartitionId partition,
                                                std::span<const StoredRecord> records) {
  State& s = *state_;
  CHECK(s.decided);
  for (ColumnValues& column : s.values) column.clear();
  for (const StoredRecord& record : records) s.fill_row(partition, record);
  return s.values;
}

void RecordTable::State::fill_row(PartitionId partition, const StoredRecord& record) {
  ++row;
  bool whole = !record.value.has_value();  // whether the columns say everything
  if (const auto object = parse(record)) whole = fill_fields(*object);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (column_of[i] && filled[i] != row) values[*column_of[i]].add_null();
  }
  ColumnValues* const fixed = values.data() + (values.size() - (key_bytes ? 6 : 5));
  fixed[kPartition].add_integer(partition.value());
  fixed[kOffset].add_integer(record.offset.value());
  fixed[kTimestamp].add_time(record.timestamp);
  const bool text_key = record.key && is_utf8(*record.key);
  if (text_key) {
    fixed[kKey].add_text(*record.key);
  } else {
    fixed[kKey].add_null();
  }
  if (whole) {
    fixed[kValue].add_null();
  } else {
    fixed[kValue].add_text(*record.value);
    ++kept_whole;
  }
  if (!key_bytes) return;
  if (record.key && !text_key) {
    fixed[kKeyBytes].add_text(*record.key);
  } else {
    fixed[kKeyBytes].add_null();
  }
}

// Whether everything of the object is in the columns now.
bool RecordTable::State::fill_fields(const simdjson::dom::object& object) {
  bool whole = true;
  for (const auto& [name, value] : object) {
    const auto found = by_name.find(std::string(name));
    if (found == by_name.end()) {
      whole = whole && value.is_null();  // never seen with a value
      continue;
    }
    const std::size_t index = found->second;
    if (filled[index] == row) {
      whole = false;  // stands twice; the first one counts
      continue;
    }
    if (!column_of[index]) continue;  // null everywhere
    ColumnValues& column = values[*column_of[index]];
    filled[index] = row;
    if (add_value(value, fields[index], column)) continue;
    column.add_null();
    whole = false;
  }
  return whole;
}

std::optional<Timestamp> RecordTable::time_of(const StoredRecord& record, std::string_view field) {
  const auto object = state_->parse(record);
  if (!object) return std::nullopt;
  std::string_view text;
  if (object->at_key(field).get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  const auto time = env::parse_rfc3339(text);
  if (!time) return std::nullopt;
  return *time;
}

}  // namespace millrace::codec
