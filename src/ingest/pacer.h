// When the n-th event of a steady stream is due.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace millrace::ingest {

// Event n (from 0) is due at start + n / rate, so that errors never add up, however long each send
// takes. A plain value without a clock of its own.
class Pacer {
 public:
  // `per_second` > 0.
  Pacer(double per_second, SteadyTime start) : per_second_(per_second), start_(start) {}

  SteadyTime time_of(std::uint64_t n) const;
  // How many events are due at `now`, the first one at `start` included.
  std::uint64_t due(SteadyTime now) const;
  // Moves the whole timetable so that event n is due at `now`: what a long stall missed is not
  // caught up.
  void restart_at(std::uint64_t n, SteadyTime now);

  double per_second() const { return per_second_; }

 private:
  double per_second_;
  SteadyTime start_;
  std::uint64_t first_ = 0;  // the event due at start_
};

}  // namespace millrace::ingest
