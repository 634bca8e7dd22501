// One member after the other of a flat JSON object, straight from its bytes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "codec/internal/name_table.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace millrace::codec::internal {

// A scalar.
struct FlatValue {
  enum class Kind : std::uint8_t { kText, kNumber, kTrue, kFalse, kNull };
  Kind kind = Kind::kNull;
  // kText: between the quotes, of the message. kNumber: the digits of an integer, else empty.
  std::string_view text;
  double number = 0;  // kNumber: the nearest double
};

// What stood between two values of one message, to be looked for in the next: the mark, the key,
// the colon, and any white space.
class Between {
 public:
  static constexpr std::size_t kBytesMax = 48;

  // Nothing, and matching nothing, where `text` is too long.
  void learn(std::string_view text) {
    size_ = text.size() <= kBytesMax ? text.size() : 0;
    std::memcpy(bytes_.data(), text.data(), size_);
  }
  void forget() { size_ = 0; }
  std::size_t size() const { return size_; }
  // `at` needs kBytesMax readable bytes.
  bool stands_at(const char* at) const {
    if (size_ == 0) return false;
#if defined(__SSE2__)
    for (std::size_t i = 0; i < size_; i += 16) {
      const auto here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i));
      const auto due = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes_.data() + i));
      const auto other = static_cast<std::uint32_t>(~_mm_movemask_epi8(_mm_cmpeq_epi8(here, due)));
      const std::size_t left = size_ - i;
      const std::uint32_t counted = left < 16 ? (std::uint32_t{1} << left) - 1 : 0xFFFF;
      if ((other & counted) != 0) return false;
    }
    return true;
#else
    return std::memcmp(at, bytes_.data(), size_) == 0;
#endif
  }

 private:
  std::size_t size_ = 0;
  std::array<char, kBytesMax> bytes_{};
};

// Understands what nearly every message consists of and leaves the rest to a whole parser: each
// call returns false where escapes, nested values, integers of more than 19 digits or anything that
// is no JSON stands here. What it takes is JSON, but for bytes above 127 (see saw_high()) and for
// repeated keys, which the caller looks for.
class FlatCursor {
 public:
  // Bytes that are read behind a message.
  static constexpr std::size_t kPadding = 64;

  // `message` needs kPadding readable bytes behind it, and must outlive all views.
  explicit FlatCursor(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()) {
    skip_space();
  }

  const char* at() const { return at_; }
  // Whether a byte above 127 was met: the message must still be checked to be UTF-8.
  bool saw_high() const { return high_; }

  bool skip(const Between& expected) {
    if (expected.size() > room() || !expected.stands_at(at_)) return false;
    at_ += expected.size();
    return true;
  }
  // Whether this comes next, behind white space.
  bool is_at(char c) {
    skip_space();
    return at_ < end_ && *at_ == c;
  }
  // Takes '{' or ',', a key and its colon.
  bool take_key(char mark, std::string_view& key) {
    skip_space();
    if (!take(mark)) return false;
    skip_space();
    if (!take_text(key)) return false;
    skip_space();
    if (!take(':')) return false;
    skip_space();
    return true;
  }
  bool take_value(FlatValue& value);
  // Takes the end of the object and of the message.
  bool take_end() {
    skip_space();
    if (!take('}')) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  std::size_t room() const { return static_cast<std::size_t>(end_ - at_); }
  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool take(char c) {
    if (at_ >= end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool take_text(std::string_view& text);
  bool take_number(FlatValue& value);
  // With many digits, or with an exponent. `at_` is where it starts.
  bool take_any_number(double& number);
  bool take_word(std::string_view word) {
    if (word.size() > room() || std::memcmp(at_, word.data(), word.size()) != 0) return false;
    at_ += word.size();
    return true;
  }

  const char* at_;
  const char* end_;
  bool high_ = false;
};

inline bool FlatCursor::take_value(FlatValue& value) {
  if (at_ >= end_) return false;
  switch (*at_) {
    case '"':
      value.kind = FlatValue::Kind::kText;
      return take_text(value.text);
    case 't':
      value.kind = FlatValue::Kind::kTrue;
      return take_word("true");
    case 'f':
      value.kind = FlatValue::Kind::kFalse;
      return take_word("false");
    case 'n':
      value.kind = FlatValue::Kind::kNull;
      return take_word("null");
    default:
      value.kind = FlatValue::Kind::kNumber;
      return take_number(value);
  }
}

inline bool FlatCursor::take_text(std::string_view& text) {
  if (!take('"')) return false;
  const char* const start = at_;
#if defined(__SSE2__)
  for (; at_ < end_; at_ += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
    const __m128i stops =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
                     _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes));
    const auto stop = static_cast<std::uint32_t>(_mm_movemask_epi8(stops));
    const auto high = static_cast<std::uint32_t>(_mm_movemask_epi8(bytes));
    if (stop == 0) {
      high_ = high_ || high != 0;
      continue;
    }
    high_ = high_ || (high & (stop - 1) & ~stop) != 0;
    at_ += std::countr_zero(stop);
    break;
  }
#else
  for (; at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) > 0x1F;
       ++at_) {
    high_ = high_ || static_cast<unsigned char>(*at_) > 127;
  }
#endif
  if (at_ >= end_ || *at_ != '"') return false;
  text = {start, static_cast<std::size_t>(at_ - start)};
  ++at_;
  return true;
}

