#include "env/clock.h"

#include <time.h>

#include <algorithm>
#include <fstream>
#include <thread>

namespace millrace::env {
namespace {

class RealClock final : public Clock {
 public:
  Timestamp now() override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp(std::chrono::duration_cast<Milliseconds>(since_epoch).count());
  }
  SteadyTime steady() override { return std::chrono::steady_clock::now(); }
  void sleep_until(SteadyTime until) override {
    const auto since = until.time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    timespec at{};
    at.tv_sec = seconds.count();
    at.tv_nsec = std::chrono::duration_cast<Nanoseconds>(since - seconds).count();
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);  // EINTR: a signal, return early
  }
};

Nanoseconds cpu_time(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return std::chrono::seconds(at.tv_sec) + Nanoseconds(at.tv_nsec);
}

constexpr std::int64_t kMsPerDay = 86'400'000;
constexpr std::int64_t kDayMin = -719'528;   // 0000-01-01
constexpr std::int64_t kDayMax = 2'932'896;  // 9999-12-31

struct Civil {
  std::int64_t year;
  unsigned month;
  unsigned day;
};

// Days since 1970-01-01 to the proleptic Gregorian date, and back, by the standard library's
// calendar.
Civil civil_of(std::int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day())};
}

void put_digits(char* out, int width, std::int64_t value) {
  for (int i = width - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Reads exactly `width` digits at `at`; -1 when they are not all there.
int digits(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Offset in minutes from "Z", "", "+hh:mm"; false where it is none of these.
bool parse_zone(std::string_view zone, int& minutes) {
  minutes = 0;
  if (zone.empty() || zone == "Z" || zone == "z") return true;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return false;
  const int hour = digits(zone, 1, 2);
  const int minute = digits(zone, 4, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  minutes = (zone[0] == '-' ? -1 : 1) * (hour * 60 + minute);
  return true;
}

}  // namespace

Clock& real_clock() {
  static RealClock clock;
  return clock;
}

std::int64_t boottime_ms() {
  timespec at{};
  clock_gettime(CLOCK_BOOTTIME, &at);
  return std::int64_t{at.tv_sec} * 1000 + at.tv_nsec / 1'000'000;
}

Nanoseconds thread_cpu_time() { return cpu_time(CLOCK_THREAD_CPUTIME_ID); }
Nanoseconds process_cpu_time() { return cpu_time(CLOCK_PROCESS_CPUTIME_ID); }

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

void format_rfc3339(Timestamp time, char* out) {
  const std::int64_t ms =
      std::clamp(time.value(), kDayMin * kMsPerDay, kDayMax * kMsPerDay + kMsPerDay - 1);
  const std::int64_t day = ms >= 0 ? ms / kMsPerDay : -((-ms + kMsPerDay - 1) / kMsPerDay);
  const std::int64_t in_day = ms - day * kMsPerDay;
  const Civil date = civil_of(day);
  put_digits(out, 4, date.year);
  out[4] = out[7] = '-';
  put_digits(out + 5, 2, date.month);
  put_digits(out + 8, 2, date.day);
  out[10] = 'T';
  put_digits(out + 11, 2, in_day / 3'600'000);
  out[13] = ':';
  put_digits(out + 14, 2, in_day / 60'000 % 60);
  out[16] = ':';
  put_digits(out + 17, 2, in_day / 1000 % 60);
  out[19] = '.';
  put_digits(out + 20, 3, in_day % 1000);
  out[23] = 'Z';
}

std::string format_rfc3339(Timestamp time) {
  std::string text(24, ' ');
  format_rfc3339(time, text.data());
  return text;
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  // Made only when it is needed: good records pass here without allocation.
  const auto bad = [] {
    return Error(ErrorCode::kBadData,
                 "not an RFC 3339 date and time such as 2025-10-11T03:28:23.234Z");
  };
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':')
    return bad();
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return bad();
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (year < 0 || month < 0 || day < 0 || !date.ok()) return bad();
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return bad();
  std::size_t at = 19;
  int ms = 0;
  if (at < text.size() && text[at] == '.') {
    int weight = 100;
    std::size_t count = 0;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9';
         ++at, ++count, weight /= 10) {
      ms += (text[at] - '0') * weight;
    }
    if (count == 0) return bad();
  }
  int zone_minutes = 0;
  if (!parse_zone(text.substr(at), zone_minutes)) return bad();
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return Timestamp(days * kMsPerDay + hour * 3'600'000LL + (minute - zone_minutes) * 60'000LL +
                   second * 1000LL + ms);
}

}  // namespace millrace::env
