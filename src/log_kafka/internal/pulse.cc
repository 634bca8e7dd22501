#include "log_kafka/internal/pulse.h"

#include <chrono>

#include "env/clock.h"

namespace millrace::log_kafka::internal {
namespace {

constexpr Milliseconds kBeat{250};

}  // namespace

Pulse::Pulse(Milliseconds session_timeout)
    : session_ms_(session_timeout.count()),
      last_ms_(env::boottime_ms()),
      thread_([this] { run(); }) {}

Pulse::~Pulse() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void Pulse::run() {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kBeat, [this] { return stopping_; })) {
    const std::int64_t now = env::boottime_ms();
    if (now - last_ms_ > session_ms_) woke_ms_ = now;
    last_ms_ = now;
  }
}

bool Pulse::stood_still() const {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = env::boottime_ms();
  // Asked before the thread has run again.
  if (now - last_ms_ > session_ms_) return true;
  return woke_ms_ && now - *woke_ms_ <= 2 * session_ms_;
}

}  // namespace millrace::log_kafka::internal
