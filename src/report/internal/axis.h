// A scale of a plot: its range and where its ticks are.
#pragma once

#include <string>
#include <vector>

namespace millrace::report {

struct Tick {
  double at = 0;
  std::string label;
};

struct Axis {
  double low = 0;
  double high = 1;  // > low
  std::vector<Tick> ticks;
};

// An axis from `low` or somewhat below to `high` or somewhat above, with ticks at multiples of 1, 2
// or 5 times a power of ten, at most `ticks_max` (>= 2) + 2 of them. An empty or upside-down range
// becomes [low, low + 1]; numbers that are not finite count as 0.
Axis nice_axis(double low, double high, int ticks_max);

// The same for counts: from 0, whole numbers only.
Axis count_axis(double high, int ticks_max);

// 0 to 1 in fifths, without rounding outwards.
Axis share_axis();

}  // namespace millrace::report
