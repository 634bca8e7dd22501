#include "env/replacing_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace millrace::env {
namespace {

std::size_t files_in(const Path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(ReplacingFile, AppearsWholeWhenClosed) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "rows.csv";
  auto file = ReplacingFile::open(path);
  ASSERT_TRUE(file) << file.error().message();
  ASSERT_TRUE(file->write("a,"));
  ASSERT_TRUE(file->write("b\n"));
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(file->close());
  EXPECT_EQ(*read_file(path, 100), "a,b\n");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(ReplacingFile, LeavesTheOldFileAndNothingElseWhenDropped) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "rows.csv";
  ASSERT_TRUE(write_file_atomic(path, "old"));
  {
    auto file = ReplacingFile::open(path);
    ASSERT_TRUE(file);
    auto moved = std::move(*file);
    ASSERT_TRUE(moved.write("new"));
  }
  EXPECT_EQ(*read_file(path, 100), "old");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(ReplacingFile, NamesTheFileThatCannotBeWritten) {
  const TemporaryFolder folder;
  const auto file = ReplacingFile::open(folder.path() / "missing" / "rows.csv");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), ErrorCode::kNoInput);
  EXPECT_NE(file.error().message().find("missing/rows.csv"), std::string::npos);
}

TEST(ReplacingFile, AFullDiskIsAnError) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "rows.csv";
  const Path temporary = path.string() + ".tmp." + std::to_string(::getpid());
  std::filesystem::create_symlink("/dev/full", temporary);
  auto file = ReplacingFile::open(path);
  ASSERT_TRUE(file);
  const Status written = file->write("a");
  const Status closed = written ? file->close() : written;
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code(), ErrorCode::kDiskFull);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace millrace::env
