#include "env/rotating_file.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::env {
namespace {

class RotatingFileTest : public ::testing::Test {
 protected:
  std::string content(const std::string& name) const {
    return read_file(folder_.path() / name, 1 << 20).value_or("(missing)");
  }
  static void append_all(RotatingFile& file, int first, int end) {
    for (int i = first; i < end; ++i)
      ASSERT_TRUE(file.append("line " + std::to_string(i) + "\n").has_value());
  }

  TemporaryFolder folder_ = *TemporaryFolder::make("rotating");
  Path path_ = folder_.path() / "log";
};

TEST_F(RotatingFileTest, KeepsTheNewestLinesInAFixedNumberOfFiles) {
  auto file = RotatingFile::open(path_, {.bytes_max = 14, .files_max = 3});
  ASSERT_TRUE(file.has_value()) << file.error().message();
  append_all(*file, 0, 9);
  EXPECT_EQ(content("log"), "line 8\n");
  EXPECT_EQ(content("log.1"), "line 6\nline 7\n");
  EXPECT_EQ(content("log.2"), "line 4\nline 5\n");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "log.3"));
}

TEST_F(RotatingFileTest, GoesOnWhereAnEarlierProcessStopped) {
  {
    auto file = RotatingFile::open(path_, {.bytes_max = 14, .files_max = 2});
    append_all(*file, 0, 1);
  }
  auto file = RotatingFile::open(path_, {.bytes_max = 14, .files_max = 2});
  append_all(*file, 1, 3);
  EXPECT_EQ(content("log.1"), "line 0\nline 1\n");
  EXPECT_EQ(content("log"), "line 2\n");
}

TEST_F(RotatingFileTest, OneFileAloneBeginsAnew) {
  auto file = RotatingFile::open(path_, {.bytes_max = 14, .files_max = 1});
  append_all(*file, 0, 3);
  EXPECT_EQ(content("log"), "line 2\n");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "log.1"));
}

TEST_F(RotatingFileTest, ALineLargerThanAFileIsKeptWhole) {
  auto file = RotatingFile::open(path_, {.bytes_max = 14, .files_max = 2});
  append_all(*file, 0, 1);
  const std::string large(100, 'x');
  ASSERT_TRUE(file->append(large + "\n").has_value());
  EXPECT_EQ(content("log"), large + "\n");
  EXPECT_EQ(content("log.1"), "line 0\n");
}

TEST_F(RotatingFileTest, TwoProcessesDoNotShareIt) {
  const auto file = RotatingFile::open(path_, {});
  ASSERT_TRUE(file.has_value());
  const auto other = RotatingFile::open(path_, {});
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code(), ErrorCode::kLockHeld);
}

TEST_F(RotatingFileTest, AFullDiskIsAnErrorAtOnceAndEachLineIsTriedAgain) {
  auto file = RotatingFile::open("/dev/full", {.bytes_max = 14, .files_max = 2});
  ASSERT_TRUE(file.has_value()) << file.error().message();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(file->append("line\n").error().code(), ErrorCode::kDiskFull);
}

TEST_F(RotatingFileTest, WhatCannotBeOpenedIsAnError) {
  EXPECT_EQ(RotatingFile::open(folder_.path(), {}).error().code(), ErrorCode::kIo);
  EXPECT_EQ(RotatingFile::open(folder_.path() / "no" / "log", {}).error().code(),
            ErrorCode::kNoInput);
}

// A folder in the place of an old file: nothing can be renamed over it.
TEST_F(RotatingFileTest, AFileThatCannotBeRotatedDoesNotGrow) {
  std::filesystem::create_directories(folder_.path() / "log.1" / "full");
  auto file = RotatingFile::open(path_, {.bytes_max = 14, .files_max = 2});
  append_all(*file, 0, 2);
  EXPECT_FALSE(file->append("line 2\n").has_value());
  EXPECT_EQ(content("log"), "line 0\nline 1\n");
  std::filesystem::remove_all(folder_.path() / "log.1");
  EXPECT_TRUE(file->append("line 3\n").has_value());
  EXPECT_EQ(content("log"), "line 3\n");
}

}  // namespace
}  // namespace millrace::env
