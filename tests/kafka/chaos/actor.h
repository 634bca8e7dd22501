// A process of the program that is started again whenever it dies, and killed as ordered.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "integration/program.h"

namespace millrace::kafka_testing {

// How a process is to die.
struct Kill {
  std::string point;  // "name:visit" of MILLRACE_CRASH_POINT; empty: at a time
  std::chrono::milliseconds after{0};
};

// Not thread-safe. The process dies with the object.
class Actor {
 public:
  using Clock = std::chrono::steady_clock;

  Actor(std::string name, const integration::Workplace& place, std::vector<std::string> command)
      : name_(std::move(name)), place_(&place), command_(std::move(command)) {}

  // What became of the process since the last look.
  enum class Change { kNone, kKilled, kEnded };

  // Starts it where it is not running, to die by `kill`.
  void start(std::optional<Kill> kill);
  // Kills a process whose time has come, and notices one that is gone.
  Change look();
  void kill_now();
  void ask_to_stop() const;

  bool running() const { return process_ != nullptr; }
  const std::string& name() const { return name_; }
  // The kill that was ordered for the last process, and whether it came to that point.
  const std::optional<Kill>& ordered() const { return ordered_; }
  bool died_at_its_point() const { return !killed_here_; }
  const integration::Finished& last() const { return last_; }
  // Its command, whether it runs, and what that run has said so far.
  std::string describe() const;

 private:
  std::string name_;
  const integration::Workplace* place_;
  std::vector<std::string> command_;
  std::unique_ptr<integration::Process> process_;
  Clock::time_point started_;
  std::optional<Kill> ordered_;
  bool killed_here_ = false;
  integration::Finished last_;
};

}  // namespace millrace::kafka_testing
