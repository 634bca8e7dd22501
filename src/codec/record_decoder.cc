#include "codec/record_decoder.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <forward_list>

#include "base/arena.h"
#include "base/check.h"
#include "base/text.h"
#include "codec/internal/field_check.h"
#include "codec/internal/flat_cursor.h"
#include "codec/internal/structure_scan.h"
#include "codec/internal/unknown_keys.h"

namespace millrace::codec {
namespace {

using data::Cell;
using data::RecordCode;
using internal::ErrorReport;
using internal::FieldCheck;
using internal::FingerprintedText;
using internal::FlatCursor;
using internal::FlatValue;
using internal::kQuotedBytesMax;
using internal::NameTable;
using simdjson::dom::element_type;

static_assert(kArenaPadding >= simdjson::SIMDJSON_PADDING);
static_assert(kArenaPadding >= FlatCursor::kPadding);

// Messages up to this size are parsed in memory that is there from the start; larger ones are
// looked at before memory grows for them.
constexpr std::size_t kCapacityAtStart = std::size_t{16} << 10;
// After messages that are not flat so many are left to the whole parser at once, at most.
constexpr std::uint32_t kFlatPauseMax = 255;
// From here on not every integer is a double.
constexpr double kExactIntegerMax = 9007199254740992.0;

std::string_view kind_of(element_type type) {
  switch (type) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::STRING:
      return "a text";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

std::string_view reason_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::NUMBER_ERROR:
      return "not JSON: a number is malformed or out of range";
    case simdjson::STRING_ERROR:
      return "not JSON: a string holds an escape that JSON does not know, or half a surrogate pair";
    case simdjson::UNESCAPED_CHARS:
      return "not JSON: a control character stands in a string unescaped";
    case simdjson::UNCLOSED_STRING:
      return "not JSON: a string is not closed";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "not JSON: a word that is neither true, false nor null";
    case simdjson::EMPTY:
      return "the value is empty";
    default:
      return "not JSON: the structure is broken (truncated, or text where JSON has none)";
  }
}

}  // namespace

struct RecordDecoder::State {
  State(const data::Schema& schema_in, const DecodeLimits& limits_in)
      : schema(schema_in), limits(limits_in), names(schema.names()), table(names) {}

  bool decode_flat(std::string_view value, std::span<Cell> cells);
  bool walk_flat(std::string_view value, std::span<Cell> cells, ErrorReport& report);
  void convert(const FieldCheck& check, const FlatValue& value, Cell& cell, ErrorReport& report);
  bool has_few_values(std::string_view value) const;
  bool parse(std::string_view value, simdjson::dom::object& object, ErrorReport& report);
  bool make_room(std::string_view value, ErrorReport& report);
  bool too_deep(ErrorReport& report) const;
  bool too_many_fields(ErrorReport& report) const;
  bool too_many_values(ErrorReport& report) const;
  void walk(const simdjson::dom::object& object, std::span<Cell> cells, ErrorReport& report);
  std::int32_t find(const FingerprintedText& key);
  void convert(const FieldCheck& check, simdjson::dom::element element, Cell& cell,
               ErrorReport& report);
  template <class Integer>
  void check_integer(const FieldCheck& check, Integer integer, Cell& cell, ErrorReport& report);
  void finish(std::span<Cell> cells, ErrorReport& report);
  void report_unknown(ErrorReport& report);
  void check_nested(std::string_view field, simdjson::dom::element element, ErrorReport& report);
  void report_parse_error(std::string_view value, simdjson::error_code error, ErrorReport& report);

