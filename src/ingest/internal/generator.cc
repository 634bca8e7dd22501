#include "ingest/internal/generator.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace millrace::ingest {
namespace {

constexpr std::array<double, 7> kPowers = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};

double normal_probability(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// Keeps away from 0 and 1, whose quantiles are infinite.
double inner(double p) { return std::clamp(p, 1e-12, 1 - 1e-12); }

double value_of(const Term& term, const Draws& draws) {
  if (!term.by_level.empty()) {
    return term.by_level[static_cast<std::size_t>(draws.level[term.field])];
  }
  const double x = draws.number[term.field];
  const auto& points = term.points;
  if (points.empty()) return term.coefficient * x;
  if (x <= points.front().first) return points.front().second;
  if (x >= points.back().first) return points.back().second;
  const auto above =
      std::upper_bound(points.begin(), points.end(), x,
                       [](double at, const auto& point) { return at < point.first; });
  const auto below = above - 1;
  const double share = (x - below->first) / (above->first - below->first);
  return below->second + share * (above->second - below->second);
}

double sum_of(double base, const std::vector<Term>& terms, const Draws& draws) {
  for (const Term& term : terms) base += value_of(term, draws);
  return base;
}

// The table of the drawn combination, or the first that is there.
const std::vector<double>& table_of(const Given& given,
                                    const std::vector<std::vector<double>>& tables,
                                    const Draws& draws, Drawn& drawn) {
  const std::vector<double>& table = tables[given.fields.empty() ? 0 : given.index(draws)];
  if (!table.empty()) return table;
  drawn = Drawn::kCombinationMissing;
  return *std::find_if(tables.begin(), tables.end(), [](const auto& one) { return !one.empty(); });
}

struct Drawer {
  std::size_t field;
  int decimals;
  double uniform;
  double shift;
  Draws& draws;
  Drawn drawn = Drawn::kAsGiven;

  void set(double value) { draws.number[field] = rounded(value, decimals); }
  double normal() const { return normal_quantile(inner(uniform)) + shift; }

  void operator()(const IdPattern&) {}
  void operator()(const Series&) {}
  void operator()(const StationName&) {}
  void operator()(const StepTime&) {}

  void operator()(const Category& category) {
    const std::vector<double>& cumulative =
        table_of(category.given, category.cumulative, draws, drawn);
    std::size_t level = 0;
    while (level + 1 < cumulative.size() && uniform >= cumulative[level]) ++level;
    draws.level[field] = static_cast<std::int32_t>(level);
  }

  void operator()(const Quantiles& quantiles) {
    const std::vector<double>& values = table_of(quantiles.given, quantiles.values, draws, drawn);
    const double u =
        shift == 0 ? uniform : inner(normal_probability(normal_quantile(inner(uniform)) + shift));
    const double at = u * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    set(values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]));
  }

  void operator()(const Linear& linear) {
    double value = sum_of(linear.base, linear.terms, draws);
    if (linear.noise > 0) value += linear.noise * normal();
    set(std::clamp(value, linear.min, linear.max));
  }

  void operator()(const Product& product) {
    double value = 1;
    for (const std::size_t of : product.of) value *= draws.number[of];
    if (product.noise > 0) value *= 1 + product.noise * normal_quantile(inner(uniform));
    set(std::clamp(value, product.min, product.max));
    draws.blank[field] = 0;
    for (const auto& [other, when] : product.blank_when) {
      if (draws.number[other] == when) draws.blank[field] = 1;
    }
  }

  void operator()(const Logistic& logistic) {
    const double log_odds = sum_of(logistic.base, logistic.terms, draws);
    const double probability = 1 / (1 + std::exp(-log_odds));
    draws.level[field] = uniform < probability ? logistic.second : logistic.first;
  }
};

}  // namespace

double rounded(double value, int decimals) {
  const double power = kPowers[static_cast<std::size_t>(decimals)];
  return std::round(value * power) / power;
}

std::size_t Given::combinations() const {
  std::size_t count = 1;
  for (const std::size_t one : levels) count *= one;
  return count;
}

std::size_t Given::index(const Draws& draws) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    at = at * levels[i] + static_cast<std::size_t>(draws.level[fields[i]]);
  }
  return at;
}

Drawn draw(const Generator& generator, std::size_t field, double uniform, double shift,
           Draws& draws) {
  Drawer drawer{field, generator.decimals, uniform, shift, draws};
  std::visit(drawer, generator.kind);
  return drawer.drawn;
}

// P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function".
double normal_quantile(double p) {
  constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                          1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                          6.680131188771972e+01, -1.328068155288572e+01};
  constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                          -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                          3.754408661907416e+00};
  constexpr double kLow = 0.02425;
  const auto tail = [&](double q) {
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  };
  if (p < kLow) return tail(std::sqrt(-2 * std::log(p)));
  if (p > 1 - kLow) return -tail(std::sqrt(-2 * std::log(1 - p)));
  const double q = p - 0.5;
  const double r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

}  // namespace millrace::ingest
