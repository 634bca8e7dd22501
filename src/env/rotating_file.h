// A file of lines that never grows without bound: full, it becomes FILE.1, what was FILE.1 becomes
// FILE.2, and the oldest is removed.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "env/file.h"

namespace millrace::env {

struct RotationLimits {
  std::uint64_t bytes_max = std::uint64_t{10} << 20;  // of one file
  std::uint32_t files_max = 5;                        // in all, at least 1
};

// Not thread-safe. Belongs to one process: the file is locked. What is no regular file (a pipe,
// /dev/null) is written to as it is. Durability: none is asked for; a crash of the process loses
// nothing, a power cut may.
class RotatingFile {
 public:
  // Goes on at the end of a file that is there. Errors: as env/file.h, kLockHeld when another
  // process writes to it.
  static Result<RotatingFile> open(const Path& path, const RotationLimits& limits);
  RotatingFile(RotatingFile&& other) noexcept;
  RotatingFile& operator=(RotatingFile&& other) = delete;
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;
  ~RotatingFile();

  // The line, which ends with '\n', whole or not at all; one above `bytes_max` has a file of its
  // own. Never waits for room. Errors: kDiskFull and the like; the next line is tried again.
  Status append(std::string_view line);

 private:
  RotatingFile(Path path, const RotationLimits& limits) : path_(std::move(path)), limits_(limits) {}
  Status open_newest();
  Status rotate();
  Path older(std::uint32_t number) const;

  Path path_;
  RotationLimits limits_;
  int fd_ = -1;
  bool rotates_ = true;  // a regular file
  bool moved_ = false;   // FILE has become FILE.1, and there is no new one yet
  std::uint64_t size_ = 0;
};

}  // namespace millrace::env
