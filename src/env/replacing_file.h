// A file that is written piece by piece and appears whole or not at all.
#pragma once

#include <cstdio>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "env/file.h"

namespace millrace::env {

// Written beside its final name and renamed over it by close(), after which it survives a power
// cut; dropped without close(). Not thread-safe. Errors: as env/file.h.
class ReplacingFile {
 public:
  static Result<ReplacingFile> open(const Path& path);
  ReplacingFile(ReplacingFile&&) noexcept = default;
  ReplacingFile& operator=(ReplacingFile&&) = delete;
  ~ReplacingFile();

  Status write(std::string_view bytes);
  // Once, and nothing may be written afterwards.
  Status close();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  ReplacingFile(Path path, Path temporary, std::FILE* file)
      : path_(std::move(path)), temporary_(std::move(temporary)), file_(file) {}

  Path path_;
  Path temporary_;
  std::unique_ptr<std::FILE, Close> file_;  // null once closed or moved from
};

}  // namespace millrace::env
