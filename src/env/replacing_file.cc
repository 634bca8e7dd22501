#include "env/replacing_file.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/check.h"

namespace millrace::env {

Result<ReplacingFile> ReplacingFile::open(const Path& path) {
  const Path temporary = path.string() + ".tmp." + std::to_string(::getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wbe");
  if (file == nullptr) return errno_error("cannot write", path, errno);
  return ReplacingFile(path, temporary, file);
}

ReplacingFile::~ReplacingFile() {
  if (file_) ::unlink(temporary_.c_str());
}

Status ReplacingFile::write(std::string_view bytes) {
  CHECK(file_ != nullptr);
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return {};
  return errno_error("cannot write", path_, errno);
}

Status ReplacingFile::close() {
  CHECK(file_ != nullptr);
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) {
    return errno_error("cannot write", path_, errno);
  }
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return errno_error("cannot rename to", path_, errno);
  }
  file_.reset();
  return sync_folder(path_.has_parent_path() ? path_.parent_path() : Path("."));
}

}  // namespace millrace::env
