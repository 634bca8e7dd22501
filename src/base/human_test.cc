#include "base/human.h"

#include <gtest/gtest.h>

#include <limits>

namespace millrace {
namespace {

TEST(HumanCount, NamesOneAndMany) {
  EXPECT_EQ(human_count(1, "row", "rows"), "1 row");
  EXPECT_EQ(human_count(0, "row", "rows"), "0 rows");
  EXPECT_EQ(human_count(1234, "row", "rows"), "1,234 rows");
}

TEST(HumanCount, ThousandsAreSeparated) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1'234'567), "1,234,567");
  EXPECT_EQ(human_count(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(HumanNumber, KeepsDecimalsAndSign) {
  EXPECT_EQ(human_number(1234.567, 1), "1,234.6");
  EXPECT_EQ(human_number(-123456, 0), "-123,456");
  EXPECT_EQ(human_number(-123, 0), "-123");
  EXPECT_EQ(human_number(-0.001, 2), "0.00");
  EXPECT_EQ(human_number(std::numeric_limits<double>::quiet_NaN(), 2), "-");
}

TEST(HumanPercent, NeverCallsSomethingNothingOrEverything) {
  EXPECT_EQ(human_percent(0.2654), "26.5 %");
  EXPECT_EQ(human_percent(0), "0.0 %");
  EXPECT_EQ(human_percent(0.0001), "< 0.1 %");
  EXPECT_EQ(human_percent(0.9999), "> 99.9 %");
  EXPECT_EQ(human_percent(1), "100.0 %");
}

TEST(HumanBytes, HasThreeSignificantDigitsAlsoWhereRoundingCarries) {
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.00 kB");
  EXPECT_EQ(human_bytes(999'499), "999 kB");
  EXPECT_EQ(human_bytes(999'500), "1.00 MB");
  EXPECT_EQ(human_bytes(12'345'678), "12.3 MB");
  EXPECT_EQ(human_bytes(std::numeric_limits<std::uint64_t>::max()), "18.4 EB");
}

TEST(HumanSeconds, PicksTheUnitThatReadsBest) {
  EXPECT_EQ(human_seconds(0), "0 s");
  EXPECT_EQ(human_seconds(2.5e-8), "25.0 ns");
  EXPECT_EQ(human_seconds(850e-6), "850 µs");
  EXPECT_EQ(human_seconds(0.0123), "12.3 ms");
  EXPECT_EQ(human_seconds(0.9996), "1.00 s");
  EXPECT_EQ(human_seconds(1.25), "1.25 s");
  EXPECT_EQ(human_seconds(59.97), "1 min 0 s");
  EXPECT_EQ(human_seconds(125), "2 min 5 s");
  EXPECT_EQ(human_seconds(3599.7), "1 h 0 min");
  EXPECT_EQ(human_seconds(11'520), "3 h 12 min");
  EXPECT_EQ(human_seconds(24 * 3600), "24 h 0 min");
  EXPECT_EQ(human_seconds(7 * 24 * 3600), "7 d");
  EXPECT_EQ(human_seconds(3.25 * 24 * 3600), "3 d 6 h");
  EXPECT_EQ(human_seconds(-1), "-");
  EXPECT_EQ(human_seconds(std::numeric_limits<double>::infinity()), "-");
}

TEST(HumanRate, ShowsADigitOnlyWhenSlow) {
  EXPECT_EQ(human_rate(4.24), "4.2/s");
  EXPECT_EQ(human_rate(12'345.6), "12,346/s");
}

}  // namespace
}  // namespace millrace
