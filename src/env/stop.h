// The wish to stop: set by SIGINT/SIGTERM or by code, seen by loops at once.
#pragma once

#include <atomic>

namespace millrace::env {

// Thread-safe. The first signal requests a stop; a second one ends the process at once with 128 +
// its number.
class StopToken {
 public:
  StopToken();
  ~StopToken();
  StopToken(const StopToken&) = delete;
  StopToken& operator=(const StopToken&) = delete;

  bool requested() const { return requested_.load(std::memory_order_relaxed); }
  // Number of the signal that asked, 0 when code did or nobody has.
  int signal() const { return signal_.load(std::memory_order_relaxed); }
  void request();

  // Readable (poll(2)) from the moment of the request on, so that a wait can watch it beside other
  // descriptors.
  int descriptor() const { return event_; }

  // Routes SIGINT and SIGTERM to this token until it is destroyed; one token of a process at a
  // time. SIGPIPE is ignored from then on, so that a closed pipe is an error of write(2).
  void listen_to_signals();

 private:
  friend void on_stop_signal(int);
  std::atomic<bool> requested_{false};
  std::atomic<int> signal_{0};
  int event_ = -1;
};

}  // namespace millrace::env
