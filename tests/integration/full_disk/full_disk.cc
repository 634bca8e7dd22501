// A disk that is full while a file exists: loaded before the C library (LD_PRELOAD), it fails
// writes to the embedded log with ENOSPC. Needs no rights, so the test runs everywhere.
//   FULL_DISK_WHILE=FILE   the disk is full while FILE exists
//   FULL_DISK_FOR=TEXT     for files with TEXT in their path, in place of the embedded log
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr int kPathMax = 4096;

bool is_full(int fd) {
  const char* flag = std::getenv("FULL_DISK_WHILE");
  if (flag == nullptr || ::access(flag, F_OK) != 0) return false;
  char link[64];
  char path[kPathMax];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link, path, sizeof path);
  if (size <= 0) return false;
  const std::string_view file(path, static_cast<std::size_t>(size));
  const char* part = std::getenv("FULL_DISK_FOR");
  if (part != nullptr) return file.find(part) != std::string_view::npos;
  return file.ends_with("/log.db") || file.ends_with("/log.db-wal");
}

template <class Function>
Function next(const char* name) {
  // NOLINTNEXTLINE(*-reinterpret-cast): how dlsym gives functions
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's are reserved
extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  if (!is_full(fd)) return real(fd, bytes, size);
  errno = ENOSPC;
  return -1;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (!is_full(fd)) return real(fd, bytes, size, at);
  errno = ENOSPC;
  return -1;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  if (!is_full(fd)) return real(fd, bytes, size, at);
  errno = ENOSPC;
  return -1;
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
