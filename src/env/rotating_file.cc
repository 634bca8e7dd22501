#include "env/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

namespace millrace::env {
namespace {

constexpr mode_t kMode = 0644;

Status lock_whole(int fd, const Path& path) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return {};
  if (errno == EAGAIN || errno == EACCES) {
    return Error(ErrorCode::kLockHeld, "the log file '" + path.string() +
                                           "' is written to by another process; give each process "
                                           "a file of its own");
  }
  return errno_error("cannot lock", path, errno);
}

}  // namespace

Result<RotatingFile> RotatingFile::open(const Path& path, const RotationLimits& limits) {
  RotatingFile file(path, limits);
  MILLRACE_TRY(file.open_newest());
  return file;
}

RotatingFile::RotatingFile(RotatingFile&& other) noexcept
    : path_(std::move(other.path_)),
      limits_(other.limits_),
      fd_(std::exchange(other.fd_, -1)),
      rotates_(other.rotates_),
      moved_(other.moved_),
      size_(other.size_) {}

RotatingFile::~RotatingFile() {
  if (fd_ >= 0) ::close(fd_);
}

Path RotatingFile::older(std::uint32_t number) const {
  Path path = path_;
  if (number > 0) path += "." + std::to_string(number);
  return path;
}

// Non-blocking, so that a pipe without a reader is an error and not a wait.
Status RotatingFile::open_newest() {
  const int fd =
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, kMode);
  if (fd < 0) return errno_error("cannot open the log file", path_, errno);
  struct stat info {};
  Status ready;
  if (::fstat(fd, &info) != 0) {
    ready = errno_error("cannot stat", path_, errno);
  } else if (S_ISREG(info.st_mode)) {
    ready = lock_whole(fd, path_);
  }
  if (!ready) {
    ::close(fd);
    return ready;
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  rotates_ = S_ISREG(info.st_mode);
  size_ = static_cast<std::uint64_t>(info.st_size);
  return {};
}

Status RotatingFile::rotate() {
  if (limits_.files_max <= 1) {
    if (::ftruncate(fd_, 0) != 0) return errno_error("cannot empty", path_, errno);
    size_ = 0;
    return {};
  }
  for (std::uint32_t number = limits_.files_max - 1; number > 0 && !moved_; --number) {
    const Path from = older(number - 1);
    if (std::rename(from.c_str(), older(number).c_str()) != 0 && errno != ENOENT)
      return errno_error("cannot rename the log file", from, errno);
  }
  moved_ = true;
  MILLRACE_TRY(open_newest());
  moved_ = false;
  return {};
}

Status RotatingFile::append(std::string_view line) {
  const bool full = size_ > 0 && size_ + line.size() > limits_.bytes_max;
  if (rotates_ && (moved_ || full)) MILLRACE_TRY(rotate());
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t n = ::write(fd_, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const Error error = errno_error("cannot write", path_, errno);
      // A part of a line would spoil the next one too.
      if (rotates_ && done > 0 && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0)
        size_ += done;  // it stands; readers skip it
      return error;
    }
    done += static_cast<std::size_t>(n);
  }
  size_ += line.size();
  return {};
}

}  // namespace millrace::env
