#include "config/scalars.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "base/text.h"

namespace millrace::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t kSecond = 1000;
constexpr std::array kTimeUnits = {Unit{"ms", 1}, Unit{"s", kSecond}, Unit{"m", 60 * kSecond},
                                   Unit{"h", 3600 * kSecond}, Unit{"d", 86'400 * kSecond}};
constexpr std::array kByteUnits = {Unit{"B", 1},
                                   Unit{"KB", 1000},
                                   Unit{"MB", 1'000'000},
                                   Unit{"GB", 1'000'000'000},
                                   Unit{"KiB", std::uint64_t{1} << 10},
                                   Unit{"MiB", std::uint64_t{1} << 20},
                                   Unit{"GiB", std::uint64_t{1} << 30}};
// Whole numbers up to here are exact in a double.
constexpr double kExactMax = 9'007'199'254'740'992.0;

Error refuse(std::string_view expected, std::string_view text) {
  return {ErrorCode::kConfig,
          "expected " + std::string(expected) + ", found '" + printable(text, 60) + "'"};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool has_leading_zero(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && is_digit(text[1]);
}

// "7d" to 7 and the unit; the product must be whole and exact.
template <std::size_t N>
Result<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                      std::string_view expected) {
  std::size_t split = 0;
  while (split < text.size() && (is_digit(text[split]) || text[split] == '.')) ++split;
  const auto number = parse_number(text.substr(0, split));
  if (!number) return refuse(expected, text);
  for (const Unit& unit : units) {
    if (unit.name != text.substr(split)) continue;
    const double value = *number * static_cast<double>(unit.factor);
    if (value > kExactMax || value != std::floor(value)) return refuse(expected, text);
    return static_cast<std::uint64_t>(value);
  }
  return refuse(expected, text);
}

}  // namespace

Result<std::int64_t> parse_integer(std::string_view text) {
  if (has_leading_zero(text)) {
    return refuse("an integer without leading zeros (quote it if text is meant)", text);
  }
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) return refuse("an integer of 64 bits", text);
  if (error != std::errc() || stop != end) return refuse("an integer", text);
  return value;
}

Result<double> parse_number(std::string_view text) {
  if (has_leading_zero(text)) {
    return refuse("a number without leading zeros (quote it if text is meant)", text);
  }
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) {
    return refuse("a number", text);
  }
  return value;
}

Result<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return refuse("true or false", text);
}

Result<Milliseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kExpected = "a duration such as 100ms, 10s, 5m, 2h or 7d";
  MILLRACE_ASSIGN(const std::uint64_t ms, parse_with_unit(text, kTimeUnits, kExpected));
  return Milliseconds(static_cast<std::int64_t>(ms));
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  constexpr std::string_view kExpected = "a size such as 65536, 64KiB or 1MiB";
  if (!text.empty() && is_digit(text.back())) {
    const auto plain = parse_integer(text);
    if (!plain || *plain < 0) return refuse(kExpected, text);
    return static_cast<std::uint64_t>(*plain);
  }
  return parse_with_unit(text, kByteUnits, kExpected);
}

std::string format_duration(Milliseconds value) {
  const auto ms = static_cast<std::uint64_t>(value.count());
  const Unit* best = &kTimeUnits.front();
  for (const Unit& unit : kTimeUnits) {
    if (ms != 0 && ms % unit.factor == 0) best = &unit;
  }
  return std::to_string(ms / best->factor) + std::string(best->name);
}

std::string format_bytes(std::uint64_t value) {
  constexpr std::array kPowers = {kByteUnits[4], kByteUnits[5], kByteUnits[6]};
  const Unit* best = nullptr;
  for (const Unit& unit : kPowers) {
    if (value != 0 && value % unit.factor == 0) best = &unit;
  }
  if (best == nullptr) return std::to_string(value);
  return std::to_string(value / best->factor) + std::string(best->name);
}

std::string format_number(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  if (error != std::errc()) return "nan";
  return {buffer.data(), end};
}

}  // namespace millrace::config
