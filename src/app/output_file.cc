#include "app/output_file.h"

#include <utility>

namespace millrace::app {

Result<OutputFile> OutputFile::open(Session& session, const std::string& path) {
  if (path.empty() || path == "-") return OutputFile(session, std::nullopt);
  MILLRACE_ASSIGN(env::AtomicFile file, env::AtomicFile::create(path));
  return OutputFile(session, std::optional<env::AtomicFile>(std::move(file)));
}

}  // namespace millrace::app
