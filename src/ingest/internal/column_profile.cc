#include "ingest/internal/column_profile.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "base/hash.h"
#include "env/clock.h"

namespace millrace::ingest {
namespace {

constexpr double kExactIntegerMax = 9007199254740992;  // 2^53

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

enum class NumberForm { kNone, kInteger, kFraction };

// Sign, digits, an optional fraction behind `point`, an optional exponent. Digits with a leading
// zero ("007") are taken for codes, not numbers.
NumberForm number_form(std::string_view text, char point) {
  std::size_t at = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t start = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - start;
  };
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole > 1 && text[first] == '0') return NumberForm::kNone;
  std::size_t fraction = 0;
  bool is_fraction = false;
  if (at < text.size() && text[at] == point) {
    ++at;
    is_fraction = true;
    fraction = digits();
  }
  if (whole + fraction == 0) return NumberForm::kNone;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    is_fraction = true;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return NumberForm::kNone;
  }
  if (at != text.size()) return NumberForm::kNone;
  return is_fraction ? NumberForm::kFraction : NumberForm::kInteger;
}

std::optional<double> value_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void ColumnProfile::add(std::string_view value, ValueForm form) {
  const std::string_view text = trimmed(value);
  if (text.empty()) {
    ++blanks_;
    return;
  }
  ++values_;
  if (form == ValueForm::kJsonBoolean) ++booleans_;
  if (form == ValueForm::kJsonText) ++json_texts_;
  // Levels are what is written, spaces around them included: the scorer compares the same.
  count_level(value);
  if (form != ValueForm::kJsonBoolean) count_type(text);
  if (!unique_ || hashes_.size() >= kDistinctHashesMax) return;
  unique_ = hashes_.insert(stable_hash64(value)).second;
  if (!unique_) std::unordered_set<std::uint64_t>().swap(hashes_);
}

void ColumnProfile::count_level(std::string_view value) {
  if (too_many_levels_) return;
  const auto found = levels_.find(std::string(value));
  if (found != levels_.end()) {
    ++found->second;
  } else if (levels_.size() == kCategoryLevelsMax) {
    too_many_levels_ = true;
  } else {
    levels_.emplace(value, 1);
  }
}

void ColumnProfile::count_type(std::string_view text) {
  const NumberForm pointed = number_form(text, '.');
  if (number_form(text, ',') != NumberForm::kNone) ++comma_numbers_;
  if (pointed == NumberForm::kNone) {
    if (env::parse_rfc3339(text)) ++timestamps_;
    return;
  }
  const auto value = value_of(text);
  if (!value) return;
  ++point_numbers_;
  if (pointed == NumberForm::kInteger && std::abs(*value) <= kExactIntegerMax) {
    ++integers_;
    if (values_ > 1 && *value == last_ + 1) ++steps_;
    last_ = *value;
  }
}

bool ColumnProfile::is_number(char point) const {
  return values_ > 0 && (point == ',' ? comma_numbers_ : point_numbers_) == values_;
}

bool ColumnProfile::has_fraction(char point) const { return is_number(point) && !is_integer(); }

}  // namespace millrace::ingest
