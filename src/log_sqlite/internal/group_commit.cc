// The committing half of SqliteConsumer.
#include <utility>

#include "base/check.h"
#include "env/crash_point.h"
#include "log_sqlite/internal/consumer.h"

namespace millrace::log_sqlite::internal {

using log::CommitOutcome;
using log::CommitResult;

Result<log::TopicHandle> SqliteConsumer::GroupTransaction::open_topic(const TopicName& topic) {
  return consumer_->writer_.open_topic(topic);
}

Status SqliteConsumer::GroupTransaction::append(log::TopicHandle topic,
                                                const log::NewRecord& record) {
  CHECK(!consumer_->outcome_);
  return consumer_->writer_.append(topic, record);
}

Status SqliteConsumer::GroupTransaction::commit(const std::vector<log::Position>& positions) {
  return consumer_->commit(positions);
}

Status SqliteConsumer::GroupTransaction::abort() {
  CHECK(!consumer_->outcome_);
  consumer_->writer_.clear();
  consumer_->rewind();
  return {};
}

Status SqliteConsumer::commit(const std::vector<log::Position>& positions) {
  CHECK(!outcome_ && !closed_);
  if (fenced_) {
    outcome_ = CommitOutcome{CommitResult::kFenced, fenced_->message()};
    return {};
  }
  writer_.seal();
  MILLRACE_ASSIGN(CommitOutcome outcome,
                  options_.exactly_once ? commit_together(positions) : commit_apart(positions));
  writer_.clear();
  stale_ = true;
  if (outcome.result == CommitResult::kCommitted) {
    for (const log::Position& position : positions) {
      partitions_.at(position.source).rewind_to = position.next;
    }
  } else {
    rewind();
  }
  if (outcome.result == CommitResult::kFenced && !fenced_) {
    fenced_ = Error(ErrorCode::kFenced, outcome.reason);
  }
  outcome_ = std::move(outcome);
  return {};
}

Result<CommitOutcome> SqliteConsumer::commit_together(const std::vector<log::Position>& positions) {
  MILLRACE_TRY(log_->check_not_swapped());
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(auto refused, refusal(positions));
  if (refused) return std::move(*refused);
  MILLRACE_TRY(writer_.write());
  env::crash_point("log.in_transaction");
  MILLRACE_TRY(write_positions(positions));
  return finish(scope);
}

Result<CommitOutcome> SqliteConsumer::commit_apart(const std::vector<log::Position>& positions) {
  MILLRACE_TRY(log_->check_not_swapped());
  if (!writer_.empty()) {
    MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
    MILLRACE_ASSIGN(auto refused, refusal(positions));
    if (refused) return std::move(*refused);
    MILLRACE_TRY(writer_.write());
    env::crash_point("log.in_transaction");
    MILLRACE_ASSIGN(CommitOutcome outcome, finish(scope));
    if (outcome.result != CommitResult::kCommitted) return outcome;
    // Written for good: should the positions fail, asking again must not write them twice.
    writer_.clear();
  }
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_ASSIGN(auto refused, refusal(positions));
  if (refused) return std::move(*refused);
  MILLRACE_TRY(write_positions(positions));
  return finish(scope);
}

Result<std::optional<CommitOutcome>> SqliteConsumer::refusal(
    const std::vector<log::Position>& positions) {
  Status member = member_->check_member();
  if (!member && member.error().code() == ErrorCode::kFenced) {
    return std::optional(CommitOutcome{CommitResult::kFenced, member.error().message()});
  }
  if (!member) return member.error();
  for (const log::Position& position : positions) {
    const auto found = partitions_.find(position.source);
    bool ours = found != partitions_.end();
    if (ours) {
      MILLRACE_ASSIGN(ours, member_->owns(found->second.row));
    }
    if (!ours) {
      return std::optional(CommitOutcome{
          CommitResult::kAborted, "partition " + std::to_string(position.source.partition.value()) +
                                      " of topic '" + position.source.topic.value() +
                                      "' has gone to another member of the group"});
    }
  }
  return std::optional<CommitOutcome>();
}

Status SqliteConsumer::write_positions(const std::vector<log::Position>& positions) {
  for (const log::Position& position : positions) {
    const Partition& partition = partitions_.at(position.source);
    CHECK(position.next <= partition.end);
    MILLRACE_TRY(put_position(*database_, member_->group(), partition.row, position.next));
  }
  return {};
}

Result<CommitOutcome> SqliteConsumer::finish(Scope& scope) {
  env::crash_point("log.before_log_commit");
  Status committed = scope.commit();
  if (!committed && database_->failed_in_sync()) {
    // The pages are written, and whether they reach the disk is anybody's guess.
    return CommitOutcome{CommitResult::kUnknown, committed.error().message()};
  }
  if (!committed) return committed.error();
  env::crash_point("log.after_log_commit");
  return CommitOutcome{CommitResult::kCommitted, ""};
}

}  // namespace millrace::log_sqlite::internal
