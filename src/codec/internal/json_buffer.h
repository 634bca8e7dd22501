// JSON text written into memory that is kept: for messages by the million.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "codec/internal/name_table.h"
#include "json/text.h"

namespace millrace::codec::internal {

// Grows as needed and never shrinks. Not thread-safe.
class JsonBuffer {
 public:
  void clear() { size_ = 0; }
  // Drops what was put after the first `size` bytes.
  void cut(std::size_t size) { size_ = size; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  void put(std::string_view text) {
    reserve(text.size());
    std::memcpy(bytes_.get() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void put(char c) {
    reserve(1);
    bytes_[size_++] = c;
  }
  // For texts up to 16 bytes mostly: copied by two loads and stores that overlap.
  void put_short(std::string_view text) {
    const std::size_t size = text.size();
    if (size > 16 || size < 8) return put_other(text);
    reserve(size);
    char* const to = bytes_.get() + size_;
    const std::uint64_t head = load8(text.data());
    const std::uint64_t tail = load8(text.data() + size - 8);
    std::memcpy(to, &head, 8);
    std::memcpy(to + size - 8, &tail, 8);
    size_ += size;
  }
  // `text` as a JSON string with quotes.
  void put_string(std::string_view text) {
    if (needs_no_escape(text)) [[likely]] {
      reserve(text.size() + 2);
      put('"');
      put_short(text);
      put('"');
      return;
    }
    escaped_.clear();
    json::append_string(escaped_, text);
    put(escaped_);
  }
  void put_number(double number) {
    escaped_.clear();
    json::append_number(escaped_, number);
    put(escaped_);
  }

 private:
  static constexpr std::uint64_t kOnes = 0x0101010101010101;
  static constexpr std::uint64_t kHighs = 0x8080808080808080;

  // Nothing but printable ASCII other than quote and backslash in eight bytes: a high bit in the
  // result stands for a byte that is not (zero padding must not get here).
  static std::uint64_t suspicious(std::uint64_t word) {
    const std::uint64_t quote = word ^ (kOnes * '"');
    const std::uint64_t backslash = word ^ (kOnes * '\\');
    return (word | (word - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes)) & kHighs;
  }
  static bool needs_no_escape(std::string_view text) {
    const char* at = text.data();
    const std::size_t size = text.size();
    if (size >= 8) {
      std::uint64_t bad = suspicious(load8(at + size - 8));
      for (std::size_t i = 0; i + 8 < size; i += 8) bad |= suspicious(load8(at + i));
      return bad == 0;
    }
    std::uint64_t word = kOnes * ' ';
    std::memcpy(&word, at, size);
    return suspicious(word) == 0;
  }

  void put_other(std::string_view text) {
    const std::size_t size = text.size();
    reserve(size);
    char* const to = bytes_.get() + size_;
    if (size >= 4 && size < 8) {
      const std::uint32_t head = load4(text.data());
      const std::uint32_t tail = load4(text.data() + size - 4);
      std::memcpy(to, &head, 4);
      std::memcpy(to + size - 4, &tail, 4);
    } else if (size < 4) {
      for (std::size_t i = 0; i < size; ++i) to[i] = text[i];
    } else {
      std::memcpy(to, text.data(), size);
    }
    size_ += size;
  }
  void reserve(std::size_t more) {
    if (size_ + more > capacity_) [[unlikely]]
      grow(more);
  }
  void grow(std::size_t more) {
    const std::size_t capacity = (size_ + more) * 2;
    auto larger = std::make_unique<char[]>(capacity);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::string escaped_;
};

}  // namespace millrace::codec::internal
