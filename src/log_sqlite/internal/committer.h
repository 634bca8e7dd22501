// Commits of a consumer beside the thread that polls: the disk syncs while the next batch is read
// and scored.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "log/log.h"
#include "log_sqlite/internal/batch_writer.h"
#include "log_sqlite/internal/log_file.h"
#include "log_sqlite/internal/membership.h"
#include "log_sqlite/internal/waiter.h"

namespace millrace::log_sqlite::internal {

// One commit at a time, on a connection of its own. From ask() until take_outcome() gives the
// outcome the writer is the committer's; the other calls belong to the consumer's thread.
class Committer {
 public:
  enum class Mode { kTogether, kApart };  // exactly once; outputs first, then positions

  struct Advance {
    std::int64_t partition = 0;  // row
    log::TopicPartition source;
    Offset next;
  };

  // All must outlive the committer. `waiter` is told of each outcome.
  Committer(LogFile& log, std::unique_ptr<Database> database, BatchWriter& writer,
            Membership& member, Mode mode, Waiter& waiter);
  // Waits for a commit in flight.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void ask(std::vector<Advance> positions);
  std::optional<log::CommitOutcome> take_outcome();

 private:
  using Advances = std::vector<Advance>;
  void run();
  log::CommitOutcome commit(const Advances& positions);
  Result<log::CommitOutcome> commit_together(const Advances& positions);
  Result<log::CommitOutcome> commit_apart(const Advances& positions);
  // Why nothing may be committed, if so; inside the write scope.
  Result<std::optional<log::CommitOutcome>> refusal(const Advances& positions);
  Status write_positions(const Advances& positions);
  Result<log::CommitOutcome> finish(Scope& scope);

  LogFile* log_;
  std::unique_ptr<Database> database_;
  BatchWriter* writer_;
  Membership* member_;
  const Mode mode_;
  Waiter* waiter_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::optional<Advances> asked_;
  std::optional<log::CommitOutcome> outcome_;
  std::thread thread_;
};

// The outcome of a commit for a partition that is no longer ours.
log::CommitOutcome gone_to_another(const log::TopicPartition& source);

}  // namespace millrace::log_sqlite::internal
