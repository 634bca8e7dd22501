// One decoded value of a record.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace millrace::data {

enum class CellState : std::uint8_t {
  kMissing,   // absent, null, blank or sentinel, where the schema's policy allows it
  kNumber,    // `number` holds an integer, number or boolean (0/1), finite
  kCategory,  // `code` is the index into Field::values, `text` the level
  kText,      // `text` holds a string; for a timestamp `time_ms` as well
  kInvalid,   // does not satisfy the schema; the decoder has reported why
};

// 32 bytes; views live as long as the decoder says (codec/record_decoder.h).
struct Cell {
  CellState state = CellState::kMissing;
  std::int32_t code = -1;
  union {
    double number = std::numeric_limits<double>::quiet_NaN();
    std::int64_t time_ms;
  };
  std::string_view text;  // as it came, also for numbers that came as text

  static constexpr std::int32_t kLargeInteger = -2;  // `code` of such a number

  static Cell missing() { return {}; }
  // Whether its text is what it came as: not a number or boolean of JSON.
  bool came_as_text() const { return !text.empty() && code != kLargeInteger; }
  static Cell of_number(double value, std::string_view as_written = {}) {
    Cell cell;
    cell.state = CellState::kNumber;
    cell.number = value;
    cell.text = as_written;
    return cell;
  }
  // An integer that a double does not hold: `digits` are its own.
  static Cell of_large_integer(double value, std::string_view digits) {
    Cell cell = of_number(value, digits);
    cell.code = kLargeInteger;
    return cell;
  }
  static Cell of_category(std::int32_t code, std::string_view level) {
    Cell cell;
    cell.state = CellState::kCategory;
    cell.code = code;
    cell.text = level;
    return cell;
  }
  static Cell of_text(std::string_view text) {
    Cell cell;
    cell.state = CellState::kText;
    cell.text = text;
    return cell;
  }
  static Cell of_time(std::int64_t time_ms, std::string_view text) {
    Cell cell;
    cell.state = CellState::kText;
    cell.time_ms = time_ms;
    cell.text = text;
    return cell;
  }
  static Cell invalid() {
    Cell cell;
    cell.state = CellState::kInvalid;
    return cell;
  }
};

}  // namespace millrace::data
