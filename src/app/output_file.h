// Where a command writes rows: a file that appears whole or not at all, or standard output.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "app/session.h"
#include "base/result.h"

namespace millrace::app {

// Not thread-safe. A file is written beside its name and renamed by close(); dropped without
// close().
class OutputFile {
 public:
  // `path` "" or "-" is standard output.
  static Result<OutputFile> open(Session& session, const std::string& path);
  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();
  Status write(std::string_view bytes);
  Status close();
  bool is_stdout() const { return path_.empty(); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  OutputFile(Session& session, std::string path, std::string temporary, std::FILE* file)
      : session_(&session), path_(std::move(path)), temporary_(std::move(temporary)), file_(file) {}

  Session* session_;
  std::string path_;
  std::string temporary_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace millrace::app
