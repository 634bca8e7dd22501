// The consumer on Kafka: a static member of a group that reads, and commits what it wrote together
// with how far it read.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"
#include "log_kafka/internal/client.h"
#include "log_kafka/internal/committer.h"
#include "log_kafka/internal/feed.h"
#include "log_kafka/internal/fetch_wake.h"
#include "log_kafka/internal/pulse.h"
#include "log_kafka/internal/sender.h"
#include "log_kafka/internal/slot.h"
#include "log_kafka/internal/wake.h"

namespace millrace::log_kafka::internal {

class KafkaConsumer final : public log::Consumer {
 public:
  static Result<std::unique_ptr<log::Consumer>> open(Client& client,
                                                     const log::ConsumerOptions& given);
  ~KafkaConsumer() override;

  Result<log::Event> poll(SteadyTime until) override;
  void interrupt() override { wake_.interrupt(); }
  void wake_on(int descriptor) override { wake_.watch(descriptor); }
  bool caught_up(const log::TopicPartition& source) const override;
  std::vector<log::TopicPartition> assigned() const override;
  Status pause(const log::TopicPartition& source) override;
  Status resume(const log::TopicPartition& source) override;
  Status seek(const log::TopicPartition& source, Offset position) override;
  Result<std::map<log::TopicPartition, Offset>> end_offsets() override;
  Result<std::map<log::TopicPartition, Offset>> offsets_for_time(Timestamp time) override;
  Status release(const log::TopicPartition& source) override;
  log::Transaction& transaction() override { return transaction_; }
  std::string member_id() const override { return slot_.member_id; }
  Status close() override;

 private:
  class GroupTransaction final : public log::Transaction {
   public:
    explicit GroupTransaction(KafkaConsumer& consumer) : consumer_(&consumer) {}
    Result<log::TopicHandle> open_topic(const TopicName& topic) override;
    Status append(log::TopicHandle topic, const log::NewRecord& record) override;
    Status commit(const std::vector<log::Position>& positions) override;
    Status abort() override;

   private:
    KafkaConsumer* consumer_;
  };

  struct Partition {
    Feed feed;
    Offset rewind_to;  // committed, or where it began
    Offset end;        // as last known
    bool paused = false;
  };
  using Partitions = std::map<log::TopicPartition, Partition>;

  KafkaConsumer(Client& client, const log::ConsumerOptions& options, Slot slot);
  Status start();

  Status make_handle();
  Status subscribe();
  Status take_name_back();
  // Librdkafka's group queue: rebalances, errors.
  Status serve_group();
  void on_rebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions);
  void on_revoked();
  void forget_assignment();
  void drop_assignment();  // also in the client
  // Takes up what the group gave us; leaves it pending where the brokers do not answer.
  Status take_up();
  Result<std::map<log::TopicPartition, Offset>> starts_of(
      const std::vector<log::TopicPartition>& sources);
  Status store_starts(const std::map<log::TopicPartition, Offset>& starts);
  FeedLimits feed_limits() const;

  Status on_feed_error(const log::TopicPartition& source, Partition& partition,
                       rd_kafka_resp_err_t error);
  Result<std::optional<log::Batch>> next_batch();
  Status skip_gap(const log::TopicPartition& source, Partition& partition);
  Status assign_again();
  enum class Patience { kNone, kWait };
  void pass_markers(Patience patience);
  std::optional<log::CommitOutcome> take_outcome();
  Status move_to(const log::TopicPartition& source, Partition& partition, Offset position);
  Status rewind();
  Result<Partition*> find(const log::TopicPartition& source);

  Status commit(const std::vector<log::Position>& positions);

  Client* client_;
  const log::ConsumerOptions options_;
  const Milliseconds poll_interval_;
  const Milliseconds heartbeat_;
  Slot slot_;
  Wake wake_;
  Client::Hooks hooks_;
  HandlePtr handle_;
  WakingQueuePtr group_queue_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<Committer> committer_;
  Pulse pulse_;
  GroupTransaction transaction_;
  Partitions partitions_;
  ListPtr pending_assignment_;
  std::int64_t queue_kbytes_ = 0;  // of each partition
  bool name_is_taken_ = false;     // by another, so that the handle is of no use any more
  SteadyTime name_taken_{};        // last
  int taken_back_ = 0;
  bool revoking_ = false;
  std::vector<log::TopicPartition> unreleased_;
  std::deque<log::Event> events_;
  SteadyTime passed_{};  // when markers were last stored as consumed
  bool in_flight_ = false;
  bool handed_ahead_ = false;         // a batch, while a commit is in flight
  std::vector<log::Position> asked_;  // positions of the commit in flight
  std::optional<log::CommitOutcome> refused_;
  std::optional<Error> fatal_;
  log::TopicPartition last_served_;
  bool served_ = false;  // a batch, ever
  FetchWake fetch_wake_;
  bool closed_ = false;
};

}  // namespace millrace::log_kafka::internal
