#include "telemetry/logger.h"

#include <gtest/gtest.h>

#include <string>

#include "env/clock.h"
#include "env/file.h"
#include "json/json.h"

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

json::Value line_of(const std::string& file) {
  return *json::parse(*env::read_file(file, 1 << 20), "log");
}

TEST(Logger, WritesJsonWhereItIsAsked) {
  testing::internal::CaptureStderr();
  Logger logger(Level::kWarning);
  logger.set_format(LineFormat::kJson);
  logger.info("quiet");
  logger.event(Level::kInfo, "quiet", {});
  logger.warning("a \"quote\"");
  logger.event(Level::kError, "delivery_failed", {{"topic", "in"}, {"records", 3}});
  const std::string text = testing::internal::GetCapturedStderr();
  const std::size_t second = text.find('\n') + 1;
  const json::Value message = *json::parse(text.substr(0, second), "first");
  EXPECT_EQ(message["message"], "a \"quote\"");
  EXPECT_EQ(message["level"], "WARNING");
  EXPECT_TRUE(env::parse_rfc3339(message["timestamp"].get<std::string>()).has_value());
  const json::Value event = *json::parse(text.substr(second), "second");
  EXPECT_EQ(event["event"], "delivery_failed");
  EXPECT_EQ(event["topic"], "in");
  EXPECT_EQ(event["records"], 3);
}

TEST(Logger, AFileTakesInfoAndEventsWhileTheScreenStaysQuiet) {
  const env::TemporaryFolder folder = *env::TemporaryFolder::make("logger");
  const env::Path file = folder.path() / "log";
  testing::internal::CaptureStderr();
  Logger logger(Level::kWarning);
  EXPECT_FALSE(logger.takes_events(Level::kInfo));
  ASSERT_TRUE(logger.open_file(file, {}).has_value());
  EXPECT_TRUE(logger.takes_events(Level::kInfo));
  EXPECT_FALSE(logger.takes_events(Level::kDebug));
  logger.debug("nowhere");
  logger.event(Level::kInfo, "delivered", {{"records", 2}});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(line_of(file)["event"], "delivered");
  EXPECT_EQ(line_of(file)["logger"], "millrace");
}

TEST(Logger, AFullDiskIsSaidOnceAndHoldsNothingUp) {
  testing::internal::CaptureStderr();
  Logger logger(Level::kWarning);
  ASSERT_TRUE(logger.open_file("/dev/full", {}).has_value());
  for (int i = 0; i < 1000; ++i) logger.event(Level::kInfo, "prediction", {{"offset", i}});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("log lines are dropped"), std::string::npos);
  EXPECT_EQ(text.find("dropped"), text.rfind("dropped"));
}

TEST(Logger, LinesThatWereDroppedAreCountedInTheFile) {
  const env::TemporaryFolder folder = *env::TemporaryFolder::make("logger");
  const env::Path file = folder.path() / "log";
  testing::internal::CaptureStderr();
  Logger logger(Level::kOff);
  ASSERT_TRUE(logger.open_file(file, {.bytes_max = 1, .files_max = 2}).has_value());
  logger.info("first");
  std::filesystem::create_directories(folder.path() / "log.1" / "in the way");
  logger.info("lost");
  logger.info("lost");
  std::filesystem::remove_all(folder.path() / "log.1");
  logger.info("last");
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(line_of(folder.path() / "log.1")["event"], "lines_dropped");
  EXPECT_EQ(line_of(folder.path() / "log.1")["count"], 2);
  EXPECT_EQ(line_of(file)["message"], "last");
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
