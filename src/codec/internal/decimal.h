// Decimal numbers written as text: recognised without a locale, and valued exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::codec::internal {

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Empty, or white space only.
inline bool is_blank(std::string_view text) {
  for (const char c : text) {
    if (!is_space(c)) return false;
  }
  return true;
}

// What a text is as a number: [+-] digits [point digits] [e [+-] digits], with a digit before or
// behind the point.
struct Decimal {
  std::string_view text;
  char point = '.';
  bool is_number = false;  // of this form; may still be beyond the range of a double
  bool is_json = false;    // JSON allows exactly this text as a number
  bool is_digits = false;  // neither point nor exponent
  bool has_exponent = false;
  bool negative = false;
  std::uint64_t mantissa = 0;  // digits of both parts; of up to 19 of them
  std::size_t digits = 0;
  std::size_t fraction_digits = 0;

  static Decimal scan(std::string_view text, char point = '.');
  // Nearest double, or nothing when it is not finite (or too small for any double).
  std::optional<double> value() const;
};

}  // namespace millrace::codec::internal
