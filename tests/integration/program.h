// Runs the millrace binary as a user would: arguments, environment, captured output, signals, exit
// code.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/file.h"
#include "json/json.h"

namespace millrace::integration {

struct Finished {
  int exit_code = -1;  // 128 + signal when killed
  std::string out;
  std::string err;
  double cpu_s = 0;
  // The last line of `out` as JSON (what --json ends with).
  json::Value last_json() const;
  // Every line of `out` as JSON.
  std::vector<json::Value> json_lines() const;
};

using Environment = std::map<std::string, std::string>;

// One running process. Killed with SIGKILL on destruction if it still runs.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const env::Path& working_folder,
          const Environment& environment);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  pid_t pid() const { return pid_; }
  void signal(int number) const;
  bool running();
  // What it has written to stderr until now.
  std::string err_so_far() const;
  // What it has written to standard output so far.
  std::string output() const;
  // Closes standard input's write end after writing `text`.
  void feed(const std::string& text);
  // Waits at most `seconds`; fails the test and kills the process when it takes longer.
  Finished wait(double seconds = 60);

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  env::Path out_;
  env::Path err_;
  bool reaped_ = false;
  int status_ = 0;
  double cpu_s_ = 0;
};

// A fresh working folder with its own --home; commands run in it with HOME-independent environment.
class Workplace {
 public:
  Workplace();
  const env::Path& path() const { return folder_.path(); }
  env::Path file(const std::string& name) const { return path() / name; }
  void write(const std::string& name, const std::string& content) const;
  // Runs `millrace <arguments>` to its end.
  Finished run(const std::vector<std::string>& arguments,
               const Environment& environment = {}) const;
  Finished run_with_input(const std::vector<std::string>& arguments,
                          const std::string& input) const;
  std::unique_ptr<Process> start(const std::vector<std::string>& arguments,
                                 const Environment& environment = {}) const;
  // All messages of a topic, as topics dump prints them; empty when the topic is missing.
  std::vector<json::Value> dump(const std::string& topic) const;
  // Trains telco-churn on `rows` simulated customers; fails the test when it does not work.
  void train_telco(int rows = 2000) const;
  // `rows` simulated customers as NDJSON, and their keys.
  std::string simulate(int rows, const std::vector<std::string>& more = {}) const;

 private:
  env::TemporaryFolder folder_;
};

// The named points of a scorer's work, from the first poll to behind the commit.
inline const std::vector<std::string> kScoringPoints{
    "score.after_poll",   "score.after_score",     "score.after_append",   "score.before_commit",
    "score.after_commit", "log.before_log_commit", "log.after_log_commit",
};

// Lets `run` be killed at each of `points` on each of `visits` to it; how often that happened.
int kill_at(const std::vector<std::string>& points, const std::vector<int>& visits,
            const std::function<Finished(const Environment&)>& run);

// The folder with the real data sets, nothing when MILLRACE_DATA_DIR is not set.
std::optional<env::Path> data_folder();

// Seconds for what takes no time by itself: disks and cores may be busy.
inline constexpr double kAtOnce = 10;
// Polls `condition` every few milliseconds until it holds; false after `seconds`.
bool eventually(const std::function<bool()>& condition, double seconds = 30);

}  // namespace millrace::integration

// Skips with the agreed words where the real data sets are not there.
#define NEEDS_DATA()                                                                     \
  if (!millrace::integration::data_folder()) {                                           \
    GTEST_SKIP() << "SKIPPED: no data at MILLRACE_DATA_DIR (set it to the data folder)"; \
  }
