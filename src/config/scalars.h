// Scalars as people write them in files and on command lines: integers, numbers, durations, sizes.
// Each returns the value or a reason that completes the sentence "expected ..., ...".
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace millrace::config {

// -?(0|[1-9][0-9]*) within 64 bits. A leading zero is refused: it is octal to some readers.
Result<std::int64_t> parse_integer(std::string_view text);
// A finite decimal number: 1, -0.5, 1e-3. No leading zeros, no thousands separators.
Result<double> parse_number(std::string_view text);
// true or false, nothing else.
Result<bool> parse_boolean(std::string_view text);
// A number and a unit, ms, s, m, h or d: 100ms, 1.5s, 7d. Whole milliseconds, not negative.
Result<Milliseconds> parse_duration(std::string_view text);
// Whole bytes, or a number and B, KB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024).
Result<std::uint64_t> parse_bytes(std::string_view text);

// "7d", "90s", "100ms": the largest unit that divides the value.
std::string format_duration(Milliseconds value);
// "1MiB", "1500": the largest power of 1024 that divides the value.
std::string format_bytes(std::uint64_t value);
// The shortest decimal that reads back as `value`.
std::string format_number(double value);

}  // namespace millrace::config
