// A line on the terminal that tells how far a long job is.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "app/terminal/screen.h"
#include "env/clock.h"
#include "telemetry/logger.h"

namespace millrace::app {

// Draws on stderr when that is a terminal, else nothing: a file or a pipe never sees it. Drawn for
// the first time after kFirstDraw, so that short jobs leave no trace, then at most every kRedraw;
// the line is gone after finish() or destruction. update() and finish() belong to one thread; log
// lines may come from any.
class Progress {
 public:
  enum class Sink { kNone, kTerminal };
  // Where it draws; for tests. `screen` is asked before every draw, since windows change their
  // size.
  struct Output {
    std::function<void(std::string_view)> write;
    std::function<Screen()> screen;
  };

  // `label`: "scoring". Without `total` there is no bar and no time left.
  Progress(env::Clock& clock, Sink sink, std::string label, std::optional<std::uint64_t> total);
  Progress(env::Clock& clock, Output output, std::string label, std::optional<std::uint64_t> total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // Lets log lines push the line aside while this object lives; the logger outlives it. Call it,
  // and destroy this, while no other thread logs.
  void step_aside_for(telemetry::Logger& logger);

  void update(std::uint64_t done);
  void finish();

  static constexpr Milliseconds kFirstDraw{250};
  static constexpr Milliseconds kRedraw{100};

 private:
  void draw();
  std::string line(const Screen& screen) const;
  void measure_rate(SteadyTime now);

  env::Clock& clock_;
  Output output_;  // write is empty when nothing is drawn
  const std::string label_;
  const std::optional<std::uint64_t> total_;
  telemetry::Logger* logger_ = nullptr;
  const SteadyTime started_;

  std::mutex mutex_;  // over everything below; held while a log line is written
  SteadyTime drawn_;  // last time, or when the first is due less kRedraw
  SteadyTime measured_;
  std::uint64_t done_ = 0;
  std::uint64_t measured_done_ = 0;
  double rate_ = 0;  // per second, over the last seconds
  std::string shown_;
  bool finished_ = false;
};

}  // namespace millrace::app
