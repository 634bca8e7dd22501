// Points in time and spans. Wall time (Timestamp) is for data; monotonic time (SteadyTime) for
// deadlines and rates.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/ids.h"

namespace millrace {

using Milliseconds = std::chrono::milliseconds;
using Nanoseconds = std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

// Wall-clock time in milliseconds since 1970-01-01T00:00:00Z; negative before it.
using Timestamp = StrongInt<struct TimestampTag, std::int64_t>;

}  // namespace millrace
