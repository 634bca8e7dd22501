// Commits beside the thread that polls.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "log/log.h"
#include "log_kafka/internal/sender.h"
#include "log_kafka/internal/wake.h"

namespace millrace::log_kafka::internal {

// One commit at a time: while it is in flight the sender is the committer's.
class Committer {
 public:
  enum class Mode { kTogether, kApart };  // exactly once; acknowledged first, then positions

  // All must outlive the committer. `consumer` stores positions with kApart.
  Committer(Sender& sender, rd_kafka_t* consumer, GroupId group, Mode mode, Wake& wake);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // In place of the consumer so far, while no commit is in flight. Null before one is destroyed.
  void use(rd_kafka_t* consumer);
  // Stores positions that no outputs belong to, while no commit is in flight, and does not wait.
  // The next commit does: its positions must be the last that the group's coordinator gets to see.
  void pass(const rd_kafka_topic_partition_list_t& positions);
  // Whether the answers to pass() are there; at most until `give_up_at`.
  bool has_passed() { return wait_until_passed(SteadyTime{}); }
  bool wait_until_passed(SteadyTime give_up_at);
  void ask(std::vector<log::Position> positions);
  std::optional<log::CommitOutcome> take_outcome();
  // Ends a commit that waits for brokers, and the thread.
  void stop();

 private:
  void run();
  log::CommitOutcome commit(const std::vector<log::Position>& positions);
  log::CommitOutcome commit_apart(const std::vector<log::Position>& positions);
  rd_kafka_resp_err_t store(const rd_kafka_topic_partition_list_t& positions);
  // Until every answer to store() is there, the last of which it gives; nothing where waiting is
  // over before.
  std::optional<rd_kafka_resp_err_t> answer_to_store(SteadyTime give_up_at);

  Sender* sender_;
  rd_kafka_t* consumer_;
  GroupId group_;
  Mode mode_;
  Wake* wake_;
  // Of whoever may commit: the polling thread, or run() while a commit is in flight.
  QueuePtr answers_;
  int unanswered_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::optional<std::vector<log::Position>> asked_;
  GroupMetadataPtr membership_;
  std::optional<log::CommitOutcome> outcome_;
  std::thread thread_;
};

}  // namespace millrace::log_kafka::internal
