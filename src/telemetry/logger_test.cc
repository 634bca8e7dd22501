#include "telemetry/logger.h"

#include <gtest/gtest.h>

namespace millrace::telemetry {
namespace {

TEST(Logger, LevelsParseWithoutRegardToCase) {
  EXPECT_EQ(*parse_level("WARNING"), Level::kWarning);
  EXPECT_EQ(*parse_level("debug"), Level::kDebug);
  EXPECT_EQ(parse_level("loud").error().code(), ErrorCode::kUsage);
}

TEST(Logger, WritesLinesOfItsLevelToStderr) {
  testing::internal::CaptureStderr();
  Logger logger(Level::kWarning);
  logger.info("quiet");
  logger.warning("loud");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("warning  loud\n"), std::string::npos);
}

TEST(RateLimit, CountsWhatItHeldBack) {
  RateLimit limit(Milliseconds(1000));
  SteadyTime now{};
  std::uint64_t suppressed = 9;
  EXPECT_TRUE(limit.allow(now, &suppressed));
  EXPECT_EQ(suppressed, 0U);
  EXPECT_FALSE(limit.allow(now + Milliseconds(10), nullptr));
  EXPECT_FALSE(limit.allow(now + Milliseconds(999), nullptr));
  EXPECT_TRUE(limit.allow(now + Milliseconds(1000), &suppressed));
  EXPECT_EQ(suppressed, 2U);
}

}  // namespace
}  // namespace millrace::telemetry
