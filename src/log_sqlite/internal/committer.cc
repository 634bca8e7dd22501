#include "log_sqlite/internal/committer.h"

#include <utility>

#include "base/check.h"
#include "env/crash_point.h"

namespace millrace::log_sqlite::internal {

using log::CommitOutcome;
using log::CommitResult;

Committer::Committer(LogFile& log, std::unique_ptr<Database> database, BatchWriter& writer,
                     Membership& member, Mode mode, Waiter& waiter)
    : log_(&log),
      database_(std::move(database)),
      writer_(&writer),
      member_(&member),
      mode_(mode),
      waiter_(&waiter),
      thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Committer::ask(std::vector<Advance> positions) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!asked_ && !outcome_);
    asked_ = std::move(positions);
  }
  changed_.notify_all();
}

std::optional<CommitOutcome> Committer::take_outcome() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outcome_, std::nullopt);
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || asked_; });
    if (!asked_) return;
    const Advances positions = std::move(*asked_);
    lock.unlock();
    CommitOutcome outcome = commit(positions);
    lock.lock();
    asked_.reset();
    outcome_ = std::move(outcome);
    waiter_->notify();
  }
}

CommitOutcome Committer::commit(const Advances& positions) {
  writer_->seal();
  Result<CommitOutcome> outcome =
      mode_ == Mode::kTogether ? commit_together(positions) : commit_apart(positions);
  writer_->clear();
  if (outcome) return std::move(*outcome);
  return {CommitResult::kAborted, outcome.error().message(), outcome.error().code()};
}

Result<CommitOutcome> Committer::commit_together(const Advances& positions) {
  MILLRACE_TRY(log_->check_not_swapped());
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(auto refused, refusal(positions));
  if (refused) return std::move(*refused);
  MILLRACE_TRY(writer_->write(*database_));
  env::crash_point("log.in_transaction");
  MILLRACE_TRY(write_positions(positions));
  return finish(scope);
}

Result<CommitOutcome> Committer::commit_apart(const Advances& positions) {
  MILLRACE_TRY(log_->check_not_swapped());
  if (!writer_->empty()) {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
    MILLRACE_ASSIGN(auto refused, refusal(positions));
    if (refused) return std::move(*refused);
    MILLRACE_TRY(writer_->write(*database_));
    env::crash_point("log.in_transaction");
    MILLRACE_ASSIGN(CommitOutcome outcome, finish(scope));
    if (outcome.result != CommitResult::kCommitted) return outcome;
  }
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(auto refused, refusal(positions));
  if (refused) return std::move(*refused);
  MILLRACE_TRY(write_positions(positions));
  return finish(scope);
}

Result<std::optional<CommitOutcome>> Committer::refusal(const Advances& positions) {
  Status member = member_->check_member(*database_);
  if (!member && member.error().code() == ErrorCode::kFenced) {
    return std::optional(CommitOutcome{CommitResult::kFenced, member.error().message()});
  }
  if (!member) return member.error();
  for (const Advance& position : positions) {
    MILLRACE_ASSIGN(const bool ours, member_->owns(*database_, position.partition));
    if (!ours) return std::optional(gone_to_another(position.source));
  }
  return std::optional<CommitOutcome>();
}

Status Committer::write_positions(const Advances& positions) {
  for (const Advance& position : positions) {
    MILLRACE_TRY(put_position(*database_, member_->group(), position.partition, position.next));
  }
  return {};
}

Result<CommitOutcome> Committer::finish(Scope& scope) {
  env::crash_point("log.before_log_commit");
  Status committed = scope.commit();
  if (!committed && database_->failed_in_sync()) {
    // The pages are written, and whether they reach the disk is anybody's guess.
    return CommitOutcome{CommitResult::kUnknown, committed.error().message()};
  }
  if (!committed) return committed.error();
  env::crash_point("log.after_log_commit");
  return CommitOutcome{};
}

CommitOutcome gone_to_another(const log::TopicPartition& source) {
  return {CommitResult::kAborted, "partition " + std::to_string(source.partition.value()) +
                                      " of topic '" + source.topic.value() +
                                      "' has gone to another member of the group"};
}

}  // namespace millrace::log_sqlite::internal
