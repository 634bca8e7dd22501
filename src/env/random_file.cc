#include "env/random_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace millrace::env {

Result<RandomFile> RandomFile::open(const Path& path) {
  // Without O_NONBLOCK a pipe without a writer would wait for one.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno_error("cannot open", path, errno);
  RandomFile file(path, fd, 0);
  struct stat there {};
  if (::fstat(fd, &there) != 0) return errno_error("cannot look at", path, errno);
  if (S_ISDIR(there.st_mode)) {
    return Error(ErrorCode::kNoInput, "'" + path.string() + "' is a folder, not a file.");
  }
  if (!S_ISREG(there.st_mode)) {
    return Error(ErrorCode::kUsage,
                 "'" + path.string() + "' is no regular file, and this format needs one.");
  }
  file.size_ = static_cast<std::uint64_t>(there.st_size);
  return file;
}

RandomFile::RandomFile(RandomFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

RandomFile& RandomFile::operator=(RandomFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  return *this;
}

RandomFile::~RandomFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status RandomFile::read_at(std::uint64_t at, std::span<char> into) const {
  while (!into.empty()) {
    const ssize_t n = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("cannot read", path_, errno);
    if (n == 0) {
      return Error(ErrorCode::kIo,
                   "cannot read " + path_.string() + ": it became shorter while it was read");
    }
    into = into.subspan(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace millrace::env
