#include "env/input_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace millrace::env {
namespace {

TEST(InputFile, ReadsToTheEnd) {
  auto folder = TemporaryFolder::make("input");
  ASSERT_TRUE(folder);
  const Path path = folder->path() / "a.txt";
  ASSERT_TRUE(write_file_atomic(path, "hello world"));
  auto file = InputFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 11u);
  InputFile moved = std::move(*file);
  std::string content;
  char buffer[4];
  while (true) {
    auto n = moved.read(buffer);
    ASSERT_TRUE(n);
    if (*n == 0) break;
    content.append(buffer, *n);
  }
  EXPECT_EQ(content, "hello world");
}

TEST(InputFile, MissingFileAndFolderAreNoInput) {
  auto folder = TemporaryFolder::make("input");
  ASSERT_TRUE(folder);
  auto missing = InputFile::open(folder->path() / "nothing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNoInput);
  auto is_folder = InputFile::open(folder->path());
  ASSERT_FALSE(is_folder);
  EXPECT_EQ(is_folder.error().code(), ErrorCode::kNoInput);
  EXPECT_NE(is_folder.error().message().find("is a folder"), std::string::npos);
}

TEST(InputFile, WaitForAPipeEndsWhenAStopIsRequested) {
  auto folder = TemporaryFolder::make("input");
  ASSERT_TRUE(folder);
  const Path path = folder->path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int writer = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  auto file = InputFile::open(path);
  ASSERT_TRUE(file);
  StopToken stop;
  file->interrupt_by(stop);
  ASSERT_EQ(::write(writer, "ab", 2), 2);
  char buffer[4];
  EXPECT_EQ(file->read(buffer).value(), 2u);
  stop.request();
  auto interrupted = file->read(buffer);
  ASSERT_FALSE(interrupted);
  EXPECT_EQ(interrupted.error().code(), ErrorCode::kInterrupted);
  ::close(writer);
}

}  // namespace
}  // namespace millrace::env
