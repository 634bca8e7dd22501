// Expected figures are scipy 1.17's and NumPy's for the same numbers, unless a line says otherwise.
#include "drift/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "drift/cells.h"
#include "env/random.h"

namespace millrace::drift {
namespace {

const std::vector<double> kReference = {10, 20, 30, 40};
const std::vector<double> kWindow = {25, 25, 30, 0};

TEST(Statistics, PsiIsThatOfSharesWithHalfACountAdded) {
  EXPECT_NEAR(population_stability_index(kReference, kWindow), 1.92665585554984, 1e-12);
  EXPECT_EQ(population_stability_index(kReference, kReference), 0);
}

TEST(Statistics, JensenShannonIsTheSquareOfScipysDistance) {
  EXPECT_NEAR(jensen_shannon(kReference, kWindow), 0.2534379008081366, 1e-12);
  EXPECT_EQ(jensen_shannon(kReference, kReference), 0);
  EXPECT_EQ(jensen_shannon(std::vector<double>{5, 0}, std::vector<double>{0, 3}), 1);
}

TEST(Statistics, CriticalValuesAreScipys) {
  const ChanceInput input{1000, 168, 0.001};
  EXPECT_NEAR(ks_by_chance(input), 0.16254902257569237, 1e-12);
  EXPECT_NEAR(psi_by_chance(input, 10), 0.1938126700573076, 1e-9);
  EXPECT_NEAR(jensen_shannon_by_chance(input, 10), 0.1938126700573076 / (8 * std::log(2)), 1e-9);
  EXPECT_NEAR(mean_shift_by_chance(input), 0.2743672079632694, 1e-9);
  EXPECT_NEAR(share_change_by_chance(input, 0.2), 0.11569926413768875, 1e-9);
  EXPECT_EQ(psi_by_chance(input, 1), 0);
}

TEST(Statistics, AutocorrelatedSamplesAreWorthLess) {
  EXPECT_NEAR(effective_share(std::vector<double>{3, 4, 4, 5, 7, 6, 6, 5, 3, 2, 2, 1}),
              0.14520547945205473, 1e-12);
  env::Random random(11);
  std::vector<double> noise;
  std::vector<double> process = {0};  // AR(1) with r = 0.5: (1 - r) / (1 + r) = 1/3
  for (int i = 0; i < 20'000; ++i) {
    noise.push_back(random.normal());
    process.push_back(0.5 * process.back() + random.normal());
  }
  EXPECT_NEAR(effective_share(noise), 1, 0.05);
  EXPECT_NEAR(effective_share(process), 1.0 / 3, 0.03);
  EXPECT_EQ(effective_share(std::vector<double>{1, 1, 1}), 1);
  EXPECT_EQ(effective_share({}), 1);
  EXPECT_EQ(effective_share(std::vector<double>(5, std::numeric_limits<double>::quiet_NaN())), 1);
}

// The critical values hold in simulation: of 2,000 pairs of samples about 1 in 100 passes each.
TEST(Statistics, ChancePassesTheCriticalValuesAsOftenAsStated) {
  env::Random random(2);
  std::vector<double> x;
  for (int i = 0; i < 20'000; ++i) x.push_back(random.normal());
  const ColumnProfile profile = profile_of({"x", "", {}}, x);
  const ColumnCells table(profile);
  const ChanceInput input{20'000, 300, 0.01};
  int psi = 0;
  int ks = 0;
  int js = 0;
  for (int run = 0; run < 2000; ++run) {
    std::vector<double> window(300);
    for (double& value : window) value = random.normal();
    std::vector<std::uint64_t> cells(table.size());
    double sum = 0;
    table.count({window.data(), 1, window.size()}, cells, sum);
    const std::vector<double> counts = table.bins(cells);
    psi += population_stability_index(profile.counts, counts) > psi_by_chance(input, 10) ? 1 : 0;
    js += jensen_shannon(profile.counts, counts) > jensen_shannon_by_chance(input, 10) ? 1 : 0;
    ks += table.ks_distance(cells) > ks_by_chance(input) ? 1 : 0;
  }
  EXPECT_LE(psi, 50);
  EXPECT_LE(js, 50);
  EXPECT_LE(ks, 50);
  EXPECT_GE(psi + js, 5);
}

TEST(Statistics, NamesComeBack) {
  for (const Statistic statistic : kAllStatistics) {
    EXPECT_EQ(statistic_of(to_string(statistic)), statistic);
  }
  EXPECT_FALSE(statistic_of("chi"));
}

}  // namespace
}  // namespace millrace::drift
