#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace millrace::config {
namespace {

constexpr std::array kSettings = {Setting{"--home", "where millrace keeps things"},
                                  Setting{"--batch-size", "rows of one commit"}};

TEST(Settings, AFlagNamesItsVariable) {
  EXPECT_EQ(environment_name("--batch-size"), "MILLRACE_BATCH_SIZE");
  EXPECT_EQ(environment_name("-X"), "MILLRACE_X");
}

TEST(Settings, TheFirstOfTwoValuesCounts) {
  const char* entries[] = {"MILLRACE_HOME=/data", "MILLRACE_HOME=/second",
                           "MILLRACE_BATCH_SIZE=", "broken", nullptr};
  const Environment environment = environment_from(entries);
  EXPECT_EQ(environment.at("MILLRACE_HOME"), "/data");
  EXPECT_EQ(environment.at("MILLRACE_BATCH_SIZE"), "");
  EXPECT_EQ(environment.size(), 2U);
}

TEST(Settings, UnknownVariablesAreListed) {
  const Environment environment = {
      {"MILLRACE_HOME", "x"}, {"MILLRACE_HOEM", "x"}, {"MILLRACE_DATA_DIR", "x"}, {"PATH", "x"}};
  const std::vector<std::string_view> others = {"MILLRACE_DATA_DIR"};
  EXPECT_THAT(unknown_variables(environment, kSettings, others),
              testing::ElementsAre("MILLRACE_HOEM"));
}

}  // namespace
}  // namespace millrace::config
