#include "drift/statistics.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace millrace::drift {
namespace {

constexpr std::array<std::string_view, kStatistics> kNames = {
    "psi", "ks", "jensen_shannon", "mean_shift", "missing_share", "relation_shift"};

// 1/n + 1/m.
double spread(const ChanceInput& input) {
  CHECK(input.reference_size > 0 && input.window_size > 0);
  CHECK(input.level > 0 && input.level < 1);
  return 1 / input.reference_size + 1 / input.window_size;
}

double two_sided_normal(double level) {
  return boost::math::quantile(boost::math::complement(boost::math::normal(), level / 2));
}

double sum(std::span<const double> counts) {
  return std::accumulate(counts.begin(), counts.end(), 0.0);
}

// p log2(p / m), with its limit at 0.
double divergence(double p, double m) { return p > 0 ? p * std::log2(p / m) : 0; }

}  // namespace

std::string_view to_string(Statistic statistic) {
  return kNames.at(static_cast<std::size_t>(statistic));
}

std::optional<Statistic> statistic_of(std::string_view name) {
  for (const Statistic statistic : kAllStatistics) {
    if (to_string(statistic) == name) return statistic;
  }
  return std::nullopt;
}

double population_stability_index(std::span<const double> reference_counts,
                                  std::span<const double> window_counts) {
  CHECK(!reference_counts.empty() && reference_counts.size() == window_counts.size());
  constexpr double kHalf = 0.5;
  const double added = kHalf * static_cast<double>(reference_counts.size());
  const double p_sum = sum(reference_counts) + added;
  const double q_sum = sum(window_counts) + added;
  CHECK(p_sum > added && q_sum > added);
  double psi = 0;
  for (std::size_t i = 0; i < reference_counts.size(); ++i) {
    const double p = (reference_counts[i] + kHalf) / p_sum;
    const double q = (window_counts[i] + kHalf) / q_sum;
    psi += (q - p) * std::log(q / p);
  }
  return psi;
}

double jensen_shannon(std::span<const double> reference_counts,
                      std::span<const double> window_counts) {
  CHECK(!reference_counts.empty() && reference_counts.size() == window_counts.size());
  const double p_sum = sum(reference_counts);
  const double q_sum = sum(window_counts);
  CHECK(p_sum > 0 && q_sum > 0);
  double bits = 0;
  for (std::size_t i = 0; i < reference_counts.size(); ++i) {
    const double p = reference_counts[i] / p_sum;
    const double q = window_counts[i] / q_sum;
    const double middle = (p + q) / 2;
    bits += (divergence(p, middle) + divergence(q, middle)) / 2;
  }
  return std::clamp(bits, 0.0, 1.0);
}

double effective_share(std::span<const double> values) {
  double total = 0;
  double count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    total += value;
    ++count;
  }
  const double mean = total / count;
  double squares = 0;
  double products = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    squares += (values[i] - mean) * (values[i] - mean);
    if (i == 0 || std::isnan(values[i - 1])) continue;
    products += (values[i] - mean) * (values[i - 1] - mean);
    ++pairs;
  }
  if (!(squares > 0) || pairs == 0) return 1;
  const double r = (products / pairs) / (squares / count);
  constexpr double kRMax = 0.999;
  if (!(r > 0)) return 1;
  const double capped = std::min(r, kRMax);
  return (1 - capped) / (1 + capped);
}

double ks_by_chance(const ChanceInput& input) {
  return std::sqrt(-std::log(input.level / 2) / 2) * std::sqrt(spread(input));
}

double psi_by_chance(const ChanceInput& input, std::size_t bins) {
  const double by_size = spread(input);
  if (bins < 2) return 0;
  const boost::math::chi_squared chi(static_cast<double>(bins - 1));
  return by_size * boost::math::quantile(boost::math::complement(chi, input.level));
}

double jensen_shannon_by_chance(const ChanceInput& input, std::size_t bins) {
  return psi_by_chance(input, bins) / (8 * std::log(2.0));
}

double mean_shift_by_chance(const ChanceInput& input) {
  return two_sided_normal(input.level) * std::sqrt(spread(input));
}

double share_change_by_chance(const ChanceInput& input, double reference_share) {
  const double variance = reference_share * (1 - reference_share) * spread(input);
  return two_sided_normal(input.level) * std::sqrt(variance) + 1 / input.window_size;
}

}  // namespace millrace::drift
