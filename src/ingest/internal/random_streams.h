// The random numbers of a row: the same, whoever asks and in whatever order.
#pragma once

#include <cstdint>

#include "env/random.h"

namespace millrace::ingest {

// Streams that do not touch each other.
enum class RandomStream : std::uint64_t { kValues = 1, kPoison = 2, kOutages = 3, kStations = 4 };

inline env::Random random_of(std::uint64_t seed, RandomStream stream, std::uint64_t row) {
  return env::Random(seed * 0x9e3779b97f4a7c15ULL +
                     static_cast<std::uint64_t>(stream) * 0xd1342543de82ef95ULL +
                     row * 0xbf58476d1ce4e5b9ULL);
}

}  // namespace millrace::ingest
