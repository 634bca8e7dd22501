// Files and folders: whole-file reads with a limit, atomic durable writes, advisory locks. All
// paths are the caller's bytes; every error names the path. Errors: kNoInput (missing),
// kPermission, kDiskFull, kIo, kLimitExceeded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::env {

using Path = std::filesystem::path;

// The whole file; more than `bytes_max` bytes is kLimitExceeded. Refuses anything but regular files
// and pipes.
Result<std::string> read_file(const Path& path, std::uint64_t bytes_max);

// Writes a temporary file beside `path`, syncs it, renames it over `path`, and syncs the folder:
// after a crash the old or the new content is there, never a mixture.
Status write_file_atomic(const Path& path, std::string_view content);

// The same, but never over a file that is there: false, and nothing is changed, when `path` is
// taken (also when another process takes it at the same moment).
Result<bool> write_file_new(const Path& path, std::string_view content);

// mkdir -p with an Error.
Status make_folders(const Path& path);

// Syncs a folder, so that renames and new names in it survive a power cut.
Status sync_folder(const Path& path);

// Free bytes for this user on the file system of `path` (or of its nearest existing parent).
Result<std::uint64_t> free_bytes(const Path& path);

// An Error for the last failed system call: "<what> <path>: <reason>", with the code that fits
// errno.
Error errno_error(std::string_view what, const Path& path, int error_number);

// An exclusive open-file-description lock on a file (created when missing): held until destruction
// or process death, whatever its cause. The file's content is the holder's process id, for messages
// only.
class FileLock {
 public:
  // kLockHeld, naming the holder's process id, when another description holds it.
  static Result<FileLock> acquire(const Path& path);
  // Whether somebody holds the lock now; false also when the file is missing.
  static bool is_held(const Path& path);
  // Puts `note` on the lines behind the process id, over an earlier note of the same length.
  Status set_note(std::string_view note);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  FileLock(int fd, std::size_t note_at) : fd_(fd), note_at_(note_at) {}
  int fd_ = -1;
  std::size_t note_at_ = 0;
};

// A fresh folder that is removed with its content on destruction.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make(std::string_view prefix);
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const Path& path() const { return path_; }

 private:
  explicit TemporaryFolder(Path path) : path_(std::move(path)) {}
  Path path_;
};

}  // namespace millrace::env
