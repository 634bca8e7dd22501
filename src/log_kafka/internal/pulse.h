// Whether this process was stopped (SIGSTOP, a suspended machine) for longer than a group waits.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/time.h"

namespace millrace::log_kafka::internal {

// A thread that expects to run often. Thread-safe.
class Pulse {
 public:
  explicit Pulse(Milliseconds session_timeout);
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  // Whether that happened within the last two session timeouts: what the group did meanwhile comes
  // to light within that time.
  bool stood_still() const;

 private:
  void run();

  const std::int64_t session_ms_;
  mutable std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::int64_t last_ms_ = 0;  // since boot
  std::optional<std::int64_t> woke_ms_;
  std::thread thread_;
};

}  // namespace millrace::log_kafka::internal
