#include "app/terminal/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "app/terminal/width.h"
#include "base/human.h"

namespace millrace::app {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr std::size_t kBarWidthMax = 30;
constexpr std::size_t kBarWidthMin = 10;

double seconds(SteadyTime::duration span) { return std::chrono::duration<double>(span).count(); }

void write_stderr(std::string_view text) {
  // A terminal that is gone is no reason to stop the work.
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  static_cast<void>(std::fflush(stderr));
}

Progress::Output output_of(Progress::Sink sink) {
  if (sink == Progress::Sink::kNone || !Screen::of_stderr().is_terminal()) return {};
  return {write_stderr, Screen::of_stderr};
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// "0:07", "12:34", "1:02:03".
std::string clock_text(double span) {
  constexpr double kSecondsMax = 359'999;  // 99:59:59; beyond, nobody waits for the seconds
  const auto whole = static_cast<std::uint64_t>(std::clamp(span, 0.0, kSecondsMax));
  const auto two = [](std::uint64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  const std::uint64_t hours = whole / 3600;
  const std::uint64_t minutes = whole / 60 % 60;
  return (hours > 0 ? std::to_string(hours) + ":" + two(minutes) : std::to_string(minutes)) + ":" +
         two(whole % 60);
}

std::string bar(double share, std::size_t width, const Screen& screen) {
  const auto full = static_cast<std::size_t>(std::floor(share * static_cast<double>(width) + 1e-9));
  if (screen.symbols == Screen::Symbols::kUnicode) {
    return screen.style.accent(repeated("█", full)) + screen.style.dim(repeated("░", width - full));
  }
  return "[" + screen.style.accent(repeated("#", full)) + repeated(".", width - full) + "]";
}

}  // namespace

Progress::Progress(env::Clock& clock, Sink sink, std::string label,
                   std::optional<std::uint64_t> total)
    : Progress(clock, output_of(sink), std::move(label), total) {}

Progress::Progress(env::Clock& clock, Output output, std::string label,
                   std::optional<std::uint64_t> total)
    : clock_(clock),
      output_(std::move(output)),
      label_(std::move(label)),
      total_(total),
      started_(clock.steady()),
      drawn_(started_ + kFirstDraw - kRedraw),
      measured_(started_) {}

Progress::~Progress() {
  finish();
  if (logger_ != nullptr) logger_->on_line(nullptr, nullptr, nullptr);
}

void Progress::step_aside_for(telemetry::Logger& logger) {
  if (!output_.write) return;
  logger_ = &logger;
  // The mutex is held from `before` to `after`, both on the logging thread, so that no draw comes
  // between.
  logger.on_line(
      [](void* self) {
        auto* progress = static_cast<Progress*>(self);
        progress->mutex_.lock();
        if (!progress->shown_.empty()) progress->output_.write(kClearLine);
      },
      [](void* self) {
        auto* progress = static_cast<Progress*>(self);
        if (!progress->shown_.empty()) progress->output_.write(progress->shown_);
        progress->mutex_.unlock();
      },
      this);
}

void Progress::update(std::uint64_t done) {
  if (!output_.write) return;
  const SteadyTime now = clock_.steady();
  const std::lock_guard lock(mutex_);
  done_ = done;
  if (finished_ || now - drawn_ < kRedraw) return;
  measure_rate(now);
  drawn_ = now;
  draw();
}

void Progress::finish() {
  if (!output_.write) return;
  const std::lock_guard lock(mutex_);
  if (!shown_.empty()) output_.write(kClearLine);
  shown_.clear();
  finished_ = true;
}

void Progress::measure_rate(SteadyTime now) {
  const double span = seconds(now - measured_);
  if (span <= 0) return;
  const double sample = static_cast<double>(done_ - std::min(done_, measured_done_)) / span;
  constexpr double kMemorySeconds = 3;
  const bool first = measured_ == started_;
  rate_ = first ? sample : sample + (rate_ - sample) * std::exp(-span / kMemorySeconds);
  measured_ = now;
  measured_done_ = done_;
}

void Progress::draw() {
  shown_ = line(output_.screen());
  output_.write("\r" + shown_ + "\x1b[K");
}

std::string Progress::line(const Screen& screen) const {
  // One column stays free: a full line wraps on some terminals.
  const std::size_t room = std::max<std::size_t>(screen.columns, 2) - 1;
  const std::string rate = "  " + human_rate(rate_);
  if (!total_ || *total_ == 0) {
    const std::string elapsed = "  " + clock_text(seconds(drawn_ - started_));
    return cut_to_width(label_ + "  " + human_count(done_) + rate + elapsed, room, "");
  }
  const std::uint64_t done = std::min(done_, *total_);
  const double share = static_cast<double>(done) / static_cast<double>(*total_);
  const std::string percent = human_number(std::floor(share * 100), 0);
  const std::string head = label_ + "  " +
                           std::string(3 - std::min<std::size_t>(percent.size(), 3), ' ') +
                           percent + " %";
  std::string tail = "  " + human_count(done) + " of " + human_count(*total_) + rate;
  if (rate_ > 0 && done < *total_) {
    tail += "  " + clock_text(std::ceil(static_cast<double>(*total_ - done) / rate_)) + " left";
  }
  const std::size_t frame =
      screen.symbols == Screen::Symbols::kUnicode ? 2 : 4;  // blanks, brackets
  const std::size_t used = display_width(head) + display_width(tail) + frame;
  if (used + kBarWidthMin > room) return cut_to_width(head + tail, room, "");
  return head + "  " + bar(share, std::min(kBarWidthMax, room - used), screen) + tail;
}

}  // namespace millrace::app
