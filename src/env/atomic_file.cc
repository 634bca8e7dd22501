#include "env/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace millrace::env {
namespace {
constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
}

Result<AtomicFile> AtomicFile::create(const Path& path) {
  Path target = path;
  struct stat there {};
  if (::stat(target.c_str(), &there) == 0) {
    if (S_ISDIR(there.st_mode)) return errno_error("cannot write", target, EISDIR);
    if (!S_ISREG(there.st_mode)) {
      const int fd = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
      if (fd < 0) return errno_error("cannot open", target, errno);
      return AtomicFile(std::move(target), "", fd);
    }
    std::error_code ignored;  // then the name is taken as it is
    if (Path real = std::filesystem::canonical(path, ignored); !ignored) target = std::move(real);
  }
  std::string temporary = target.string() + ".tmp.XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return errno_error("cannot create a file beside", target, errno);
  constexpr mode_t kMode = 0644;
  ::fchmod(fd, kMode);
  return AtomicFile(std::move(target), std::move(temporary), fd);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)) {}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!in_place()) ::unlink(temporary_.c_str());
}

Status AtomicFile::write(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kBufferBytes ? Status() : flush();
}

Status AtomicFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("cannot write", path_, errno);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  buffer_.clear();
  return {};
}

Status AtomicFile::commit() {
  MILLRACE_TRY(flush());
  if (in_place()) {
    if (::close(std::exchange(fd_, -1)) != 0) return errno_error("cannot write", path_, errno);
    return {};
  }
  if (::fsync(fd_) != 0) return errno_error("cannot sync", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return errno_error("cannot rename to", path_, errno);
  }
  ::close(std::exchange(fd_, -1));
  return sync_folder(path_.has_parent_path() ? path_.parent_path() : Path("."));
}

}  // namespace millrace::env
