// The only source of time. Code takes a Clock& so that tests can move time by hand
// (env/testing/manual_clock.h).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace millrace::env {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time; may jump.
  virtual Timestamp now() = 0;
  // Monotonic time for deadlines and rates; never jumps back.
  virtual SteadyTime steady() = 0;
  // Returns when steady() reaches `until`, or earlier if a signal arrives.
  virtual void sleep_until(SteadyTime until) = 0;
};

// The machine's clock, for the life of the process.
Clock& real_clock();

// Milliseconds since boot, suspended time included (CLOCK_BOOTTIME): comparable between processes
// of one boot.
std::int64_t boottime_ms();
// CPU time used by the calling thread, and by the whole process, in nanoseconds.
Nanoseconds thread_cpu_time();
Nanoseconds process_cpu_time();
// Identity of the current boot, for values of boottime_ms() that outlive a process.
std::string boot_id();

// RFC 3339 in UTC with milliseconds and Z: "2025-10-11T03:28:23.234Z". Years 0000 to 9999; clamped
// outside.
std::string format_rfc3339(Timestamp time);
// Writes the same 24 characters to `out`, for hot paths.
void format_rfc3339(Timestamp time, char* out);
// Parses RFC 3339 date-times: 'T' or ' ' between date and time, optional fraction (cut to ms), and
// 'Z', an offset +hh:mm, or nothing (taken as UTC). A leap second (:60) is taken as the next
// second. Errors: kBadData.
Result<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace millrace::env