// Digits at the start of eight bytes, 0 to 8 of them, and what they are worth.
struct DigitRun {
  std::size_t size;
  std::uint64_t value;

  static DigitRun at(const char* text) {
    const std::uint64_t word = load8(text);
    // The high bit of each byte that is no digit: below '0', above '9', or above 127.
    constexpr std::uint64_t kHigh = 0x8080808080808080;
    const std::uint64_t zeros = word ^ 0x3030303030303030;  // digits become 0 to 9
    const std::uint64_t other =
        (((zeros & ~kHigh) + 0x7676767676767676) | zeros) & kHigh;  // 10 and more
    if (other == 0) return {8, value_of(zeros)};
    const auto size = static_cast<std::size_t>(std::countr_zero(other)) / 8;
    if (size == 0) return {0, 0};
    return {size, value_of(zeros << (64 - size * 8))};  // zeros before the digits
  }

 private:
  // Eight digits, the first in the lowest byte: pairs, then all (Lemire 2021, Number parsing at a
  // gigabyte per second).
  static std::uint64_t value_of(std::uint64_t digits) {
    digits = digits * 10 + (digits >> 8);
    return (((digits & 0x000000FF000000FF) * (100 + (std::uint64_t{1'000'000} << 32))) +
            (((digits >> 16) & 0x000000FF000000FF) * (1 + (std::uint64_t{10'000} << 32)))) >>
           32;
  }
};

// All digits that stand at `text`; more than 19 of them may not fit into the value.
struct Digits {
  std::size_t size;
  std::uint64_t value;

  static Digits at(const char* text) {
    static constexpr std::uint64_t kPowers[] = {1,      10,      100,      1000,     10000,
                                                100000, 1000000, 10000000, 100000000};
    DigitRun run = DigitRun::at(text);
    Digits all{run.size, run.value};
    while (run.size == 8 && all.size < 24) {
      run = DigitRun::at(text + all.size);
      all.value = all.value * kPowers[run.size] + run.value;
      all.size += run.size;
    }
    return all;
  }
};

inline bool FlatCursor::take_number(FlatValue& value) {
  static constexpr double kPowers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  constexpr std::uint64_t kNegativeMax = std::uint64_t{1} << 63;
  const char* const start = at_;
  const bool negative = *start == '-';
  const char* at = start + (negative ? 1 : 0);
  const Digits whole = Digits::at(at);
  const bool leading_zero = whole.size > 1 && *at == '0';
  if (whole.size == 0 || whole.size > 19 || leading_zero) return false;
  at += whole.size;
  value.text = {};
  if (*at != '.' && *at != 'e' && *at != 'E') {
    // An integer zero has no sign.
    if (at > end_ || (negative && (whole.value == 0 || whole.value > kNegativeMax))) return false;
    at_ = at;
    const auto magnitude = static_cast<double>(whole.value);
    value.number = negative ? -magnitude : magnitude;
    value.text = {start, static_cast<std::size_t>(at - start)};
    return true;
  }
  if (*at != '.') return take_any_number(value.number);
  const Digits part = Digits::at(++at);
  at += part.size;
  if (part.size == 0 || at > end_) return false;
  if (whole.size + part.size > 15 || *at == 'e' || *at == 'E') return take_any_number(value.number);
  // So few digits that the quotient of two exact doubles is correctly rounded (Clinger 1990).
  const double magnitude =
      (static_cast<double>(whole.value) * kPowers[part.size] + static_cast<double>(part.value)) /
      kPowers[part.size];
  at_ = at;
  value.number = negative ? -magnitude : magnitude;
  return true;
}

}  // namespace millrace::codec::internal
