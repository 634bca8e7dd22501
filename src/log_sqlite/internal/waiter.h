// Waiting for commits of other connections and processes without using the CPU.
#pragma once

#include <atomic>
#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "env/clock.h"
#include "log_sqlite/internal/log_file.h"

namespace millrace::log_sqlite::internal {

// One thread waits; interrupt() and notify() are thread-safe.
class Waiter {
 public:
  // News can be lost (a writer killed between its commit and its word): look at least this often.
  static constexpr Milliseconds kLookAfter{250};
  // Without inotify (its instances are limited per user) news are looked for this often.
  static constexpr Milliseconds kLookWithoutInotify{10};

  explicit Waiter(LogFile& log);
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  enum class Woken {
    kLook,   // something may be new, or it is time to look, or `until` has come
    kAsked,  // by interrupt() or the descriptor
  };
  Woken wait(SteadyTime until);

  void interrupt();
  // Ends a wait in progress, or the next one, with kLook.
  void notify();
  // Whether interrupt() was called since the last call of this.
  bool take_interrupt();
  void wake_on(int descriptor) { wake_ = descriptor; }

 private:
  void drain_event();

  env::Clock* clock_;
  std::atomic<bool> interrupted_{false};
  int event_ = -1;
  int inotify_ = -1;
  int wake_ = -1;
};

}  // namespace millrace::log_sqlite::internal
