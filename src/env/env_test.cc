#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "env/atomic_file.h"
#include "env/clock.h"
#include "env/crash_point.h"
#include "env/digest.h"
#include "env/file.h"
#include "env/random.h"
#include "env/stop.h"
#include "env/testing/manual_clock.h"

namespace millrace::env {
namespace {

TEST(Rfc3339, FormatsAndParsesBack) {
  EXPECT_EQ(format_rfc3339(Timestamp(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(Timestamp(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(Timestamp(1760153303234)), "2025-10-11T03:28:23.234Z");
  for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{951782400000},
                                std::int64_t{253402300799999}}) {
    EXPECT_EQ(parse_rfc3339(format_rfc3339(Timestamp(ms)))->value(), ms);
  }
}

TEST(Rfc3339, AcceptsOffsetsFractionsAndNoZone) {
  EXPECT_EQ(parse_rfc3339("2025-10-11T03:28:23.234190Z")->value(), 1760153303234);
  EXPECT_EQ(parse_rfc3339("2025-10-11 05:28:23.234+02:00")->value(), 1760153303234);
  EXPECT_EQ(parse_rfc3339("2025-10-11T03:28:23")->value(), 1760153303000);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z")->value(), 1483228800000);
}

TEST(Rfc3339, RefusesWhatIsNoDate) {
  for (const char* text :
       {"", "2025", "2025-02-30T00:00:00Z", "2025-10-11T24:00:00Z", "2025-10-11T03:28:23.Z",
        "2025-10-11T03:28:23+2", "yesterday, at a quarter"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(File, AtomicWriteReplacesAndLeavesNothingElse) {
  auto folder = TemporaryFolder::make("env_test");
  ASSERT_TRUE(folder);
  const Path file = folder->path() / "a.json";
  ASSERT_TRUE(write_file_atomic(file, "one"));
  ASSERT_TRUE(write_file_atomic(file, "two"));
  EXPECT_EQ(*read_file(file, 100), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder->path()), {}), 1);
}

TEST(File, NewFileIsNeverWrittenOverAnother) {
  auto folder = TemporaryFolder::make("env_test");
  const Path file = folder->path() / "a.json";
  EXPECT_TRUE(write_file_new(file, "one").value());
  EXPECT_FALSE(write_file_new(file, "two").value());
  EXPECT_EQ(*read_file(file, 100), "one");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder->path()), {}), 1);
  EXPECT_EQ(write_file_new(folder->path() / "missing" / "b", "x").error().code(),
            ErrorCode::kNoInput);
}

TEST(AtomicFile, AppearsWholeOnCommitAndNotAtAllWithoutIt) {
  auto folder = TemporaryFolder::make("env_test");
  const Path path = folder->path() / "rows.csv";
  {
    auto dropped = AtomicFile::create(path);
    ASSERT_TRUE(dropped);
    ASSERT_TRUE(dropped->write("half"));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder->path()), {}), 0);
  auto file = AtomicFile::create(path);
  ASSERT_TRUE(file);
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(file->write(piece));
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(read_file(path, 1'000'000)->size(), 500'000U);
  EXPECT_EQ(AtomicFile::create("/nonexistent/x").error().code(), ErrorCode::kNoInput);
}

TEST(AtomicFile, WhatIsNoFileIsWrittenToAndStays) {
  auto folder = TemporaryFolder::make("env_test");
  const Path pipe = folder->path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  {
    auto file = AtomicFile::create(pipe);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write("rows"));
    ASSERT_TRUE(file->commit());
  }
  char bytes[8] = {};
  EXPECT_EQ(::read(reader, bytes, sizeof bytes), 4);
  ::close(reader);
  EXPECT_STREQ(bytes, "rows");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_FALSE(AtomicFile::create(folder->path()));  // a folder
}

TEST(AtomicFile, SymbolicLinkStaysAndItsTargetIsReplaced) {
  auto folder = TemporaryFolder::make("env_test");
  const Path target = folder->path() / "target";
  const Path link = folder->path() / "link";
  ASSERT_TRUE(write_file_atomic(target, "old"));
  std::filesystem::create_symlink(target, link);
  auto file = AtomicFile::create(link);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write("new"));
  ASSERT_TRUE(file->commit());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(*read_file(target, 10), "new");
}

TEST(File, ErrorsNameThePathAndFitTheCause) {
  const auto missing = read_file("/nonexistent/file", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNoInput);
  EXPECT_NE(missing.error().message().find("/nonexistent/file"), std::string::npos);
  EXPECT_EQ(read_file("/dev/zero", 10).error().code(), ErrorCode::kNoInput);
  auto folder = TemporaryFolder::make("env_test");
  ASSERT_TRUE(write_file_atomic(folder->path() / "big", std::string(100, 'x')));
  EXPECT_EQ(read_file(folder->path() / "big", 99).error().code(), ErrorCode::kLimitExceeded);
}

TEST(FileLock, SecondHolderIsToldTheFirstOnesProcess) {
  auto folder = TemporaryFolder::make("env_test");
  const Path path = folder->path() / "lock";
  EXPECT_FALSE(FileLock::is_held(path));
  {
    auto lock = FileLock::acquire(path);
    ASSERT_TRUE(lock);
    const auto second = FileLock::acquire(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::kLockHeld);
    EXPECT_NE(second.error().message().find(std::to_string(::getpid())), std::string::npos);
    EXPECT_TRUE(FileLock::is_held(path));
  }
  EXPECT_FALSE(FileLock::is_held(path));
  EXPECT_TRUE(FileLock::acquire(path));
}

TEST(Random, SameSeedSameSequence) {
  Random a(42);
  Random b(42);
  Random c(43);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
  double sum = 0;
  for (int i = 0; i < 10000; ++i) sum += a.uniform();
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.below(7), 7U);
}

TEST(Digest, Sha256KnownAnswer) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  auto folder = TemporaryFolder::make("env_test");
  ASSERT_TRUE(write_file_atomic(folder->path() / "abc", "abc"));
  EXPECT_EQ(*sha256_file(folder->path() / "abc"), sha256_hex("abc"));
  EXPECT_EQ(*sha256_file(folder->path() / "abc", 2), sha256_hex("ab"));
}

TEST(StopToken, FirstSignalRequestsAndWakesAPoll) {
  StopToken stop;
  stop.listen_to_signals();
  EXPECT_FALSE(stop.requested());
  ::raise(SIGTERM);
  EXPECT_TRUE(stop.requested());
  EXPECT_EQ(stop.signal(), SIGTERM);
  pollfd wait{stop.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 1);
}

TEST(StopTokenDeathTest, SecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        StopToken stop;
        stop.listen_to_signals();
        ::raise(SIGINT);
        ::raise(SIGINT);
      },
      testing::ExitedWithCode(130), "");
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock;
  const SteadyTime start = clock.steady();
  clock.sleep_until(start + Milliseconds(1500));
  EXPECT_EQ(clock.steady() - start, Milliseconds(1500));
  EXPECT_EQ(clock.now().value(), 1760153303234 + 1500);
}

TEST(CrashPointDeathTest, KillsAtTheNthVisit) {
  EXPECT_EXIT(
      {
        ::setenv("MILLRACE_CRASH_POINT", "score.after_poll:2", 1);
        crash_point("score.after_poll");
        crash_point("score.after_score");
        crash_point("score.after_poll");
        std::_Exit(0);
      },
      testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace millrace::env
