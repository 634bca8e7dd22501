#include "base/hash.h"

#include <nmmintrin.h>

#include <cstring>

#include "base/check.h"

namespace millrace {

// The release target x86-64-v2 includes SSE 4.2, so the CRC instruction is always there.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
  std::uint64_t state = ~crc;
  const char* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    state = _mm_crc32_u64(state, word);
  }
  auto tail = static_cast<std::uint32_t>(state);
  for (; n > 0; --n, ++p) tail = _mm_crc32_u8(tail, static_cast<unsigned char>(*p));
  return ~tail;
}

std::uint32_t murmur2(std::string_view bytes) {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;
  auto length = static_cast<std::uint32_t>(bytes.size());
  std::uint32_t h = kSeed ^ length;
  const char* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 4; n -= 4, p += 4) {
    std::uint32_t k = 0;
    std::memcpy(&k, p, sizeof k);
    k *= kMultiplier;
    k ^= k >> kShift;
    k *= kMultiplier;
    h *= kMultiplier;
    h ^= k;
  }
  auto byte = [p](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(p[i]));
  };
  if (n >= 3) h ^= byte(2) << 16;
  if (n >= 2) h ^= byte(1) << 8;
  if (n >= 1) {
    h ^= byte(0);
    h *= kMultiplier;
  }
  h ^= h >> 13;
  h *= kMultiplier;
  h ^= h >> 15;
  return h;
}

std::int32_t partition_for_key(std::string_view key, std::int32_t partitions) {
  CHECK(partitions > 0);
  return static_cast<std::int32_t>((murmur2(key) & 0x7fffffffU) %
                                   static_cast<std::uint32_t>(partitions));
}

namespace {

// Multiply to 128 bits and fold: the mixing step known from wyhash.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t stable_hash64(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t kA = 0x9E3779B97F4A7C15;
  constexpr std::uint64_t kB = 0xD6E8FEB86659FD93;
  std::uint64_t h = fold(seed ^ kA, bytes.size() ^ kB);
  const char* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    h = fold(h ^ word, kA);
  }
  std::uint64_t last = 0;
  std::memcpy(&last, p, n);
  h = fold(h ^ last, kB);
  return fold(h, kA);
}

}  // namespace millrace
