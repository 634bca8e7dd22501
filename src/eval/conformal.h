// Split-conformal intervals: a forecast, plus and minus what it was off by before.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace millrace::eval {

// The distance d for which forecast +- d holds the actual value with probability `coverage` or a
// little more, whatever the model: the ceil((n + 1) coverage)-th smallest of the n absolute
// residuals (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, "Distribution-Free Predictive
// Inference for Regression", 2018). The residuals must be of rows the model was not fitted on, in
// the target's unit; they need no order. Promised for exchangeable rows; a time series keeps it as
// far as its future resembles its past. Errors: kUsage for a coverage outside of (0, 1); kBadData
// for a residual that is negative or not finite, or fewer residuals than
// conformal_rows_min(coverage): no distance would do, and the message says how many are needed.
Result<double> conformal_quantile(std::span<const double> absolute_residuals, double coverage);

// The fewest residuals that promise a coverage in (0, 1): ceil(coverage / (1 - coverage)).
std::size_t conformal_rows_min(double coverage);

}  // namespace millrace::eval
