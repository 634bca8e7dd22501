#include "series/internal/stationarity.h"

#include <algorithm>
#include <cmath>

namespace millrace::series::internal {

std::vector<double> from_partials(std::span<const double> partials) {
  std::vector<double> coefficients;
  for (std::size_t k = 0; k < partials.size(); ++k) {
    std::vector<double> next(k + 1);
    for (std::size_t i = 0; i < k; ++i)
      next[i] = coefficients[i] - partials[k] * coefficients[k - 1 - i];
    next[k] = partials[k];
    coefficients = std::move(next);
  }
  return coefficients;
}

std::vector<double> to_partials(std::span<const double> coefficients) {
  std::vector<double> partials(coefficients.size());
  std::vector<double> rest(coefficients.begin(), coefficients.end());
  for (std::size_t k = rest.size(); k-- > 0;) {
    const double partial = rest[k];
    partials[k] = partial;
    if (std::abs(partial) >= 1) continue;  // outside anyway
    std::vector<double> shorter(k);
    for (std::size_t i = 0; i < k; ++i)
      shorter[i] = (rest[i] + partial * rest[k - 1 - i]) / (1 - partial * partial);
    rest = std::move(shorter);
  }
  return partials;
}

bool is_stationary(std::span<const double> coefficients) {
  const std::vector<double> partials = to_partials(coefficients);
  return std::all_of(partials.begin(), partials.end(),
                     [](double partial) { return std::abs(partial) < 1; });
}

double partial_of(double unbounded) { return unbounded / std::sqrt(1 + unbounded * unbounded); }

double unbounded_of(double partial) { return partial / std::sqrt(1 - partial * partial); }

}  // namespace millrace::series::internal
