#include "telemetry/logger.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <mutex>
#include <optional>
#include <utility>

#include "env/clock.h"
#include "json/json.h"

namespace millrace::telemetry {
namespace {

constexpr std::array<std::pair<std::string_view, Level>, 7> kLevels = {
    {{"debug", Level::kDebug},
     {"info", Level::kInfo},
     {"warning", Level::kWarning},
     {"warn", Level::kWarning},
     {"error", Level::kError},
     {"critical", Level::kCritical},
     {"off", Level::kOff}}};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kCritical:
      return spdlog::level::critical;
    case Level::kOff:
      break;
  }
  return spdlog::level::off;
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [name, level] : kLevels) {
    if (name == folded) return level;
  }
  return Error(ErrorCode::kUsage, "unknown log level '" + std::string(text) +
                                      "': choose debug, info, warning, error, critical or off");
}

struct Logger::State {
  // What is dropped is said this often at most.
  static constexpr Milliseconds kDropLineInterval{60'000};

  spdlog::logger logger{"millrace", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  LineFormat format = LineFormat::kText;
  void (*before)(void*) = nullptr;
  void (*after)(void*) = nullptr;
  void* context = nullptr;
  std::mutex mutex;  // of what follows
  std::optional<env::RotatingFile> file;
  std::uint64_t dropped = 0;  // lines, since the last one that was written
  RateLimit drop_lines{kDropLineInterval};

  bool on_screen(Level level) const { return logger.should_log(to_spdlog(level)); }
  bool in_file(Level level) const { return file && (level >= Level::kInfo || on_screen(level)); }

  void show(Level level, std::string_view line) {
    if (before != nullptr) before(context);
    logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
    logger.flush();
    if (after != nullptr) after(context);
  }

  void write(Level level, std::string_view text) {
    const bool screen = on_screen(level);
    if (!screen && !in_file(level)) return;
    const bool json = format == LineFormat::kJson;
    const std::string line = json || file ? json_line(level, {{"message", text}}) : std::string();
    if (screen) show(level, json ? std::string_view(line) : text);
    if (in_file(level)) keep(line);
  }

  void event(Level level, std::string_view name, const json::Value& fields) {
    json::Value all = {{"event", name}};
    all.update(fields);
    const std::string line = json_line(level, all);
    if (format == LineFormat::kJson && on_screen(level)) show(level, line);
    if (in_file(level)) keep(line);
  }

  // With the names and levels of Python's logging, which log collectors know.
  static std::string json_line(Level level, const json::Value& fields) {
    constexpr std::array<const char*, 6> kNames = {"DEBUG", "INFO",     "WARNING",
                                                   "ERROR", "CRITICAL", "OFF"};
    json::Value line = {{"timestamp", env::format_rfc3339(env::real_clock().now())},
                        {"level", kNames.at(static_cast<std::size_t>(level))},
                        {"logger", "millrace"}};
    line.update(fields);
    return json::to_line(line);
  }

  void keep(const std::string& line) {
    const std::lock_guard lock(mutex);
    Status kept;
    if (dropped > 0) {
      kept = file->append(
          json_line(Level::kWarning, {{"event", "lines_dropped"}, {"count", dropped}}) + "\n");
    }
    if (kept) {
      dropped = 0;
      kept = file->append(line + "\n");
    }
    if (kept) return;
    ++dropped;
    if (!on_screen(Level::kWarning) || !drop_lines.allow(env::real_clock().steady(), nullptr))
      return;
    const std::string text = "log lines are dropped: " + kept.error().message();
    const bool json = format == LineFormat::kJson;
    show(Level::kWarning, json ? json_line(Level::kWarning, {{"message", text}}) : text);
  }
};

Logger::Logger(Level level) : state_(std::make_unique<State>()) {
  set_format(LineFormat::kText);
  set_level(level);
}

Logger::~Logger() = default;

void Logger::set_level(Level level) { state_->logger.set_level(to_spdlog(level)); }

void Logger::set_format(LineFormat format) {
  state_->format = format;
  state_->logger.set_pattern(format == LineFormat::kJson ? "%v" : "%H:%M:%S.%e %-8l %v");
}

Status Logger::open_file(const env::Path& path, const env::RotationLimits& limits) {
  MILLRACE_ASSIGN(env::RotatingFile file, env::RotatingFile::open(path, limits));
  state_->file.emplace(std::move(file));
  return {};
}

bool Logger::takes_events(Level level) const {
  return state_->in_file(level) ||
         (state_->format == LineFormat::kJson && state_->on_screen(level));
}

void Logger::event(Level level, std::string_view name, const json::Value& fields) {
  if (takes_events(level)) state_->event(level, name, fields);
}

void Logger::debug(std::string_view text) { state_->write(Level::kDebug, text); }
void Logger::info(std::string_view text) { state_->write(Level::kInfo, text); }
void Logger::warning(std::string_view text) { state_->write(Level::kWarning, text); }
void Logger::error(std::string_view text) { state_->write(Level::kError, text); }

void Logger::on_line(void (*before)(void*), void (*after)(void*), void* context) {
  state_->before = before;
  state_->after = after;
  state_->context = context;
}

bool RateLimit::allow(SteadyTime now, std::uint64_t* suppressed) {
  if (!first_ && now - last_ < interval_) {
    ++suppressed_;
    return false;
  }
  first_ = false;
  last_ = now;
  if (suppressed != nullptr) *suppressed = suppressed_;
  suppressed_ = 0;
  return true;
}

}  // namespace millrace::telemetry