  data::Schema schema;  // never changes: checks hold views of it
  DecodeLimits limits;
  std::vector<std::string> names;
  NameTable table;
  std::vector<FieldCheck> checks;
  std::vector<std::uint64_t> required;  // one bit a field
  std::vector<std::uint64_t> seen;
  // Fields come in the order of the record before: the field after field i was
  // successor[i + 1], and this stood between the two.
  std::vector<std::int32_t> successor;
  std::vector<internal::Between> between;
  Reading reading = Reading::kPredicted;
  std::uint32_t flat_pause = 0;  // messages that are not tried to be read as flat
  std::uint32_t flat_failures = 0;
  data::RecordErrors flat_errors;
  std::int32_t last_field = NameTable::kNone;
  std::vector<FingerprintedText> unknown;
  std::vector<FingerprintedText> nested;
  std::forward_list<std::string> large_integers;  // of this record
  simdjson::dom::parser parser;
  simdjson::dom::document document;
  std::string copy;
};

RecordDecoder::RecordDecoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordDecoder::RecordDecoder(RecordDecoder&&) noexcept = default;
RecordDecoder& RecordDecoder::operator=(RecordDecoder&&) noexcept = default;
RecordDecoder::~RecordDecoder() = default;

Result<RecordDecoder> RecordDecoder::make(const data::Schema& schema, Purpose purpose,
                                          const DecodeLimits& limits, Reading reading) {
  auto state = std::make_unique<State>(schema, limits);
  const std::size_t words = schema.size() / 64 + 1;
  state->required.resize(words);
  state->seen.resize(words);
  state->checks.reserve(schema.size());
  for (std::size_t i = 0; i < schema.size(); ++i) {
    MILLRACE_ASSIGN(FieldCheck check, FieldCheck::make(state->schema.field(i), purpose));
    if (check.required()) state->required[i / 64] |= std::uint64_t{1} << (i % 64);
    state->checks.push_back(std::move(check));
    state->successor.push_back(static_cast<std::int32_t>(i));
  }
  state->successor.push_back(0);
  state->between.resize(state->successor.size());
  state->reading = reading;
  // simdjson refuses what stands inside depth_max + 1 containers.
  const bool out_of_memory =
      state->parser.allocate(kCapacityAtStart, limits.depth_max + 1) != simdjson::SUCCESS ||
      state->document.allocate(kCapacityAtStart) != simdjson::SUCCESS;
  CHECK(!out_of_memory);
  return RecordDecoder(std::move(state));
}

bool RecordDecoder::decode(std::string_view value, std::span<Cell> cells,
                           data::RecordErrors& errors) {
  CHECK(cells.size() == state_->schema.size());
  if (state_->decode_flat(value, cells)) return true;
  ErrorReport report(errors);
  simdjson::dom::object object;
  if (!state_->parse(value, object, report)) {
    std::fill(cells.begin(), cells.end(), Cell::invalid());
    return false;
  }
  std::fill(cells.begin(), cells.end(), Cell::missing());
  state_->walk(object, cells, report);
  state_->finish(cells, report);
  return report.found() == 0;
}

bool RecordDecoder::decode_copy(std::string_view value, std::span<Cell> cells,
                                data::RecordErrors& errors) {
  std::string& copy = state_->copy;
  if (value.size() > state_->limits.bytes_max) return decode(value, cells, errors);  // not read
  copy.reserve(value.size() + kArenaPadding);
  copy.assign(value);
  copy.append(kArenaPadding, ' ');
  return decode(std::string_view(copy).substr(0, value.size()), cells, errors);
}

// A good record that is flat, without the detour of a document in memory. False for all others:
// what is wrong with them the whole parser finds.
bool RecordDecoder::State::decode_flat(std::string_view value, std::span<Cell> cells) {
  if (reading == Reading::kWhole) return false;
  if (flat_pause > 0) {
    --flat_pause;
    return false;
  }
  if (value.size() > parser.capacity() || !has_few_values(value)) return false;
  bool good = false;
  {
    ErrorReport report(flat_errors);
    good = walk_flat(value, cells, report);
    if (good) finish(cells, report);
    good = good && report.found() == 0;
  }
  if (good) [[likely]] {
    flat_failures = 0;
    return true;
  }
  flat_errors.clear();
  flat_failures = std::min(flat_failures * 2 + 1, kFlatPauseMax);
  flat_pause = flat_failures - 1;
  return false;
}

