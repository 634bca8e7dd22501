// The region where an autoregression is stationary (and a moving average invertible), and a way to
// walk in it without limits.
#pragma once

#include <span>
#include <vector>

namespace millrace::series::internal {

// Coefficients from partial autocorrelations in (-1, 1), and back, by the Durbin-Levinson recursion
// (Monahan, "A Note on Enforcing Stationarity in Autoregressive-Moving Average Models", 1984).
std::vector<double> from_partials(std::span<const double> partials);
// Values outside of (-1, 1) where the autoregression is not stationary.
std::vector<double> to_partials(std::span<const double> coefficients);
bool is_stationary(std::span<const double> coefficients);

// Any real number to a partial autocorrelation, u / sqrt(1 + u^2), and back.
double partial_of(double unbounded);
double unbounded_of(double partial);

}  // namespace millrace::series::internal
