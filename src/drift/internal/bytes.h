// How a drift state is written: numbers of few bytes where they are small, in one order on every
// machine.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::drift::internal {

// Appends to a string.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  // Seven bits a byte, the lowest first; all but the last byte have their top bit set (LEB128).
  void number(std::uint64_t value);
  // 0, -1, 1, -2, ... as 0, 1, 2, 3, ...
  void signed_number(std::int64_t value);
  void real(double value);  // 8 bytes, little-endian
  // As many numbers as the reader will ask for: each as it is, but zeros in a row as 0 and how many
  // more of them follow.
  void numbers(std::span<const std::uint64_t> values);

 private:
  std::string& out_;
};

// Reads what ByteWriter wrote. Errors: kBadData where it ends too early or makes no sense; what was
// asked for is then unusable.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  Result<std::uint64_t> number();
  // At most `max`.
  Result<std::uint64_t> number_up_to(std::uint64_t max);
  Result<std::int64_t> signed_number();
  Result<double> real();  // finite
  Status numbers(std::span<std::uint64_t> values);
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace millrace::drift::internal
