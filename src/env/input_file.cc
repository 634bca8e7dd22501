#include "env/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace millrace::env {

InputFile::InputFile(Path path, int fd, std::uint64_t size)
    : path_(std::move(path)), fd_(fd), size_(size) {}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      stop_(other.stop_) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  if (this != &other) {
    close();
    path_ = std::move(other.path_);
    fd_ = std::exchange(other.fd_, -1);
    size_ = other.size_;
    stop_ = other.stop_;
  }
  return *this;
}

InputFile::~InputFile() { close(); }

void InputFile::close() {
  if (fd_ >= 0 && fd_ != STDIN_FILENO) ::close(fd_);
  fd_ = -1;
}

Result<InputFile> InputFile::open(const Path& path) {
  if (path == "-") return InputFile("standard input", STDIN_FILENO, 0);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_error("cannot open", path, errno);
  InputFile file(path, fd, 0);
  struct stat info {};
  if (::fstat(fd, &info) != 0) return errno_error("cannot stat", path, errno);
  if (S_ISDIR(info.st_mode)) {
    return Error(ErrorCode::kNoInput, "'" + path.string() + "' is a folder, not a file");
  }
  if (S_ISREG(info.st_mode)) file.size_ = static_cast<std::uint64_t>(info.st_size);
  return file;
}

// Until there is something to read, or a stop is requested.
Status InputFile::wait() {
  pollfd watched[] = {{fd_, POLLIN, 0}, {stop_->descriptor(), POLLIN, 0}};
  while (::poll(watched, 2, -1) < 0) {
    if (errno != EINTR) return errno_error("cannot wait for", path_, errno);
  }
  if (watched[1].revents != 0) {
    return Error(ErrorCode::kInterrupted, "stopped while waiting for " + path_.string());
  }
  return {};
}

Result<std::size_t> InputFile::read(std::span<char> into) {
  if (stop_ != nullptr && size_ == 0) MILLRACE_TRY(wait());
  while (true) {
    const ssize_t n = ::read(fd_, into.data(), into.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return errno_error("cannot read", path_, errno);
  }
}

}  // namespace millrace::env
