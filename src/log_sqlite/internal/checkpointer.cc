#include "log_sqlite/internal/checkpointer.h"

#include <sqlite3.h>

namespace millrace::log_sqlite::internal {

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::note(int pages) {
  if (pages < kPassivePages) return;
  std::unique_lock lock(mutex_);
  pages_ = pages;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  wake_.notify_one();
  if (pages < kHoldPages) return;
  const std::uint64_t round = rounds_;
  done_.wait_for(lock, kHoldMax, [this, round] { return rounds_ != round; });
}

void Checkpointer::run() {
  constexpr std::chrono::seconds kPauseAfterFailure{1};
  // It holds the writers up while it waits for readers, and a reader may be a stopped process.
  constexpr int kBusyWaitMs = 20;
  std::unique_ptr<Database> database;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || pages_ > 0; });
    if (stop_) return;
    pages_ = 0;
    lock.unlock();
    // A failure (a full disk, say) also meets the writers, who report it: here it is only tried
    // again.
    Status done;
    if (!database) {
      auto opened = Database::open(file_, Database::Access::kReadWrite, synchronous_);
      if (opened) {
        database = std::move(*opened);
        sqlite3_busy_timeout(database->handle(), kBusyWaitMs);
      } else {
        done = opened.error();
      }
    }
    if (database) done = checkpoint(*database);
    lock.lock();
    ++rounds_;
    done_.notify_all();
    if (!done) wake_.wait_for(lock, kPauseAfterFailure, [this] { return stop_; });
  }
}

Status Checkpointer::checkpoint(Database& database) {
  int in_wal = 0;
  int moved = 0;
  const int passive = sqlite3_wal_checkpoint_v2(database.handle(), "main",
                                                SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
  if (passive == SQLITE_BUSY) return {};  // another process is at it
  if (passive != SQLITE_OK) return database.error("cannot checkpoint the log");
  if (in_wal < kRestartPages) return {};
  const int restart = sqlite3_wal_checkpoint_v2(database.handle(), "main",
                                                SQLITE_CHECKPOINT_RESTART, &in_wal, &moved);
  return restart == SQLITE_OK ? Status() : database.error("cannot checkpoint the log");
}

}  // namespace millrace::log_sqlite::internal
