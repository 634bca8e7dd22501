// Short texts compared and found without memcmp: field names and category levels.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::codec::internal {

inline std::uint64_t load8(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

inline std::uint32_t load4(const char* at) {
  std::uint32_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// First and last eight bytes and the length: equal for two texts of at most 16 bytes only if the
// texts are equal.
struct Fingerprint {
  std::uint64_t head = 0;  // of a shorter text, filled up with zeros
  std::uint64_t tail = 0;  // of a text up to 8 bytes, the head
  std::uint64_t size = 0;
  bool operator==(const Fingerprint& other) const {
    return ((head ^ other.head) | (tail ^ other.tail) | (size ^ other.size)) == 0;
  }

  // Never reads outside the text.
  static Fingerprint of(std::string_view text) {
    const char* at = text.data();
    const std::size_t size = text.size();
    if (size >= 8) return {load8(at), load8(at + size - 8), size};
    std::uint64_t head = 0;
    if (size > 0) std::memcpy(&head, at, size);
    return {head, head, size};
  }
  // The same without a branch, for texts with at least 8 readable bytes from their start on.
  static Fingerprint of_padded(std::string_view text) {
    const char* at = text.data();
    const std::size_t size = text.size();
    const std::uint64_t mask = kMasks[size < 8 ? size : 8];
    return {load8(at) & mask, load8(at + (size > 8 ? size - 8 : 0)) & mask, size};
  }

  std::uint64_t hash(int turn) const {
    constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15;
    const std::uint64_t mixed = (head ^ std::rotl(tail, turn) ^ size << 56) * kMix;
    return mixed ^ mixed >> 32;
  }

 private:
  // The low bytes of a word (the machines this runs on are little-endian).
  static constexpr std::uint64_t kMasks[9] = {0,
                                              0xFF,
                                              0xFFFF,
                                              0xFFFFFF,
                                              0xFFFFFFFF,
                                              0xFFFFFFFFFF,
                                              0xFFFFFFFFFFFF,
                                              0xFFFFFFFFFFFFFF,
                                              0xFFFFFFFFFFFFFFFF};
  static_assert(std::endian::native == std::endian::little);
};

struct FingerprintedText {
  Fingerprint print;
  std::string_view text;

  static FingerprintedText of(std::string_view text) { return {Fingerprint::of(text), text}; }
  static FingerprintedText of_padded(std::string_view text) {
    return {Fingerprint::of_padded(text), text};
  }
  bool operator==(const FingerprintedText& other) const {
    return print == other.print && (print.size <= 16 || same_middle(other));
  }

 private:
  // What the fingerprints do not hold.
  bool same_middle(const FingerprintedText& other) const {
    const char* a = text.data();
    const char* b = other.text.data();
    const std::size_t size = text.size();
    if (size > 32) return std::memcmp(a + 8, b + 8, size - 16) == 0;
    return load8(a + 8) == load8(b + 8) && load8(a + size - 16) == load8(b + size - 16);
  }
};

// Index of a text in a fixed list. The list is the schema's, so that foreign input cannot crowd the
// table.
class NameTable {
 public:
  static constexpr std::int32_t kNone = -1;

  NameTable() = default;
  // Keeps views of `names`: they must outlive the table and not move.
  explicit NameTable(const std::vector<std::string>& names) {
    // A name that is found at its first place is found without a branch that can be mispredicted:
    // of a few ways to place them all the one with the fewest out of place is taken.
    std::size_t best = SIZE_MAX;
    for (const int turn : {29, 11, 37, 5, 43, 19, 53, 23}) {
      std::vector<Slot> slots(std::bit_ceil(names.size() * 2 + 1));
      const std::size_t displaced = place(names, turn, slots);
      if (displaced >= best) continue;
      best = displaced;
      turn_ = turn;
      slots_ = std::move(slots);
      if (best == 0) break;
    }
  }

  std::int32_t find(const FingerprintedText& name) const {
    if (slots_.empty()) return kNone;
    std::size_t at = name.print.hash(turn_) & (slots_.size() - 1);
    while (slots_[at].index != kNone) {
      if (slots_[at].name == name) return slots_[at].index;
      at = (at + 1) & (slots_.size() - 1);
    }
    return kNone;
  }
  std::int32_t find(std::string_view name) const { return find(FingerprintedText::of(name)); }

 private:
  struct Slot {
    FingerprintedText name;
    std::int32_t index = kNone;
  };

  // Fills empty slots; returns how many names do not stand where their hash says.
  static std::size_t place(const std::vector<std::string>& names, int turn,
                           std::vector<Slot>& slots) {
    std::size_t displaced = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const FingerprintedText name = FingerprintedText::of(names[i]);
      std::size_t at = name.print.hash(turn) & (slots.size() - 1);
      if (slots[at].index != kNone) ++displaced;
      while (slots[at].index != kNone) at = (at + 1) & (slots.size() - 1);
      slots[at] = {name, static_cast<std::int32_t>(i)};
    }
    return displaced;
  }

  std::vector<Slot> slots_;
  int turn_ = 0;
};

}  // namespace millrace::codec::internal
