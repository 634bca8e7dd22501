// Expected figures are scipy 1.17's for the same numbers, unless a line says otherwise.
#include "drift/cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "env/random.h"

namespace millrace::drift {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

struct Counted {
  std::vector<std::uint64_t> cells;
  double sum = 0;
};

Counted count(const ColumnCells& column, const std::vector<double>& values) {
  Counted out;
  out.cells.resize(column.size());
  column.count({values.data(), 1, values.size()}, out.cells, out.sum);
  return out;
}

double ks(const ColumnProfile& profile, const std::vector<double>& values) {
  const ColumnCells column(profile);
  return column.ks_distance(count(column, values).cells);
}

// From the definition, at the profile's quantiles.
double ks_by_definition(const ColumnProfile& profile, const std::vector<double>& values) {
  double distance = 0;
  for (const CdfPoint& point : profile.grid) {
    double below = 0;
    double at_most = 0;
    double there = 0;
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      ++there;
      below += value < point.value ? 1 : 0;
      at_most += value <= point.value ? 1 : 0;
    }
    distance = std::max({distance, std::abs(below / there - point.below),
                         std::abs(at_most / there - point.at_most)});
  }
  return distance;
}

TEST(ColumnCells, KsIsScipysWhereTheGridHoldsEveryValue) {
  std::vector<double> x;
  for (int i = 0; i < 64; ++i) x.push_back((i * 37 % 101) / 10.0);
  std::vector<double> window;
  for (int i = 0; i < 50; ++i) window.push_back((i * 53 % 89) / 7.0);
  EXPECT_NEAR(ks(profile_of({"x", "", {}}, x), window), 0.20875, 1e-12);
}

TEST(ColumnCells, KsOfAnAtomIsNotTheSizeOfTheAtom) {
  std::vector<double> x(100, 0);
  for (int i = 0; i < 10; ++i) x[static_cast<std::size_t>(i)] = 1;
  const ColumnProfile profile = profile_of({"x", "", {}}, x);
  EXPECT_NEAR(ks(profile, x), 0, 1e-12);
  std::vector<double> other;
  for (int i = 0; i < 100; ++i) other.push_back(i < 30 ? 1 : 0);
  EXPECT_NEAR(ks(profile, other), 0.2, 1e-12);
}

// All sorts of columns, and windows far larger than any sketch would hold exactly.
TEST(ColumnCells, CountsAreThoseOfTheDefinitionWhateverTheColumn) {
  env::Random random(7);
  for (const std::uint64_t levels : {0ULL, 1ULL, 2ULL, 5ULL, 24ULL, 40ULL, 70ULL, 1'000ULL}) {
    const auto value = [&](double moved) {
      if (random.below(10) == 0) return random.below(2) == 0 ? kMissing : kInfinite;
      return levels == 0 ? moved + random.normal()
                         : std::floor(moved) + static_cast<double>(random.below(levels));
    };
    std::vector<double> x(3'000);
    for (double& one : x) one = value(0);
    const ColumnProfile profile = profile_of({"x", "", {}}, x);
    const ColumnCells column(profile);
    for (const double moved : {0.0, 0.3, -2.0, 1e9}) {
      std::vector<double> window(5'000);
      for (double& one : window) one = value(moved);
      const Counted counted = count(column, window);
      std::vector<double> bins(profile.counts.size());
      double sum = 0;
      std::uint64_t missing = 0;
      for (const double one : window) {
        missing += std::isfinite(one) ? 0 : 1;
        if (!std::isfinite(one)) continue;
        ++bins[profile.bin_of(one)];
        sum += std::clamp(one - profile.mean, -1e6 * profile.std, 1e6 * profile.std);
      }
      EXPECT_EQ(column.bins(counted.cells), bins) << levels << " " << moved;
      EXPECT_EQ(counted.cells.back(), missing);
      EXPECT_EQ(counted.sum, sum);
      EXPECT_NEAR(column.ks_distance(counted.cells), ks_by_definition(profile, window), 1e-12);
    }
  }
}

TEST(ColumnCells, PointsThemselvesAndTheirNeighboursLieWhereTheyBelong) {
  const ColumnProfile profile = profile_of({"x", "", {}}, std::vector<double>{-1, 0, 0, 1, 2});
  const ColumnCells column(profile);
  std::vector<double> values;
  for (const double point : {-1.0, 0.0, 1.0, 2.0}) {
    values.insert(values.end(),
                  {std::nextafter(point, -kInfinite), point, std::nextafter(point, kInfinite)});
  }
  values.insert(values.end(), {-0.0, 1e308, -1e308});
  const Counted counted = count(column, values);
  EXPECT_EQ(counted.cells, (std::vector<std::uint64_t>{2, 1, 2, 2, 2, 1, 2, 1, 2, 0}));
}

TEST(ColumnCells, AColumnWithoutAValueHasOneBin) {
  const ColumnProfile profile = profile_of({"x", "", {}}, std::vector<double>(5, kMissing));
  const ColumnCells column(profile);
  const Counted counted = count(column, {1, kMissing, 3});
  EXPECT_EQ(counted.cells, (std::vector<std::uint64_t>{2, 1}));
  EXPECT_EQ(column.bins(counted.cells), std::vector<double>{2});
  EXPECT_EQ(column.ks_distance(std::vector<std::uint64_t>{0, 4}), 0);
}

TEST(ColumnCells, CategoriesHaveACellALevelOneForTheUnknownAndOneForTheMissing) {
  const ColumnProfile profile = profile_of({"x", "", {"a", "b"}}, std::vector<double>{0, 1, 1});
  const ColumnCells column(profile);
  const Counted counted = count(column, {0, 1, 1, kMissing, 7, -1});
  EXPECT_EQ(counted.cells, (std::vector<std::uint64_t>{1, 2, 2, 1}));
  EXPECT_EQ(column.bins(counted.cells), (std::vector<double>{1, 2, 2}));
  EXPECT_EQ(counted.sum, 0);
}

}  // namespace
}  // namespace millrace::drift
