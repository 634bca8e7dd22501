#include "env/time_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "env/clock.h"

namespace millrace::env {
namespace {

using ::testing::HasSubstr;

// The time as text, or "none".
std::string read(std::string_view format, std::string_view text) {
  const auto parsed = TimeFormat::parse(format);
  if (!parsed) return parsed.error().message();
  const auto time = parsed->read(text);
  return time ? format_rfc3339(*time) : "none";
}

TEST(TimeFormat, ReadsTheFormatsOfBothCopiesOfTheAirQualityFile) {
  EXPECT_EQ(read("%d/%m/%Y %H.%M.%S", "10/03/2004 18.00.00"), "2004-03-10T18:00:00.000Z");
  EXPECT_EQ(read("%m/%d/%Y %H:%M:%S", "3/10/2004 18:00:00"), "2004-03-10T18:00:00.000Z");
  EXPECT_EQ(read("%m/%d/%Y %H:%M:%S", "3/10/2004 0:00:00"), "2004-03-10T00:00:00.000Z");
}

TEST(TimeFormat, ReadsFractionsShorthandsAndLiterals) {
  EXPECT_EQ(read("%FT%T.%f", "2024-02-29T23:59:59.5"), "2024-02-29T23:59:59.500Z");
  EXPECT_EQ(read("%F %T.%f", "2024-02-29 23:59:59.123456789"), "2024-02-29T23:59:59.123Z");
  EXPECT_EQ(read("%Y%m%d", "20240229"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(read("100%% on %d.%m.%Y", "100% on 1.2.1969"), "1969-02-01T00:00:00.000Z");
}

TEST(TimeFormat, WhatDoesNotFitWhollyIsNoTime) {
  constexpr const char* kFormat = "%d/%m/%Y %H.%M.%S";
  for (const char* text :
       {"", "10/03/2004", "10/03/2004 18:00:00", "10/03/2004 18.00.00 ", " 10/03/2004 18.00.00",
        "10/03/04 18.00.00", "010/03/2004 18.00.00", "10/13/2004 18.00.00", "30/02/2004 00.00.00",
        "29/02/2005 00.00.00", "00/03/2004 18.00.00", "10/03/2004 24.00.00", "10/03/2004 18.60.00",
        "10/03/2004 18.00.60", "10/03/2004 18.00.", "-1/03/2004 18.00.00", "+1/03/2004 18.00.00",
        "10/03/20040 18.00.00"}) {
    EXPECT_EQ(read(kFormat, text), "none") << text;
  }
}

TEST(TimeFormat, BadFormatsSayWhatIsWrong) {
  EXPECT_THAT(read("%d/%m/%y", ""), HasSubstr("'%y' is no conversion"));
  EXPECT_THAT(read("%d/%m/%Y %", ""), HasSubstr("'%' is no conversion"));
  EXPECT_THAT(read("%d/%m/%Y %d", ""), HasSubstr("'%d' stands twice"));
  EXPECT_THAT(read("%F %Y", ""), HasSubstr("'%Y' stands twice"));
  EXPECT_THAT(read("%H:%M", ""), HasSubstr("has no %Y"));
  EXPECT_THAT(read(std::string(101, 'x'), ""), HasSubstr("at most 100"));
}

}  // namespace
}  // namespace millrace::env
