#include "env/time_format.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"

namespace millrace::env {
namespace {

constexpr std::size_t kFormatMax = 100;
constexpr std::size_t kFractionDigitsMax = 9;
constexpr std::string_view kConversions = "YmdHMSf";

// What the conversions of one text said.
struct Fields {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int ms = 0;

  int& of(char conversion) {
    switch (conversion) {
      case 'Y':
        return year;
      case 'm':
        return month;
      case 'd':
        return day;
      case 'H':
        return hour;
      case 'M':
        return minute;
      default:
        return second;
    }
  }

  std::optional<Timestamp> time() const {
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const Milliseconds since_epoch = std::chrono::sys_days{date}.time_since_epoch() +
                                     std::chrono::hours(hour) + std::chrono::minutes(minute) +
                                     std::chrono::seconds(second) + Milliseconds(ms);
    return Timestamp(since_epoch.count());
  }
};

// The digits at the start of `text`, at most `most`.
std::string_view leading_digits(std::string_view text, std::size_t most) {
  std::size_t count = 0;
  while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  return text.substr(0, count);
}

int value_of(std::string_view digits) {
  int value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  return value;
}

int milliseconds_of(std::string_view fraction) {
  constexpr std::size_t kKept = 3;
  int ms = value_of(fraction.substr(0, kKept));
  for (std::size_t i = fraction.size(); i < kKept; ++i) ms *= 10;
  return ms;
}

}  // namespace

Result<TimeFormat> TimeFormat::parse(std::string_view format) {
  if (format.size() > kFormatMax) {
    return Error(ErrorCode::kConfig, "a time format has at most 100 characters");
  }
  TimeFormat result;
  result.text_ = std::string(format);
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      result.parts_.push_back({0, format[i]});
      continue;
    }
    const char conversion = ++i < format.size() ? format[i] : '\0';
    if (conversion == '%') {
      result.parts_.push_back({0, '%'});
    } else if (conversion == 'F' || conversion == 'T') {
      const char separator = conversion == 'F' ? '-' : ':';
      const std::string_view three = conversion == 'F' ? "Ymd" : "HMS";
      MILLRACE_TRY(result.add_conversion(three[0]));
      result.parts_.push_back({0, separator});
      MILLRACE_TRY(result.add_conversion(three[1]));
      result.parts_.push_back({0, separator});
      MILLRACE_TRY(result.add_conversion(three[2]));
    } else {
      MILLRACE_TRY(result.add_conversion(conversion));
    }
  }
  for (const char needed : {'Y', 'm', 'd'}) {
    const bool there = std::any_of(result.parts_.begin(), result.parts_.end(),
                                   [&](const Part& part) { return part.conversion == needed; });
    if (!there) {
      return Error(ErrorCode::kConfig, "the time format '" + printable(format) + "' has no %" +
                                           std::string(1, needed) + "; a time needs %Y, %m and %d");
    }
  }
  return result;
}

Status TimeFormat::add_conversion(char conversion) {
  const std::string name =
      "%" + (conversion == '\0' ? std::string() : printable(std::string(1, conversion)));
  if (conversion == '\0' || kConversions.find(conversion) == std::string_view::npos) {
    return Error(ErrorCode::kConfig, "'" + name + "' is no conversion of a time format; %Y %m %d " +
                                         "%H %M %S %f %F %T and %% are");
  }
  const bool twice = std::any_of(parts_.begin(), parts_.end(),
                                 [&](const Part& part) { return part.conversion == conversion; });
  if (twice) {
    return Error(ErrorCode::kConfig,
                 "'" + name + "' stands twice in the time format '" + printable(text_) + "'");
  }
  parts_.push_back({conversion, 0});
  return {};
}

std::optional<Timestamp> TimeFormat::read(std::string_view text) const {
  constexpr std::size_t kYearDigits = 4;
  constexpr std::size_t kOtherDigits = 2;
  Fields fields;
  for (const Part& part : parts_) {
    if (part.conversion == 0) {
      if (text.empty() || text.front() != part.literal) return std::nullopt;
      text.remove_prefix(1);
      continue;
    }
    const std::size_t most = part.conversion == 'Y'   ? kYearDigits
                             : part.conversion == 'f' ? kFractionDigitsMax
                                                      : kOtherDigits;
    const std::string_view digits = leading_digits(text, most);
    if (digits.empty() || (part.conversion == 'Y' && digits.size() != kYearDigits)) {
      return std::nullopt;
    }
    if (part.conversion == 'f') {
      fields.ms = milliseconds_of(digits);
    } else {
      fields.of(part.conversion) = value_of(digits);
    }
    text.remove_prefix(digits.size());
  }
  if (!text.empty()) return std::nullopt;
  return fields.time();
}

}  // namespace millrace::env
