// Processes of their own for the tests: this test binary, started again as a worker that scores or
// produces, so that it can be killed and stopped at will.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::log_sqlite {

// A child process; killed (and waited for) on destruction.
class Worker {
 public:
  // `crash_point`: value of MILLRACE_CRASH_POINT, "" for none.
  explicit Worker(const std::vector<std::string>& arguments, const std::string& crash_point = "");
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&&) = delete;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  void signal(int number) const;
  bool running();
  // Waits for its end: the exit code, or minus the signal that ended it; kHanging after 60 s.
  static constexpr int kHanging = 1000;
  int wait();

 private:
  pid_t pid_ = -1;
  int result_ = 0;
};

// The worker's side. Copies "in" to "out" as a member of `group` until "out" has `expected`
// records, or for ever with 0: arguments file, group, expected, session_ms, batch.
// Exit code: 0, or that of the error.
int score_worker(const std::vector<std::string>& arguments);
// Appends rows 0 to `rows` to "in" with resume id "rows": arguments file, rows, batch.
int produce_worker(const std::vector<std::string>& arguments);

}  // namespace millrace::log_sqlite
