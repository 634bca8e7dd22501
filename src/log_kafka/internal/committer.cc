#include "log_kafka/internal/committer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log_kafka/internal/errors.h"

namespace millrace::log_kafka::internal {
namespace {

// Brokers may be away for long; whoever waits for the outcome decides when to stop.
constexpr Milliseconds kPatience{3'600'000};
constexpr Milliseconds kSlice{100};

}  // namespace

Committer::Committer(Sender& sender, rd_kafka_t* consumer, GroupId group, Mode mode, Wake& wake)
    : sender_(&sender),
      consumer_(consumer),
      group_(std::move(group)),
      mode_(mode),
      wake_(&wake),
      answers_(rd_kafka_queue_new(consumer)),
      thread_([this] { run(); }) {}

Committer::~Committer() { stop(); }

void Committer::stop() {
  sender_->give_up();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Committer::use(rd_kafka_t* consumer) {
  const std::lock_guard lock(mutex_);
  CHECK(!asked_);
  consumer_ = consumer;
  answers_.reset(consumer == nullptr ? nullptr : rd_kafka_queue_new(consumer));
  unanswered_ = 0;
}

void Committer::pass(const rd_kafka_topic_partition_list_t& positions) { (void)store(positions); }

bool Committer::wait_until_passed(SteadyTime give_up_at) {
  return answer_to_store(give_up_at).has_value();
}

rd_kafka_resp_err_t Committer::store(const rd_kafka_topic_partition_list_t& positions) {
  const auto error = rd_kafka_commit_queue(consumer_, &positions, answers_.get(), nullptr, nullptr);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) ++unanswered_;
  return error;
}

std::optional<rd_kafka_resp_err_t> Committer::answer_to_store(SteadyTime give_up_at) {
  rd_kafka_resp_err_t last = RD_KAFKA_RESP_ERR_NO_ERROR;
  while (unanswered_ > 0) {
    const bool is_over = sender_->has_given_up() || sender_->clock().steady() >= give_up_at;
    const EventPtr event(
        rd_kafka_queue_poll(answers_.get(), is_over ? 0 : static_cast<int>(kSlice.count())));
    if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_OFFSET_COMMIT) {
      --unanswered_;
      last = rd_kafka_event_error(event.get());
    } else if (is_over) {
      return std::nullopt;
    }
  }
  return last;
}

void Committer::ask(std::vector<log::Position> positions) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!asked_ && !outcome_);
    // As of now: a generation that ends before the commit does makes it fail.
    membership_.reset(rd_kafka_consumer_group_metadata(consumer_));
    asked_ = std::move(positions);
  }
  changed_.notify_all();
}

std::optional<log::CommitOutcome> Committer::take_outcome() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outcome_, std::nullopt);
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || asked_; });
    if (stopping_) return;
    const std::vector<log::Position> positions = *asked_;
    lock.unlock();
    log::CommitOutcome outcome = commit(positions);
    lock.lock();
    asked_.reset();
    outcome_ = std::move(outcome);
    wake_->notify();
  }
}

log::CommitOutcome Committer::commit(const std::vector<log::Position>& positions) {
  // The library sends what was not answered again, and would do so behind this commit.
  if (!answer_to_store(sender_->clock().steady() + kPatience)) {
    return {log::CommitResult::kUnknown, "the group's coordinator does not answer"};
  }
  if (mode_ == Mode::kApart) return commit_apart(positions);
  return sender_->commit(group_, positions, membership_.get(), kPatience);
}

log::CommitOutcome Committer::commit_apart(const std::vector<log::Position>& positions) {
  log::CommitOutcome flushed = sender_->flush(kPatience);
  if (flushed.result != log::CommitResult::kCommitted || positions.empty()) return flushed;
  const ListPtr list = new_list(positions.size());
  for (const log::Position& position : positions)
    add(*list, position.source, position.next.value());
  auto error = store(*list);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto answer = answer_to_store(sender_->clock().steady() + kPatience);
    if (!answer) return {log::CommitResult::kUnknown, "the positions are not acknowledged"};
    error = *answer;
  }
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return flushed;
  // Outputs are there, positions are not: done again, which at-least-once allows.
  return {log::CommitResult::kAborted,
          std::string("positions were not stored: ") + rd_kafka_err2str(error)};
}

}  // namespace millrace::log_kafka::internal
