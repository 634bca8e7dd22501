// Numbers as people read them, in reports and on terminals: "1,234,567", "26.5 %", "12.3 MB", "1.2
// s". Independent of the locale. Not for formats that are read back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

// 1234567 -> "1,234,567".
std::string human_count(std::uint64_t count);
// The same with its noun: "1 row", "1,234 rows".
std::string human_count(std::uint64_t count, std::string_view one, std::string_view many);

// `decimals` digits after the point (0 to 6), thousands separated; "-" when not finite. A value
// that rounds to zero has no sign.
std::string human_number(double value, int decimals);

// A share of 1 as a percentage: 0.2654 -> "26.5 %". What is not quite nothing or everything is not
// shown as 0 or 100: "< 0.1 %", "> 99.9 %".
std::string human_percent(double share);

// SI units, three significant digits: 999 -> "999 B", 12345678 -> "12.3 MB".
std::string human_bytes(std::uint64_t bytes);

// A span of time: "850 µs", "12.3 ms", "1.25 s", "2 min 5 s", "3 h 12 min", "7 d"; "-" when not
// finite or negative.
std::string human_seconds(double seconds);

// Events a second: "12,345/s"; below 100 with a digit: "4.2/s".
std::string human_rate(double per_second);

}  // namespace millrace
