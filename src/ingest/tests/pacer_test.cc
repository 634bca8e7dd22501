#include "ingest/pacer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace millrace::ingest {
namespace {

constexpr SteadyTime kStart{Nanoseconds(1'000'000)};

TEST(Pacer, TheFirstEventIsDueAtTheStart) {
  const Pacer pacer(200, kStart);
  EXPECT_EQ(pacer.due(kStart - Nanoseconds(1)), 0U);
  EXPECT_EQ(pacer.due(kStart), 1U);
}

TEST(Pacer, TwoHundredASecondAreTwoHundredASecond) {
  const Pacer pacer(200, kStart);
  EXPECT_EQ(pacer.due(kStart + std::chrono::seconds(10) - Nanoseconds(1)), 2000U);
  EXPECT_EQ(pacer.due(kStart + std::chrono::seconds(10)), 2001U);
  EXPECT_EQ(pacer.time_of(2000), kStart + std::chrono::seconds(10));
}

TEST(Pacer, DoesNotDriftOverADay) {
  const Pacer pacer(10'000, kStart);
  EXPECT_EQ(pacer.due(kStart + std::chrono::hours(24)), 864'000'001U);
}

TEST(Pacer, ASlowRateDoesNotOverflow) {
  const Pacer pacer(1e-9, kStart);
  EXPECT_EQ(pacer.due(kStart + std::chrono::hours(24 * 365)), 1U);
  EXPECT_GT(pacer.time_of(1'000'000), kStart + std::chrono::hours(24 * 365));
}

TEST(Pacer, StartsANewTimetableAfterAStall) {
  Pacer pacer(10, kStart);
  const SteadyTime later = kStart + std::chrono::hours(1);
  pacer.restart_at(7, later);
  EXPECT_EQ(pacer.due(later), 8U);
  EXPECT_EQ(pacer.due(later + Milliseconds(100)), 9U);
}

RC_GTEST_PROP(Pacer, DueIsTheInverseOfTimeOf, ()) {
  const double rate = static_cast<double>(*rc::gen::inRange(1, 20'000'000)) / 1000.0;
  const auto n = static_cast<std::uint64_t>(*rc::gen::inRange(0, 10'000'000));
  const Pacer pacer(rate, kStart);
  RC_ASSERT(pacer.due(pacer.time_of(n)) >= n + 1);
  if (n > 0) RC_ASSERT(pacer.due(pacer.time_of(n) - Nanoseconds(1)) <= n);
}

}  // namespace
}  // namespace millrace::ingest
