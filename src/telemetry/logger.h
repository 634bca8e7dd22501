// Log lines for people, on stderr: "12:34:56.789 warning  text"; and for programs, as one JSON
// object a line, on stderr instead or in a file that rotates (docs/logging.md). Values that came
// from outside are escaped by the caller with printable(); those in fields need not be.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "env/rotating_file.h"
#include "json/fwd.h"

namespace millrace::telemetry {

enum class Level { kDebug, kInfo, kWarning, kError, kCritical, kOff };

// "DEBUG", "info", "warning" ... without regard to case. Errors: kUsage naming the choices.
Result<Level> parse_level(std::string_view text);

enum class LineFormat { kText, kJson };

// Thread-safe, but for set_format() and open_file(), which come before other threads log. A line
// never waits for room: what cannot be written to the file is dropped, counted, and said.
class Logger {
 public:
  explicit Logger(Level level = Level::kInfo);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void set_level(Level level);  // of stderr
  void set_format(LineFormat format);
  // Lines go to this file too, as JSON, from kInfo on, or from the level of stderr where that is
  // lower. Errors: those of RotatingFile.
  Status open_file(const env::Path& path, const env::RotationLimits& limits);
  // Whether event() of this level goes anywhere.
  bool takes_events(Level level) const;
  // Something that happened, for programs: an object with `event` and these fields, where lines are
  // JSON; nothing where they are text.
  void event(Level level, std::string_view name, const json::Value& fields);
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
