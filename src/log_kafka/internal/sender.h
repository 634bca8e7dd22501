// What appends and commits: one producing client, rebuilt where it cannot go on.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"
#include "log_kafka/internal/client.h"
#include "log_kafka/internal/handles.h"

namespace millrace::log_kafka::internal {

struct SenderOptions {
  // With an id what lies between two commits is one transaction, and whoever used the id before is
  // fenced. Without, records are sent as they come, each once and in order.
  std::string transactional_id;
  // The longest time between two commits.
  Milliseconds commit_interval{0};
};

// One thread at a time; give_up() may be called by any.
class Sender {
 public:
  // Errors: kUnavailable, kPermission.
  static Result<std::unique_ptr<Sender>> open(Client& client, SenderOptions options);
  ~Sender();

  Result<log::TopicHandle> open_topic(const TopicName& topic);
  // As log::Appender::append(). What can only be aborted already is taken and dropped: commit()
  // will say so.
  Status append(log::TopicHandle handle, const log::NewRecord& record);

  // Commits what was appended, and positions of `group` with it, waiting for as long as brokers are
  // away but at most `patience`. After kAborted the sender is ready for the next transaction.
  // kUnknown: `patience` is over, or give_up() was called.
  log::CommitOutcome commit(const GroupId& group, const std::vector<log::Position>& positions,
                            const rd_kafka_consumer_group_metadata_t* membership,
                            Milliseconds patience);
  // Without transactions: waits until all that was appended is acknowledged.
  log::CommitOutcome flush(Milliseconds patience);
  // Drops what was appended since the last commit.
  Status abort(Milliseconds patience);
  // Without transactions records wait for company, which costs nothing while more are on their way.
  // When what waits should be sent although nothing follows; max() where nothing waits, where a
  // commit sends it, or where the user set how long (linger.ms).
  SteadyTime push_at() const;
  // Sends what waits; blocks for a millisecond at most.
  void push();
  bool has_uncommitted() const { return begun_ || uncommitted_; }
  // Why nothing can be written any more, which doing it again would not change: a topic that is
  // gone (kUnknownTopic), or a right that is missing (kPermission). To be asked when a commit
  // failed.
  Status usable() const;
  // Ends waiting, for good.
  void give_up() { given_up_ = true; }
  bool has_given_up() const { return given_up_; }
  env::Clock& clock() const { return client_->clock(); }
  // Lets the client's callbacks run.
  void serve();

 private:
  struct Topic {
    TopicName name;
    TopicSizes sizes;
    TopicPtr handle;
    std::uint32_t turn = 0;
  };
  enum class Step { kDone, kAbort, kRebuild, kRefused, kPatience };

  Sender(Client& client, SenderOptions options);
  bool transactional() const { return !options_.transactional_id.empty(); }
  Status build(SteadyTime give_up_at);
  Status begin();
  bool drain(SteadyTime until);
  Status send(Topic& topic, const log::NewRecord& record, PartitionId partition);
  // Asks again for as long as the answer may change.
  template <class Ask>
  Step insist(Ask ask, SteadyTime give_up_at, std::string& reason);
  Step send_positions(const std::vector<log::Position>& positions,
                      const rd_kafka_consumer_group_metadata_t* membership, SteadyTime give_up_at,
                      std::string& reason);
  log::CommitOutcome settle(Step step, std::string reason, const GroupId& group,
                            const std::vector<log::Position>& positions, SteadyTime give_up_at);
  bool everything_is_answered();
  bool is_fought_over();
  Step abort_transaction(SteadyTime give_up_at, std::string& reason);
  // After a rebuild the broker has decided: whether it took the positions.
  log::CommitOutcome ask_what_happened(std::string reason, const GroupId& group,
                                       const std::vector<log::Position>& positions,
                                       SteadyTime give_up_at);
  bool waiting_is_over(SteadyTime give_up_at) const;
  rd_kafka_resp_err_t take_cause();
  // After an abort for this cause: whether it would only happen again.
  void look_at_topics(rd_kafka_resp_err_t cause);
  void look_at_sizes();

  Client* client_;
  SenderOptions options_;
  Client::Hooks hooks_;
  HandlePtr handle_;
  std::vector<Topic> topics_;
  bool begun_ = false;
  bool uncommitted_ = false;  // without transactions: appended since the last flush
  bool unpushed_ = false;
  SteadyTime pushed_{};                   // last
  std::optional<std::string> broken_;     // why the transaction can only be aborted
  std::atomic<std::uint64_t> failed_{0};  // deliveries since the writer was made or flushed
  bool unanswered_ = false;               // a request of this transaction may still be on its way
  bool stale_ = false;                    // one of the last transaction may
  std::atomic<rd_kafka_resp_err_t> cause_{RD_KAFKA_RESP_ERR_NO_ERROR};  // the last request's error
  std::atomic<rd_kafka_resp_err_t> delivery_cause_{RD_KAFKA_RESP_ERR_NO_ERROR};  // a record's
  std::optional<Error> unusable_;
  std::atomic<bool> given_up_{false};
  std::vector<SteadyTime> rebuilds_;  // of late
};

}  // namespace millrace::log_kafka::internal
