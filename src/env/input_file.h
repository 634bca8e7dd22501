// A file or standard input, read from its start to its end.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "env/file.h"
#include "env/stop.h"

namespace millrace::env {

// Not thread-safe. Closes what it opened on destruction; standard input stays open.
class InputFile {
 public:
  // "-" is standard input. Errors: kNoInput (missing, or a folder), kPermission, kIo.
  static Result<InputFile> open(const Path& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  // From now on a read that waits (a pipe, a terminal) ends with kInterrupted when a stop is
  // requested. `stop` must outlive this file.
  void interrupt_by(const StopToken& stop) { stop_ = &stop; }

  // Reads at least one byte into `into` and says how many; 0 at the end. Errors: kIo, kInterrupted.
  Result<std::size_t> read(std::span<char> into);
  // Bytes of a regular file when it was opened, 0 for anything else.
  std::uint64_t size() const { return size_; }
  const Path& path() const { return path_; }

 private:
  InputFile(Path path, int fd, std::uint64_t size);
  void close();
  Status wait();

  Path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  const StopToken* stop_ = nullptr;
};

}  // namespace millrace::env
