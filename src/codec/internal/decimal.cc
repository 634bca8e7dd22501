#include "codec/internal/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <system_error>

namespace millrace::codec::internal {
namespace {

constexpr double kPowersOfTen[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
constexpr std::size_t kExactDigits = 15;  // integers of so many digits are doubles without rounding

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads [e [+-] digits] to the end of the text; false when that is not what stands there.
bool is_exponent(std::string_view text) {
  if (text.empty() || (text[0] != 'e' && text[0] != 'E')) return false;
  text.remove_prefix(1);
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace

Decimal Decimal::scan(std::string_view text, char point) {
  Decimal out;
  out.text = text;
  out.point = point;
  std::size_t at = 0;
  const std::size_t size = text.size();
  const bool plus = size > 0 && text[0] == '+';
  out.negative = size > 0 && text[0] == '-';
  if (plus || out.negative) ++at;
  const std::size_t whole = at;
  for (; at < size && is_digit(text[at]); ++at) {
    out.mantissa = out.mantissa * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  const std::size_t whole_digits = at - whole;
  const bool has_point = at < size && text[at] == point;
  if (has_point) {
    const std::size_t fraction = ++at;
    for (; at < size && is_digit(text[at]); ++at) {
      out.mantissa = out.mantissa * 10 + static_cast<std::uint64_t>(text[at] - '0');
    }
    out.fraction_digits = at - fraction;
  }
  out.digits = whole_digits + out.fraction_digits;
  out.has_exponent = at < size;
  if (out.digits == 0 || (out.has_exponent && !is_exponent(text.substr(at)))) return out;
  out.is_number = true;
  out.is_digits = !has_point && !out.has_exponent;
  const bool leading_zero = whole_digits > 1 && text[whole] == '0';
  out.is_json = !plus && whole_digits > 0 && !leading_zero &&
                (!has_point || (point == '.' && out.fraction_digits > 0));
  return out;
}

// Up to 15 digits: a quotient of two exact doubles is correctly rounded (Clinger 1990).
std::optional<double> Decimal::value() const {
  if (!is_number) return std::nullopt;
  if (digits <= kExactDigits && !has_exponent) {
    const double magnitude = static_cast<double>(mantissa) / kPowersOfTen[fraction_digits];
    return negative ? -magnitude : magnitude;
  }
  std::string rewritten;
  std::string_view source = text;
  if (source[0] == '+') source.remove_prefix(1);
  if (point != '.') {
    rewritten = source;
    std::replace(rewritten.begin(), rewritten.end(), point, '.');
    source = rewritten;
  }
  double parsed = 0;
  const auto [end, error] = std::from_chars(source.data(), source.data() + source.size(), parsed);
  if (error != std::errc() || end != source.data() + source.size() || !std::isfinite(parsed)) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace millrace::codec::internal
