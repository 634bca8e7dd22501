// How different two samples of one column are: the statistics that drift is judged by, and how
// large each of them becomes by chance.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::drift {

enum class Statistic : std::uint8_t {
  kPsi,            // population stability index over the reference's bins
  kKs,             // Kolmogorov-Smirnov distance
  kJensenShannon,  // divergence in bits over the bins, 0 to 1
  kMeanShift,      // of the means, in standard deviations of the reference, signed
  kMissingShare,   // change of the share of missing values, signed
  kRelationShift,  // of the mean against what the other columns say, in standard deviations, signed
};
inline constexpr std::size_t kStatistics = 6;
inline constexpr std::array kAllStatistics = {Statistic::kPsi,           Statistic::kKs,
                                              Statistic::kJensenShannon, Statistic::kMeanShift,
                                              Statistic::kMissingShare,  Statistic::kRelationShift};

// "psi", "ks", "jensen_shannon", "mean_shift", "missing_share", "relation_shift".
std::string_view to_string(Statistic statistic);
std::optional<Statistic> statistic_of(std::string_view name);

// Sum over bins of (q - p) ln(q / p); the shares p and q with half a count added to each bin
// (Krichevsky and Trofimov 1981), so that empty bins give no infinities. Both of one size > 0, each
// with at least one count (CHECK). (Siddiqi, Credit Risk Scorecards, 2006.)
double population_stability_index(std::span<const double> reference_counts,
                                  std::span<const double> window_counts);

// Base 2: half the Kullback-Leibler divergences of both from their mean (Lin, IEEE Trans. Inf.
// Theory 37, 1991). The square of scipy.spatial.distance.jensenshannon(p, q, 2).
double jensen_shannon(std::span<const double> reference_counts,
                      std::span<const double> window_counts);

// A point of a distribution function: the shares of values < value and <= value.
struct CdfPoint {
  double value = 0;
  double below = 0;
  double at_most = 0;
};

// What a sample of n autocorrelated values is worth in independent ones, as a share of n, in (0,
// 1]: (1 - r) / (1 + r) of an AR(1) process with lag-1 autocorrelation r (Bayley and Hammersley, J.
// R. Stat. Soc. B 8, 1946). NaNs are gaps: pairs with one are left out. 1 where r is negative or
// cannot be had.
double effective_share(std::span<const double> values);

// Sizes, in independent values, of the reference and of the window, both > 0, and the probability
// with which a statistic may pass its critical value by chance, in (0, 1).
struct ChanceInput {
  double reference_size = 0;
  double window_size = 0;
  double level = 0;
};

// sqrt(-ln(level / 2) / 2) sqrt((n + m) / (n m)): the asymptotic two-sided critical value of
// Kolmogorov and Smirnov (Smirnov 1948).
double ks_by_chance(const ChanceInput& input);
// (1/n + 1/m) times the quantile of chi-squared with bins - 1 degrees of freedom (Yurdakul and
// Naranjo, J. Risk Model Validation 14(4), 2020). 0 of one bin.
double psi_by_chance(const ChanceInput& input, std::size_t bins);
// A psi of d nearby is a divergence of d / (8 ln 2) bits (second order term of both; Grosse et al.,
// Phys. Rev. E 65, 2002).
double jensen_shannon_by_chance(const ChanceInput& input, std::size_t bins);
// Of a mean shift in standard deviations: z sqrt(1/n + 1/m), z the two-sided normal quantile.
double mean_shift_by_chance(const ChanceInput& input);
// Of a share's change: z sqrt(p (1 - p) (1/n + 1/m)), and one record more.
double share_change_by_chance(const ChanceInput& input, double reference_share);

}  // namespace millrace::drift
