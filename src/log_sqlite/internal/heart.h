// Heartbeats of the members that live in this process, written into their slots' lock files by one
// thread: no write to the database, nothing to sync.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/time.h"
#include "env/file.h"

namespace millrace::log_sqlite::internal {

// Thread-safe. The thread starts with the first member.
class Heart {
 public:
  static constexpr Milliseconds kInterval{1'000};

  Heart() = default;
  ~Heart();
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;

  // Beats into the lock file until this goes; must go before the Heart.
  class Beating {
   public:
    Beating(Heart& heart, std::uint64_t key) : heart_(&heart), key_(key) {}
    Beating(Beating&& other) noexcept : heart_(other.heart_), key_(other.key_) {
      other.heart_ = nullptr;
    }
    Beating& operator=(Beating&&) = delete;
    Beating(const Beating&) = delete;
    Beating& operator=(const Beating&) = delete;
    ~Beating();

   private:
    Heart* heart_;
    std::uint64_t key_;
  };
  // The first beat is there when it returns. Beats at least four times a `session_timeout`.
  Result<Beating> beat(std::shared_ptr<env::FileLock> slot, Milliseconds session_timeout);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::uint64_t, std::shared_ptr<env::FileLock>> slots_;
  std::uint64_t next_key_ = 0;
  Milliseconds interval_ = kInterval;
  bool stop_ = false;
  std::thread thread_;
};

// The last heartbeat in a slot's lock file, in milliseconds since this boot; nullopt when there is
// none of this boot.
std::optional<std::int64_t> last_heartbeat_ms(const env::Path& slot_file);

}  // namespace millrace::log_sqlite::internal
