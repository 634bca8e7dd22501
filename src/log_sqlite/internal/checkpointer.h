// Moves pages from the WAL into the file in the background, so that commits do not wait for it and
// the WAL stays small.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "env/file.h"
#include "log_sqlite/internal/database.h"

namespace millrace::log_sqlite::internal {

// Thread-safe. The thread starts with the first WAL that is worth it.
class Checkpointer {
 public:
  // From this length on pages are moved beside the writers ...
  static constexpr int kPassivePages = 512;  // 8 MiB
  // ... and from this one on writers wait until the rest is moved and the WAL begins anew.
  static constexpr int kRestartPages = 2048;  // 32 MiB
  // Beyond this length, when the thread does not get to run, each commit waits for it: at most so
  // long, since it may be a reader, or a full disk, that keeps it.
  static constexpr int kHoldPages = 4096;  // 64 MiB
  static constexpr Milliseconds kHoldMax{100};

  Checkpointer(env::Path file, SqliteLogOptions::Synchronous synchronous)
      : file_(std::move(file)), synchronous_(synchronous) {}
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // After a commit that left `pages` in the WAL.
  void note(int pages);

 private:
  void run();
  Status checkpoint(Database& database);

  const env::Path file_;
  const SqliteLogOptions::Synchronous synchronous_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::uint64_t rounds_ = 0;  // of run(), successful or not
  int pages_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace millrace::log_sqlite::internal
