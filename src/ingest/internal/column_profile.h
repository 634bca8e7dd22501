// What one column of a file holds, seen value by value in bounded memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "data/schema.h"
#include "ingest/profile.h"

namespace millrace::ingest {

// Different values remembered per column to find out whether any comes twice; a column with more
// counts as one of ever new values.
inline constexpr std::size_t kDistinctHashesMax = 2'000'000;

// How a value stands in its file.
enum class ValueForm {
  kCsvCell,      // a text that may mean anything
  kJsonText,     // a string
  kJsonNumber,   // a number
  kJsonBoolean,  // true or false
};

class ColumnProfile {
 public:
  explicit ColumnProfile(std::string name) : name_(std::move(name)) {}

  void add(std::string_view value, ValueForm form);
  void add_null() { ++nulls_; }

  const std::string& name() const { return name_; }
  std::uint64_t values() const { return values_; }  // that are not blank
  std::uint64_t blanks() const { return blanks_; }  // empty or white space
  std::uint64_t nulls() const { return nulls_; }    // JSON null or absent
  bool has_gaps() const { return blanks_ + nulls_ > 0; }
  bool is_empty() const { return values_ == 0; }
  bool is_constant() const { return values_ > 0 && levels_.size() == 1 && !too_many_levels_; }

  // Levels seen and how often, alphabetically; complete only when !too_many_levels().
  const std::map<std::string, std::uint64_t>& levels() const { return levels_; }
  bool too_many_levels() const { return too_many_levels_; }

  // Every value is a number, with this decimal point.
  bool is_number(char point) const;
  // ... and some have a fraction.
  bool has_fraction(char point) const;
  bool is_integer() const { return values_ > 0 && integers_ == values_; }
  // Integers that go up by one from row to row.
  bool counts_up() const { return is_integer() && steps_ + 1 == values_; }
  bool is_unique() const { return values_ > 0 && unique_; }
  bool is_timestamp() const { return values_ > 0 && timestamps_ == values_; }
  bool is_json_boolean() const { return values_ > 0 && booleans_ == values_; }
  // Some numbers are strings in JSON, or blanks stand between numbers in CSV.
  bool has_text_numbers() const { return json_texts_ > 0 || blanks_ > 0; }

 private:
  void count_level(std::string_view value);
  void count_type(std::string_view text);

  std::string name_;
  std::uint64_t values_ = 0;
  std::uint64_t blanks_ = 0;
  std::uint64_t nulls_ = 0;
  std::uint64_t integers_ = 0;
  std::uint64_t point_numbers_ = 0;  // with a point or without a fraction
  std::uint64_t comma_numbers_ = 0;  // with a comma or without a fraction
  std::uint64_t timestamps_ = 0;
  std::uint64_t booleans_ = 0;
  std::uint64_t json_texts_ = 0;
  std::uint64_t steps_ = 0;
  double last_ = 0;
  std::map<std::string, std::uint64_t> levels_;
  bool too_many_levels_ = false;
  bool unique_ = true;
  std::unordered_set<std::uint64_t> hashes_;
};

}  // namespace millrace::ingest
