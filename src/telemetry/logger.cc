#include "telemetry/logger.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

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
  spdlog::logger logger{"millrace", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  void (*before)(void*) = nullptr;
  void (*after)(void*) = nullptr;
  void* context = nullptr;

  void write(spdlog::level::level_enum level, std::string_view text) {
    if (!logger.should_log(level)) return;
    if (before != nullptr) before(context);
    logger.log(level, spdlog::string_view_t(text.data(), text.size()));
    logger.flush();
    if (after != nullptr) after(context);
  }
};

Logger::Logger(Level level) : state_(std::make_unique<State>()) {
  state_->logger.set_pattern("%H:%M:%S.%e %-8l %v");
  set_level(level);
}

Logger::~Logger() = default;

void Logger::set_level(Level level) { state_->logger.set_level(to_spdlog(level)); }
void Logger::debug(std::string_view text) { state_->write(spdlog::level::debug, text); }
void Logger::info(std::string_view text) { state_->write(spdlog::level::info, text); }
void Logger::warning(std::string_view text) { state_->write(spdlog::level::warn, text); }
void Logger::error(std::string_view text) { state_->write(spdlog::level::err, text); }

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
