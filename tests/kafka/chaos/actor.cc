#include "kafka/chaos/actor.h"

#include <csignal>

namespace millrace::kafka_testing {
namespace {

// A point that is not reached by then will not be.
constexpr std::chrono::milliseconds kPointMax{15'000};

}  // namespace

void Actor::start(std::optional<Kill> kill) {
  if (process_) return;
  ordered_ = std::move(kill);
  killed_here_ = false;
  integration::Environment environment;
  if (ordered_ && !ordered_->point.empty()) environment["MILLRACE_CRASH_POINT"] = ordered_->point;
  process_ = place_->start(command_, environment);
  started_ = Clock::now();
}

void Actor::kill_now() {
  if (!process_) return;
  killed_here_ = true;
  process_->signal(SIGKILL);
}

void Actor::ask_to_stop() const {
  if (process_) process_->signal(SIGTERM);
}

std::string Actor::describe() const {
  std::string text;
  for (const std::string& word : command_) text += word + " ";
  if (!process_) return text + "(not running)";
  return text + "(running as " + std::to_string(process_->pid()) + ") " + process_->err_so_far();
}

Actor::Change Actor::look() {
  if (!process_) return Change::kNone;
  if (process_->running()) {
    if (!ordered_) return Change::kNone;
    const auto due = ordered_->point.empty() ? ordered_->after : kPointMax;
    if (Clock::now() - started_ >= due) kill_now();
    return Change::kNone;
  }
  last_ = process_->wait();
  process_.reset();
  return last_.exit_code == 128 + SIGKILL ? Change::kKilled : Change::kEnded;
}

}  // namespace millrace::kafka_testing
