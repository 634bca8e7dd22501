// A column being filled, value by value: what Parquet files are written from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace millrace::codec {

enum class ColumnKind : std::int32_t {
  kBoolean = 1,
  kInteger = 2,
  kNumber = 3,
  kTimestamp = 4,  // milliseconds, UTC
  kText = 5,       // UTF-8
  kCategory = 6,   // UTF-8 of few distinct values
  kBytes = 7,
};

struct ColumnHead {
  std::string name;
  ColumnKind kind = ColumnKind::kText;
};

// Not thread-safe. Each row gets one value, of the column's kind, or a null.
class ColumnValues {
 public:
  explicit ColumnValues(ColumnKind kind) : kind_(kind) {}

  ColumnKind kind() const { return kind_; }
  std::size_t rows() const { return valid_.size(); }
  bool has_values() const { return has_values_; }

  void add_null() {
    valid_.push_back(0);
    extend();
  }
  void add_boolean(bool value) {
    start_value();
    booleans_.push_back(value ? 1 : 0);
  }
  // Whole numbers, and times as milliseconds.
  void add_integer(std::int64_t value) {
    start_value();
    integers_.push_back(value);
  }
  void add_time(Timestamp time) { add_integer(time.value()); }
  void add_number(double value) {
    start_value();
    numbers_.push_back(value);
  }
  // Text, a category's level, or bytes.
  void add_text(std::string_view text) {
    start_value();
    bytes_.append(text);
    offsets_.push_back(static_cast<std::int64_t>(bytes_.size()));
  }
  // Keeps the memory.
  void clear() {
    valid_.clear();
    booleans_.clear();
    integers_.clear();
    numbers_.clear();
    bytes_.clear();
    offsets_.assign(1, 0);
    has_values_ = false;
  }

  const std::uint8_t* valid() const { return valid_.data(); }
  // Of kinds that are numbers.
  const void* values() const {
    if (kind_ == ColumnKind::kBoolean) return booleans_.data();
    if (kind_ == ColumnKind::kNumber) return numbers_.data();
    return integers_.data();
  }
  const std::int64_t* offsets() const { return offsets_.data(); }
  const char* bytes() const { return bytes_.data(); }

 private:
  void start_value() {
    valid_.push_back(1);
    has_values_ = true;
  }
  void extend() {
    switch (kind_) {
      case ColumnKind::kBoolean:
        booleans_.push_back(0);
        return;
      case ColumnKind::kNumber:
        numbers_.push_back(0);
        return;
      case ColumnKind::kInteger:
      case ColumnKind::kTimestamp:
        integers_.push_back(0);
        return;
      case ColumnKind::kText:
      case ColumnKind::kCategory:
      case ColumnKind::kBytes:
        offsets_.push_back(offsets_.back());
        return;
    }
  }

  ColumnKind kind_;
  bool has_values_ = false;
  std::vector<std::uint8_t> valid_;
  std::vector<std::uint8_t> booleans_;
  std::vector<std::int64_t> integers_;
  std::vector<double> numbers_;
  std::vector<std::int64_t> offsets_{0};
  std::string bytes_;
};

}  // namespace millrace::codec
