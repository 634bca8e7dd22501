// The normal distribution.
#pragma once

namespace millrace::eval {

// The value that a standard normal variable stays below with probability `p`, within 1e-12 of it
// relative to 1. `p` in (0, 1), else CHECK. By bisection of std::erfc: exact enough for intervals,
// too slow for a loop over records.
double normal_quantile(double p);

}  // namespace millrace::eval
