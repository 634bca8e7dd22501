// A regular file that is read anywhere, for formats whose table of contents stands at the end.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "env/file.h"

namespace millrace::env {

// Not thread-safe. Closed on destruction.
class RandomFile {
 public:
  // Errors: kNoInput (missing, or a folder), kPermission, kIo; kUsage for what is no regular file.
  static Result<RandomFile> open(const Path& path);
  RandomFile(RandomFile&& other) noexcept;
  RandomFile& operator=(RandomFile&& other) noexcept;
  RandomFile(const RandomFile&) = delete;
  RandomFile& operator=(const RandomFile&) = delete;
  ~RandomFile();

  // Fills `into` from byte `at` on. Errors: kIo, also where the file ends before `into` is full.
  Status read_at(std::uint64_t at, std::span<char> into) const;
  // Bytes when it was opened.
  std::uint64_t size() const { return size_; }
  const Path& path() const { return path_; }

 private:
  RandomFile(Path path, int fd, std::uint64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}

  Path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace millrace::env
