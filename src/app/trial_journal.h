// The trials of a search that are done, on disk, so that a search which was stopped goes on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/file.h"
#include "eval/search_space.h"

namespace millrace::app {

struct Trial {
  eval::Assignment parameters;
  double error = 0;  // mean of the folds'
  std::vector<double> folds;
};

// One file of NDJSON: a line that says which search it is, then one a finished trial. Written whole
// and atomically after each, so that whatever kills the process the file holds whole trials. One
// process at a time has it. Not thread-safe.
class TrialJournal {
 public:
  // `figure`: the name of a trial's error in the file, "cv_mae". `key`: a digest of all that a
  // trial's figure depends on but its parameters. A file of another key, or one that is none, is
  // refused: kCorrupt. Errors: kLockHeld; those of env/file.h.
  static Result<TrialJournal> open(const env::Path& path, const std::string& key,
                                   std::string_view figure = "cv_mae");

  // As found, then as added.
  const std::vector<Trial>& trials() const { return trials_; }
  const Trial* find(const eval::Assignment& parameters) const;
  // Durable on return. Errors: those of env/file.h.
  Status add(Trial trial);

  static constexpr std::uint64_t kBytesMax = std::uint64_t{64} << 20;

 private:
  TrialJournal(env::Path path, env::FileLock lock, std::string text, std::string figure)
      : path_(std::move(path)),
        lock_(std::move(lock)),
        text_(std::move(text)),
        figure_(std::move(figure)) {}

  env::Path path_;
  env::FileLock lock_;
  std::string text_;
  std::string figure_;
  std::vector<Trial> trials_;
};

}  // namespace millrace::app