bool RecordDecoder::State::walk_flat(std::string_view value, std::span<Cell> cells,
                                     ErrorReport& report) {
  std::fill(seen.begin(), seen.end(), 0);
  unknown.clear();
  FlatCursor cursor(value);
  FlatValue read;
  char mark = '{';
  for (std::size_t last = 0;; mark = ',') {
    internal::Between& expected = between[last];
    std::int32_t found = successor[last];
    if (!cursor.skip(expected)) [[unlikely]] {
      const char* const from = cursor.at();
      std::string_view key;
      if (cursor.is_at('}')) {
        if (mark == '{' || !cursor.take_end()) return false;
        break;
      }
      if (!cursor.take_key(mark, key)) return false;
      const auto name = FingerprintedText::of_padded(key);
      found = table.find(name);
      if (found == NameTable::kNone) {
        if (!schema.unknown_fields_allowed || !cursor.take_value(read)) return false;
        unknown.push_back(name);
        continue;
      }
      successor[last] = found;
      expected.learn({from, static_cast<std::size_t>(cursor.at() - from)});
    }
    const auto index = static_cast<std::size_t>(found);
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if ((seen[index / 64] & bit) != 0 || !cursor.take_value(read)) return false;
    seen[index / 64] |= bit;
    convert(checks[index], read, cells[index], report);
    last = index + 1;
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if ((seen[i / 64] >> (i % 64) & 1) == 0) cells[i] = Cell::missing();
  }
  return !cursor.saw_high() || simdjson::validate_utf8(value.data(), value.size());
}

inline void RecordDecoder::State::convert(const FieldCheck& check, const FlatValue& value,
                                          Cell& cell, ErrorReport& report) {
  switch (value.kind) {
    case FlatValue::Kind::kText:
      return check.check_text(value.text, cell, report);
    case FlatValue::Kind::kNumber:
      check.check_number(value.number, {}, cell, report);
      if (std::abs(value.number) >= kExactIntegerMax && !value.text.empty() &&
          cell.state == data::CellState::kNumber) [[unlikely]] {
        cell = Cell::of_large_integer(value.number, value.text);
      }
      return;
    case FlatValue::Kind::kTrue:
    case FlatValue::Kind::kFalse:
      return check.check_boolean(value.kind == FlatValue::Kind::kTrue, cell, report);
    case FlatValue::Kind::kNull:
      return check.check_null(cell, report);
  }
}

// Too short to hold more keys or values than the limits allow, whatever it holds.
bool RecordDecoder::State::has_few_values(std::string_view value) const {
  constexpr std::size_t kKeyBytesMin = 4;  // "":0
  const std::size_t harmless = std::min(limits.tokens_max(), limits.fields_max * kKeyBytesMin);
  return value.size() <= std::min(harmless, limits.bytes_max);
}

bool RecordDecoder::State::too_deep(ErrorReport& report) const {
  report.add(RecordCode::kTooDeep, "", "nested deeper than " + std::to_string(limits.depth_max));
  return false;
}

bool RecordDecoder::State::too_many_fields(ErrorReport& report) const {
  report.add(RecordCode::kTooManyFields, "",
             "more than " + std::to_string(limits.fields_max) + " fields");
  return false;
}

bool RecordDecoder::State::too_many_values(ErrorReport& report) const {
  report.add(
      RecordCode::kTooManyValues, "",
      "more than " + std::to_string(limits.tokens_max()) + " keys, values and marks between them");
  return false;
}

