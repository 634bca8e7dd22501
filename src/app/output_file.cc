#include "app/output_file.h"

#include <unistd.h>

#include <cerrno>

namespace millrace::app {

Result<OutputFile> OutputFile::open(Session& session, const std::string& path) {
  if (path.empty() || path == "-") return OutputFile(session, "", "", nullptr);
  const std::string temporary = path + ".tmp." + std::to_string(::getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wbe");
  if (file == nullptr) return env::errno_error("cannot write", path, errno);
  return OutputFile(session, path, temporary, file);
}

OutputFile::~OutputFile() {
  if (file_) ::unlink(temporary_.c_str());
}

Status OutputFile::write(std::string_view bytes) {
  if (is_stdout()) return session_->write(bytes);
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return {};
  return env::errno_error("cannot write", path_, errno);
}

Status OutputFile::close() {
  if (is_stdout()) return session_->flush();
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) {
    return env::errno_error("cannot write", path_, errno);
  }
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    return env::errno_error("cannot rename to", path_, errno);
  file_.reset();
  return {};
}

}  // namespace millrace::app
