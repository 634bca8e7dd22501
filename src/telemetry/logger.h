// Log lines for people, on stderr: "12:34:56.789 warning  text". Values that came from outside are
// escaped by the caller with printable().
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace millrace::telemetry {

enum class Level { kDebug, kInfo, kWarning, kError, kCritical, kOff };

// "DEBUG", "info", "warning" ... without regard to case. Errors: kUsage naming the choices.
Result<Level> parse_level(std::string_view text);

// Thread-safe.
class Logger {
 public:
  explicit Logger(Level level = Level::kInfo);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void set_level(Level level);
  void debug(std::string_view text);
  void info(std::string_view text);
  void warning(std::string_view text);
  void error(std::string_view text);

  // Called before and after each line, so that a progress bar on the same terminal can step aside.
  // Set once, early.
  void on_line(void (*before)(void*), void (*after)(void*), void* context);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Lets one line of a kind through at once and then at most one per `interval`, counting what it
// held back. Not thread-safe.
class RateLimit {
 public:
  explicit RateLimit(Milliseconds interval) : interval_(interval) {}
  // Whether a line may go out now; `suppressed` receives how many were held back since the last
  // one.
  bool allow(SteadyTime now, std::uint64_t* suppressed);

 private:
  Milliseconds interval_;
  SteadyTime last_{};
  bool first_ = true;
  std::uint64_t suppressed_ = 0;
};

}  // namespace millrace::telemetry