// Limits come first: nothing grows for a message that is refused by one of them. Whether one is
// refused depends on nothing but itself: a message is looked at when memory must grow for it, and
// always when it is long enough to hold too many keys or values.
bool RecordDecoder::State::make_room(std::string_view value, ErrorReport& report) {
  if (value.size() > limits.bytes_max) {
    report.add(RecordCode::kTooLarge, "",
               std::to_string(value.size()) + " bytes are above the maximum " +
                   std::to_string(limits.bytes_max));
    return false;
  }
  const bool fits = value.size() <= parser.capacity();
  if (fits && has_few_values(value)) return true;
  const internal::Structure legal{limits.depth_max + 1, limits.fields_max, limits.tokens_max()};
  const internal::Structure structure = internal::scan_structure(value, legal);
  if (structure.depth > legal.depth) return too_deep(report);
  if (structure.fields > legal.fields) return too_many_fields(report);
  if (structure.tokens > legal.tokens) return too_many_values(report);
  if (fits) return true;
  const std::size_t room = std::min(std::bit_ceil(value.size()), limits.bytes_max);
  if (parser.allocate(room, limits.depth_max + 1) != simdjson::SUCCESS ||
      document.allocate(room) != simdjson::SUCCESS) {
    report.add(RecordCode::kTooLarge, "",
               "no memory for a message of " + std::to_string(value.size()) + " bytes");
    return false;
  }
  return true;
}

bool RecordDecoder::State::parse(std::string_view value, simdjson::dom::object& object,
                                 ErrorReport& report) {
  if (!make_room(value, report)) return false;
  simdjson::dom::element root;
  const simdjson::error_code error =
      value.empty()
          ? simdjson::EMPTY
          : parser.parse_into_document(document, value.data(), value.size(), false).get(root);
  if (error != simdjson::SUCCESS) {
    report_parse_error(value, error, report);
    return false;
  }
  if (root.get(object) != simdjson::SUCCESS) {
    report.add(RecordCode::kNotAnObject, "", std::string(kind_of(root.type())) + ", not an object");
    return false;
  }
  return true;
}

void RecordDecoder::State::report_parse_error(std::string_view value, simdjson::error_code error,
                                              ErrorReport& report) {
  const std::size_t depth_max = limits.depth_max + 1;  // as simdjson counts
  if (error == simdjson::DEPTH_ERROR ||
      internal::scan_structure(value, {depth_max, SIZE_MAX, SIZE_MAX}).depth > depth_max) {
    too_deep(report);
  } else if (!is_utf8(value)) {
    report.add(RecordCode::kInvalidUtf8, "", "the value is not UTF-8");
  } else if (value.starts_with("\xEF\xBB\xBF")) {
    report.add(RecordCode::kParse, "", "not JSON: the value starts with a byte order mark");
  } else {
    report.add(RecordCode::kParse, "", std::string(reason_of(error)));
  }
}

inline std::int32_t RecordDecoder::State::find(const FingerprintedText& key) {
  std::int32_t& guess = successor[static_cast<std::size_t>(last_field + 1)];
  const auto guessed = static_cast<std::size_t>(guess);
  if (guessed < checks.size() && checks[guessed].name() == key) [[likely]] {
    last_field = guess;
    return guess;
  }
  const std::int32_t found = table.find(key);
  if (found != NameTable::kNone) {
    between[static_cast<std::size_t>(last_field + 1)].forget();
    last_field = guess = found;
  }
  return found;
}

void RecordDecoder::State::walk(const simdjson::dom::object& object, std::span<Cell> cells,
                                ErrorReport& report) {
  std::fill(seen.begin(), seen.end(), 0);
  unknown.clear();
  large_integers.clear();
  last_field = NameTable::kNone;
  for (const simdjson::dom::key_value_pair member : object) {
    // simdjson's own memory of strings is padded.
    const FingerprintedText key = FingerprintedText::of_padded(member.key);
    const std::int32_t found = find(key);
    if (found == NameTable::kNone) [[unlikely]] {
      unknown.push_back(key);
      check_nested(member.key, member.value, report);
      continue;
    }
    const auto index = static_cast<std::size_t>(found);
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if ((seen[index / 64] & bit) != 0) [[unlikely]] {
      report.add(RecordCode::kDuplicateKey, member.key, "the key stands more than once");
      continue;
    }
    seen[index / 64] |= bit;
    convert(checks[index], member.value, cells[index], report);
  }
}

