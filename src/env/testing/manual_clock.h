// A clock that moves only when a test says so; sleeping moves it to the wanted time.
#pragma once

#include <atomic>

#include "env/clock.h"

namespace millrace::env {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = Timestamp(1'760'153'303'234)) : wall_ms_(start.value()) {}
  Timestamp now() override { return Timestamp(wall_ms_.load()); }
  SteadyTime steady() override { return SteadyTime(Nanoseconds(steady_ns_.load())); }
  void sleep_until(SteadyTime until) override {
    const auto wait = until - steady();
    if (wait.count() > 0) advance(wait);
  }
  void advance(Nanoseconds by) {
    const std::int64_t before = steady_ns_.fetch_add(by.count());
    wall_ms_ += (before + by.count()) / 1'000'000 - before / 1'000'000;
  }

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> steady_ns_{0};
};

}  // namespace millrace::env
