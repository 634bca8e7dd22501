#include "ingest/pacer.h"

#include <cmath>

namespace millrace::ingest {

SteadyTime Pacer::time_of(std::uint64_t n) const {
  if (n <= first_) return start_;
  const double ns = std::ceil(static_cast<double>(n - first_) / per_second_ * 1e9);
  constexpr double kFarAway = 9e17;  // 28 years, so that slow rates do not overflow
  return start_ + Nanoseconds(static_cast<std::int64_t>(std::min(ns, kFarAway)));
}

std::uint64_t Pacer::due(SteadyTime now) const {
  if (now < start_) return first_;
  const double elapsed_s =
      static_cast<double>(std::chrono::duration_cast<Nanoseconds>(now - start_).count()) / 1e9;
  std::uint64_t count = first_ + static_cast<std::uint64_t>(elapsed_s * per_second_) + 1;
  // The division above and the one in time_of() may round differently by one event.
  while (time_of(count) <= now) ++count;
  while (count > first_ + 1 && time_of(count - 1) > now) --count;
  return count;
}

void Pacer::restart_at(std::uint64_t n, SteadyTime now) {
  first_ = n;
  start_ = now;
}

}  // namespace millrace::ingest
