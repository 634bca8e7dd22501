#include "app/output_file.h"

namespace millrace::app {

Result<OutputFile> OutputFile::open(Session& session, const std::string& path) {
  OutputFile out(session);
  if (path.empty() || path == "-") return out;
  MILLRACE_ASSIGN(env::ReplacingFile file, env::ReplacingFile::open(path));
  out.file_.emplace(std::move(file));
  return out;
}

Status OutputFile::write(std::string_view bytes) {
  return file_ ? file_->write(bytes) : session_->write(bytes);
}

Status OutputFile::close() { return file_ ? file_->close() : session_->flush(); }

}  // namespace millrace::app
