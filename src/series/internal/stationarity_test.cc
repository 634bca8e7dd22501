#include "series/internal/stationarity.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace millrace::series::internal {
namespace {

RC_GTEST_PROP(Stationarity, PartialsAndCoefficientsAreTwoWaysToSayTheSame,
              (const std::vector<std::int8_t>& raw)) {
  std::vector<double> partials;
  for (std::size_t i = 0; i < raw.size() && i < 6; ++i)
    partials.push_back(static_cast<double>(raw[i]) / 135);
  const std::vector<double> coefficients = from_partials(partials);
  RC_ASSERT(is_stationary(coefficients));
  const std::vector<double> back = to_partials(coefficients);
  for (std::size_t i = 0; i < partials.size(); ++i)
    RC_ASSERT(std::abs(back[i] - partials[i]) < 1e-6);
}

TEST(Stationarity, TheTriangleOfTheSecondOrder) {
  EXPECT_TRUE(is_stationary(std::vector<double>{}));
  EXPECT_TRUE(is_stationary(std::vector<double>{1.9, -0.95}));
  EXPECT_TRUE(is_stationary(std::vector<double>{-0.4, 0.5}));
  EXPECT_FALSE(is_stationary(std::vector<double>{0.6, 0.5}));   // a root within the circle
  EXPECT_FALSE(is_stationary(std::vector<double>{0.0, -1.0}));  // on it
  EXPECT_FALSE(is_stationary(std::vector<double>{2.5, -1.0}));
}

TEST(Stationarity, EveryNumberIsAPartial) {
  for (const double value : {-1e6, -2.0, 0.0, 0.3, 40.0}) {
    EXPECT_LT(std::abs(partial_of(value)), 1);
    EXPECT_NEAR(unbounded_of(partial_of(value)) / (value == 0 ? 1 : value), value == 0 ? 0 : 1,
                1e-3);
  }
}

}  // namespace
}  // namespace millrace::series::internal
