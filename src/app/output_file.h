// Where a command writes rows: a file that appears whole or not at all, or standard output.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/session.h"
#include "base/result.h"
#include "env/replacing_file.h"

namespace millrace::app {

// Not thread-safe. Dropped without close(), a file leaves no trace.
class OutputFile {
 public:
  // `path` "" or "-" is standard output.
  static Result<OutputFile> open(Session& session, const std::string& path);
  Status write(std::string_view bytes);
  Status close();
  bool is_stdout() const { return !file_; }

 private:
  explicit OutputFile(Session& session) : session_(&session) {}

  Session* session_;
  std::optional<env::ReplacingFile> file_;
};

}  // namespace millrace::app
