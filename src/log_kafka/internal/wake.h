// Waiting until librdkafka's queues, a stop request or another thread have something.
#pragma once

#include <atomic>

#include "base/time.h"
#include "env/clock.h"

namespace millrace::log_kafka::internal {

// One thread waits; the rest is thread-safe.
class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  // To be written by whoever has news (an eventfd).
  int descriptor() const { return event_; }
  void notify();
  void interrupt();
  // Whether interrupt() was called since the last call of this.
  bool take_interrupt() { return interrupted_.exchange(false); }
  void watch(int descriptor) { watched_ = descriptor; }

  enum class Woken { kNews, kAsked };  // kNews also when `until` has come
  Woken wait(SteadyTime until, env::Clock& clock);

 private:
  std::atomic<bool> interrupted_{false};
  int event_ = -1;
  int watched_ = -1;
};

}  // namespace millrace::log_kafka::internal
