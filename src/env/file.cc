#include "env/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace millrace::env {
namespace {

// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Status write_all(int fd, std::string_view bytes, const Path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("cannot write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Path folder_of(const Path& path) { return path.has_parent_path() ? path.parent_path() : Path("."); }

ErrorCode code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNoInput;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kDiskFull;
    default:
      return ErrorCode::kIo;
  }
}

// Writes and syncs a temporary file in the folder of `path`, hands its name to `publish`, and syncs
// the folder; removes the temporary file when something fails.
template <class Publish>
Status write_beside(const Path& path, std::string_view content, Publish publish) {
  std::string temporary = path.string() + ".tmp.XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return errno_error("cannot create a file beside", path, errno);
  auto write = [&]() -> Status {
    MILLRACE_TRY(write_all(file.get(), content, path));
    constexpr mode_t kMode = 0644;
    if (::fchmod(file.get(), kMode) != 0) return errno_error("cannot set the mode of", path, errno);
    if (::fsync(file.get()) != 0) return errno_error("cannot sync", path, errno);
    return publish(temporary.c_str());
  };
  Status written = write();
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_folder(folder_of(path));
}

}  // namespace

Error errno_error(std::string_view what, const Path& path, int error_number) {
  std::string text(what);
  text += " '" + path.string() + "': " + std::strerror(error_number);
  return {code_of_errno(error_number), std::move(text)};
}

Result<std::string> read_file(const Path& path, std::uint64_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return errno_error("cannot open", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return errno_error("cannot stat", path, errno);
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) {
    return Error(ErrorCode::kNoInput, "'" + path.string() + "' is not a regular file");
  }
  std::string content;
  constexpr std::size_t kChunk = std::size_t{256} << 10;
  while (true) {
    const std::size_t have = content.size();
    content.resize(have + kChunk);
    const ssize_t n = ::read(file.get(), content.data() + have, kChunk);
    content.resize(have + (n > 0 ? static_cast<std::size_t>(n) : 0));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("cannot read", path, errno);
    if (content.size() > bytes_max) {
      return Error(ErrorCode::kLimitExceeded, "'" + path.string() +
                                                  "' is larger than the limit of " +
                                                  std::to_string(bytes_max) + " bytes");
    }
    if (n == 0) return content;
  }
}

Status write_file_atomic(const Path& path, std::string_view content) {
  return write_beside(path, content, [&path](const char* temporary) -> Status {
    if (::rename(temporary, path.c_str()) != 0) return errno_error("cannot rename to", path, errno);
    return {};
  });
}

Result<bool> write_file_new(const Path& path, std::string_view content) {
  bool taken = false;
  MILLRACE_TRY(write_beside(path, content, [&](const char* temporary) -> Status {
    // A link, unlike a rename, fails where the name is taken.
    const int result = ::link(temporary, path.c_str());
    taken = result != 0 && errno == EEXIST;
    if (result != 0 && !taken) return errno_error("cannot create", path, errno);
    ::unlink(temporary);
    return {};
  }));
  return !taken;
}

Status make_folders(const Path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return errno_error("cannot create the folder", path, error.value());
  return {};
}

Status sync_folder(const Path& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return errno_error("cannot open the folder", path, errno);
  if (::fsync(folder.get()) != 0 && errno != EINVAL)
    return errno_error("cannot sync the folder", path, errno);
  return {};
}

Result<std::uint64_t> free_bytes(const Path& path) {
  std::error_code error;
  Path at = std::filesystem::absolute(path, error);
  while (!std::filesystem::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  struct statvfs info {};
  if (::statvfs(at.c_str(), &info) != 0)
    return errno_error("cannot ask for free space of", at, errno);
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

Result<FileLock> FileLock::acquire(const Path& path) {
  constexpr mode_t kMode = 0644;
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
  if (file.get() < 0) return errno_error("cannot open the lock file", path, errno);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) return errno_error("cannot lock", path, errno);
    char holder[32] = {};
    const ssize_t n = ::pread(file.get(), holder, sizeof holder - 1, 0);
    std::string who(holder, n > 0 ? static_cast<std::size_t>(n) : 0);
    who = who.substr(0, who.find('\n'));
    return Error(ErrorCode::kLockHeld, "'" + path.string() + "' is in use by process " +
                                           (who.empty() ? "(unknown)" : who));
  }
  const std::string self = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), self.data(), self.size(), 0) < 0) {
    return errno_error("cannot write the lock file", path, errno);
  }
  return FileLock(file.release(), self.size());
}

Status FileLock::set_note(std::string_view note) {
  const ssize_t n = ::pwrite(fd_, note.data(), note.size(), static_cast<off_t>(note_at_));
  if (n != static_cast<ssize_t>(note.size())) {
    return errno_error("cannot write", "the lock file", n < 0 ? errno : ENOSPC);
  }
  return {};
}

bool FileLock::is_held(const Path& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) return false;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

FileLock::FileLock(FileLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), note_at_(other.note_at_) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(note_at_, other.note_at_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<TemporaryFolder> TemporaryFolder::make(std::string_view prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string name = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/";
  name += prefix;
  name += ".XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return errno_error("cannot create a folder", name, errno);
  return TemporaryFolder(Path(name));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, Path())) {}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace millrace::env
