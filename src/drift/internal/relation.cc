#include "drift/internal/relation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace millrace::drift::internal {
namespace {

constexpr double kRidge = 1e-3;
// Of a column's variance: what a predictor must add, and what all together must explain.
constexpr double kGainMin = 0.005;
constexpr double kExplainedMin = 0.2;
constexpr double kMissingMax = 0.5;
// Rows that both columns of a covariance must share.
constexpr double kPairsMin = 50;
// Multiplications spent on covariances; above it only every n-th row is taken.
constexpr double kWorkMax = 2e9;

using Matrix = std::vector<std::vector<double>>;

bool is_usable(const ColumnProfile& profile) {
  return profile.is_number() && profile.std > 0 && profile.missing_share() <= kMissingMax;
}

// Of standardised values.
Matrix covariances(const Matrix& values, const std::vector<ReferenceColumn>& columns,
                   const std::vector<std::size_t>& usable) {
  const std::size_t n = usable.size();
  const std::size_t rows = values.empty() ? 0 : values.front().size();
  const double work = static_cast<double>(rows) * static_cast<double>(n * n) / 2;
  const auto step = static_cast<std::size_t>(std::max(1.0, std::ceil(work / kWorkMax)));
  Matrix z(n);
  for (std::size_t i = 0; i < n; ++i) {
    const ColumnProfile& profile = columns[usable[i]].profile;
    for (std::size_t row = 0; row < rows; row += step) {
      z[i].push_back((values[usable[i]][row] - profile.mean) / profile.std);
    }
  }
  Matrix out(n, std::vector<double>(n, 0));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      double sum = 0;
      double pairs = 0;
      for (std::size_t row = 0; row < z[i].size(); ++row) {
        const double product = z[i][row] * z[j][row];
        if (std::isnan(product)) continue;
        sum += product;
        ++pairs;
      }
      out[i][j] = out[j][i] = pairs < kPairsMin ? 0 : sum / pairs;
    }
  }
  return out;
}

// Solves a x = b by Gaussian elimination with pivots; `a` is small and, by its ridge, regular.
std::vector<double> solve(Matrix a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row) {
      if (std::abs(a[row][column]) > std::abs(a[pivot][column])) pivot = row;
    }
    std::swap(a[pivot], a[column]);
    std::swap(b[pivot], b[column]);
    if (a[column][column] == 0) return std::vector<double>(n, 0);
    for (std::size_t row = column + 1; row < n; ++row) {
      const double factor = a[row][column] / a[column][column];
      for (std::size_t k = column; k < n; ++k) a[row][k] -= factor * a[column][k];
      b[row] -= factor * b[column];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

struct Fit {
  std::vector<std::size_t> chosen;  // of the usable columns
  std::vector<double> weights;
  double left = 1;  // variance of the residual
};

void refit(const Matrix& covariance, std::size_t target, Fit& fit) {
  const std::size_t n = fit.chosen.size();
  Matrix a(n, std::vector<double>(n));
  std::vector<double> b(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) a[i][j] = covariance[fit.chosen[i]][fit.chosen[j]];
    a[i][i] += kRidge;
    b[i] = covariance[target][fit.chosen[i]];
  }
  fit.weights = solve(a, b);
  fit.left = covariance[target][target];
  for (std::size_t i = 0; i < n; ++i) {
    fit.left -= 2 * fit.weights[i] * b[i];
    for (std::size_t j = 0; j < n; ++j) {
      fit.left += fit.weights[i] * fit.weights[j] * covariance[fit.chosen[i]][fit.chosen[j]];
    }
  }
}

Fit pursue(const Matrix& covariance, std::size_t target, const std::vector<bool>& allowed) {
  Fit fit;
  fit.left = covariance[target][target];
  while (fit.chosen.size() < kPredictorsMax) {
    double best = 0;
    std::size_t next = allowed.size();
    for (std::size_t candidate = 0; candidate < allowed.size(); ++candidate) {
      const auto& chosen = fit.chosen;
      if (!allowed[candidate]) continue;
      if (std::find(chosen.begin(), chosen.end(), candidate) != chosen.end()) continue;
      double with_residual = covariance[target][candidate];
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        with_residual -= fit.weights[i] * covariance[chosen[i]][candidate];
      }
      if (std::abs(with_residual) <= best) continue;
      best = std::abs(with_residual);
      next = candidate;
    }
    if (next == allowed.size()) break;
    Fit more = fit;
    more.chosen.push_back(next);
    refit(covariance, target, more);
    // Covariances of different rows may contradict each other.
    if (!(more.left > 0) || more.left > fit.left - kGainMin) break;
    fit = std::move(more);
  }
  return fit;
}

// Of the rows in which every column has a value.
double residual_effective_share(const Matrix& values, const std::vector<ReferenceColumn>& columns,
                                std::size_t target) {
  const Relation& relation = columns[target].relation;
  std::vector<double> residuals(values[target].size());
  const auto standard = [&](std::size_t column, std::size_t row) {
    const ColumnProfile& profile = columns[column].profile;
    return (values[column][row] - profile.mean) / profile.std;
  };
  for (std::size_t row = 0; row < residuals.size(); ++row) {
    residuals[row] = standard(target, row);
    for (std::size_t p = 0; p < relation.predictors.size(); ++p) {
      residuals[row] -= relation.weights[p] * standard(relation.predictors[p], row);
    }
  }
  return effective_share(residuals);
}

}  // namespace

void fit_relations(const std::vector<std::vector<double>>& values,
                   std::vector<ReferenceColumn>& columns) {
  CHECK(values.size() == columns.size());
  std::vector<std::size_t> usable;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (is_usable(columns[i].profile)) usable.push_back(i);
  }
  const Matrix covariance = covariances(values, columns, usable);
  for (std::size_t target = 0; target < usable.size(); ++target) {
    const ColumnSpec& its = columns[usable[target]].profile.column;
    std::vector<bool> allowed(usable.size());
    for (std::size_t i = 0; i < usable.size(); ++i) {
      const ColumnSpec& other = columns[usable[i]].profile.column;
      allowed[i] = i != target && (its.group.empty() || its.group != other.group);
    }
    const Fit fit = pursue(covariance, target, allowed);
    if (fit.chosen.empty() || fit.left > 1 - kExplainedMin) continue;
    Relation& relation = columns[usable[target]].relation;
    for (const std::size_t chosen : fit.chosen) {
      relation.predictors.push_back(static_cast<std::uint32_t>(usable[chosen]));
    }
    relation.weights = fit.weights;
    relation.residual_std = std::sqrt(fit.left);
    relation.effective_share = residual_effective_share(values, columns, usable[target]);
  }
}

}  // namespace millrace::drift::internal