void RecordDecoder::State::convert(const FieldCheck& check, simdjson::dom::element element,
                                   Cell& cell, ErrorReport& report) {
  switch (element.type()) {
    case element_type::STRING:
      return check.check_text(element.get_string().value_unsafe(), cell, report);
    case element_type::DOUBLE:
      return check.check_number(element.get_double().value_unsafe(), {}, cell, report);
    case element_type::INT64:
      return check_integer(check, element.get_int64().value_unsafe(), cell, report);
    case element_type::UINT64:
      return check_integer(check, element.get_uint64().value_unsafe(), cell, report);
    case element_type::BOOL:
      return check.check_boolean(element.get_bool().value_unsafe(), cell, report);
    case element_type::NULL_VALUE:
      return check.check_null(cell, report);
    case element_type::ARRAY:
    case element_type::OBJECT:
      check_nested(check.field().name, element, report);
      return check.refuse(kind_of(element.type()), cell, report);
  }
}

// Identifiers of 64 bits are common as keys: one that a double would round keeps its digits.
template <class Integer>
void RecordDecoder::State::check_integer(const FieldCheck& check, Integer integer, Cell& cell,
                                         ErrorReport& report) {
  const auto number = static_cast<double>(integer);
  check.check_number(number, {}, cell, report);
  if (std::abs(number) < kExactIntegerMax || cell.state != data::CellState::kNumber) return;
  std::string& digits = large_integers.emplace_front(std::to_string(integer));
  cell = Cell::of_large_integer(number, digits);
}

// What is wrong with the record beside its values: absent, unknown and repeated keys.
void RecordDecoder::State::finish(std::span<Cell> cells, ErrorReport& report) {
  for (std::size_t word = 0; word < required.size(); ++word) {
    std::uint64_t absent = required[word] & ~seen[word];
    for (; absent != 0; absent &= absent - 1) {
      const std::size_t index = word * 64 + static_cast<std::size_t>(std::countr_zero(absent));
      checks[index].report_missing(cells[index], report);
    }
  }
  if (unknown.empty()) [[likely]]
    return;
  if (!schema.unknown_fields_allowed) report_unknown(report);
  internal::report_duplicates(unknown.begin(), unknown.end(), [&](std::string_view key) {
    report.add(RecordCode::kDuplicateKey, printable(key, kQuotedBytesMax),
               "the key stands more than once");
  });
}

void RecordDecoder::State::report_unknown(ErrorReport& report) {
  for (const FingerprintedText& key : unknown) {
    const std::string hint = report.has_room() ? did_you_mean(key.text, names) : "";
    report.add(RecordCode::kUnknownField, printable(key.text, kQuotedBytesMax),
               "the schema has no such field" + hint);
  }
}

// Repeated keys inside a value that no field holds. Recursion is bounded by depth_max.
void RecordDecoder::State::check_nested(std::string_view field, simdjson::dom::element element,
                                        ErrorReport& report) {
  simdjson::dom::array array;
  if (element.get(array) == simdjson::SUCCESS) {
    for (const simdjson::dom::element item : array) check_nested(field, item, report);
    return;
  }
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return;
  const auto start = static_cast<std::ptrdiff_t>(nested.size());
  for (const simdjson::dom::key_value_pair member : object) {
    check_nested(field, member.value, report);
    nested.push_back(FingerprintedText::of(member.key));
  }
  internal::report_duplicates(nested.begin() + start, nested.end(), [&](std::string_view key) {
    report.add(RecordCode::kDuplicateKey, printable(field, kQuotedBytesMax),
               "the key '" + printable(key, kQuotedBytesMax) + "' stands more than once inside it");
  });
  nested.resize(static_cast<std::size_t>(start));
}

}  // namespace millrace::codec
