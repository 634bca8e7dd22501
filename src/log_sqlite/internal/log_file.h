// What the parts of one open log share: the file and its identity, new connections to it, the
// checkpointer, and the word to other processes that something was committed.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "env/clock.h"
#include "env/file.h"
#include "log_sqlite/internal/checkpointer.h"
#include "log_sqlite/internal/database.h"
#include "log_sqlite/internal/heart.h"
#include "log_sqlite/internal/schema.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::log_sqlite::internal {

// Thread-safe. Must outlive every connection it made.
class LogFile {
 public:
  static Result<std::unique_ptr<LogFile>> open(const SqliteLogOptions& options, env::Clock& clock);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // A connection of its own; its commits are announced.
  Result<std::unique_ptr<Database>> connect();
  // The last failure of the disk (full, or failing) that no commit of this process has followed.
  Status reachable() const;
  // kIo when the file at the path is no longer the one that was opened.
  Status check_not_swapped() const;

  const env::Path& file() const { return options_.file; }
  const LogIdentity& identity() const { return identity_; }
  env::Clock& clock() const { return *clock_; }
  Heart& heart() { return heart_; }
  // Folder of lock files beside the log, "<file>.locks".
  const env::Path& locks() const { return locks_; }
  // Written to after every commit, for inotify; its content means nothing.
  env::Path news_file() const { return locks_ / "news"; }

 private:
  LogFile(SqliteLogOptions options, env::Clock& clock);
  static void after_commit(void* self, int pages);
  static void on_error(void* self, const Error& error);

  const SqliteLogOptions options_;
  env::Clock* clock_;
  env::Path locks_;
  LogIdentity identity_;
  int news_ = -1;
  std::atomic<bool> troubled_{false};  // spares commits the lock
  mutable std::mutex trouble_mutex_;
  std::optional<Error> trouble_;
  Checkpointer checkpointer_;
  Heart heart_;
  // Kept open so that SQLite does not remove and make the WAL anew between short-lived ones.
  std::unique_ptr<Database> anchor_;
};

}  // namespace millrace::log_sqlite::internal
