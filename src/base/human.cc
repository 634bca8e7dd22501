#include "base/human.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/check.h"

namespace millrace {
namespace {

// Inserts commas into the digits before the point of a plain decimal.
std::string with_commas(std::string digits) {
  const std::size_t point = digits.find('.');
  const std::size_t end = point == std::string::npos ? digits.size() : point;
  const std::size_t begin = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = end; at > begin + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

// Three significant digits of a number in [0, 1000).
std::string three_digits(double value) {
  // The thresholds are where rounding would add a digit.
  if (value < 9.995) return human_number(value, 2);
  return human_number(value, value < 99.95 ? 1 : 0);
}

}  // namespace

std::string human_count(std::uint64_t count) { return with_commas(fmt::format("{}", count)); }

std::string human_count(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", human_count(count), count == 1 ? one : many);
}

std::string human_number(double value, int decimals) {
  CHECK(decimals >= 0 && decimals <= 6);
  if (!std::isfinite(value)) return "-";
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find_first_of("123456789") == std::string::npos && text.starts_with('-'))
    text.erase(0, 1);
  return with_commas(std::move(text));
}

std::string human_percent(double share) {
  if (!std::isfinite(share)) return "-";
  const double percent = share * 100;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  if (percent < 100 && percent >= 99.95) return "> 99.9 %";
  return human_number(percent, 1) + " %";
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 7> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return three_digits(value) + " " + kUnits.at(unit);
}

std::string human_seconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "-";
  if (seconds == 0) return "0 s";
  if (seconds < 999.5e-9) return three_digits(seconds * 1e9) + " ns";
  if (seconds < 999.5e-6) return three_digits(seconds * 1e6) + " µs";
  if (seconds < 999.5e-3) return three_digits(seconds * 1e3) + " ms";
  if (seconds < 59.95) return three_digits(seconds) + " s";
  constexpr double kHour = 3600;
  if (seconds < kHour - 0.5) {
    const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  }
  constexpr double kDay = 24 * kHour;
  if (seconds >= 2 * kDay) {
    constexpr double kHoursMax = 1e15;
    const auto hours =
        static_cast<std::uint64_t>(std::fmin(std::round(seconds / kHour), kHoursMax));
    const std::string days = human_count(hours / 24) + " d";
    return hours % 24 == 0 ? days : fmt::format("{} {} h", days, hours % 24);
  }
  constexpr double kMinutesMax = 1e15;  // beyond, the conversion to an integer would overflow
  const auto minutes = static_cast<std::uint64_t>(std::fmin(std::round(seconds / 60), kMinutesMax));
  return fmt::format("{} h {} min", human_count(minutes / 60), minutes % 60);
}

std::string human_rate(double per_second) {
  if (!std::isfinite(per_second) || per_second < 0) return "-";
  return human_number(per_second, per_second < 99.95 ? 1 : 0) + "/s";
}

}  // namespace millrace
