// Randomness: a seeded generator for everything that must replay, and the system's for identities.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::env {

// xoshiro256** (Blackman and Vigna, 2018) seeded by SplitMix64: the same seed gives the same
// sequence on every machine and version. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  // Uniform in [0, 1), 53 bits.
  double uniform();
  // Uniform in [0, n), n > 0, without modulo bias.
  std::uint64_t below(std::uint64_t n);
  // Standard normal (polar method).
  double normal();

 private:
  std::uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

// `bytes` random bytes from the system as lower-case hex.
std::string random_hex(std::size_t bytes);

}  // namespace millrace::env
