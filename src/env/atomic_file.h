// A file that is written piece by piece and appears under its name whole, or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "env/file.h"

namespace millrace::env {

// Not thread-safe. Written beside its name through a buffer; dropped on destruction without
// commit(). What is no file (a pipe, /dev/null) is written to as it is, and never replaced; a
// symbolic link stays one. Errors: as env/file.h.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const Path& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  Status write(std::string_view bytes);
  // Synced and renamed over the name; nothing may be written afterwards.
  Status commit();

 private:
  AtomicFile(Path path, std::string temporary, int fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}
  Status flush();
  bool in_place() const { return temporary_.empty(); }

  Path path_;
  std::string temporary_;
  int fd_ = -1;
  std::string buffer_;
};

}  // namespace millrace::env
