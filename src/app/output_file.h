// Where a command writes rows: a file that appears whole or not at all, or standard output.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/session.h"
#include "base/result.h"
#include "env/atomic_file.h"

namespace millrace::app {

// Not thread-safe. Dropped without close(), a file leaves no trace.
class OutputFile {
 public:
  // `path` "" or "-" is standard output.
  static Result<OutputFile> open(Session& session, const std::string& path);
  Status write(std::string_view bytes) {
    return file_ ? file_->write(bytes) : session_->write(bytes);
  }
  Status close() { return file_ ? file_->commit() : session_->flush(); }
  bool is_stdout() const { return !file_; }

 private:
  OutputFile(Session& session, std::optional<env::AtomicFile> file)
      : session_(&session), file_(std::move(file)) {}

  Session* session_;
  std::optional<env::AtomicFile> file_;
};

}  // namespace millrace::app
