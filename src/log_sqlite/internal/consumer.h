// The consumer of the embedded log: a member of a group that reads, and commits what it wrote
// together with how far it read.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"
#include "log_sqlite/internal/batch_writer.h"
#include "log_sqlite/internal/committer.h"
#include "log_sqlite/internal/log_file.h"
#include "log_sqlite/internal/membership.h"
#include "log_sqlite/internal/partition_reader.h"
#include "log_sqlite/internal/waiter.h"

namespace millrace::log_sqlite::internal {

class SqliteConsumer final : public log::Consumer {
 public:
  static Result<std::unique_ptr<log::Consumer>> open(LogFile& log,
                                                     const log::ConsumerOptions& options);
  ~SqliteConsumer() override;

  Result<log::Event> poll(SteadyTime until) override;
  void interrupt() override { waiter_.interrupt(); }
  void wake_on(int descriptor) override { waiter_.wake_on(descriptor); }
  bool caught_up(const log::TopicPartition& source) const override;
  std::vector<log::TopicPartition> assigned() const override;
  Status pause(const log::TopicPartition& source) override;
  Status resume(const log::TopicPartition& source) override;
  Status seek(const log::TopicPartition& source, Offset position) override;
  Result<std::map<log::TopicPartition, Offset>> end_offsets() override;
  Result<std::map<log::TopicPartition, Offset>> offsets_for_time(Timestamp time) override;
  Status release(const log::TopicPartition& source) override;
  log::Transaction& transaction() override { return transaction_; }
  std::string member_id() const override { return member_->id(); }
  Status close() override;

 private:
  class GroupTransaction final : public log::Transaction {
   public:
    explicit GroupTransaction(SqliteConsumer& consumer) : consumer_(&consumer) {}
    Result<log::TopicHandle> open_topic(const TopicName& topic) override;
    Status append(log::TopicHandle topic, const log::NewRecord& record) override;
    Status commit(const std::vector<log::Position>& positions) override;
    Status abort() override;

   private:
    SqliteConsumer* consumer_;
  };

  struct Partition {
    std::int64_t row = 0;
    Offset position;   // next to hand out
    Offset rewind_to;  // where it stands in the log's eyes: committed, or where it began
    Offset begin;
    Offset end;
    bool paused = false;
    bool revoked = false;
    PartitionReader reader;
  };
  using Partitions = std::map<log::TopicPartition, Partition>;

  SqliteConsumer(LogFile& log, std::unique_ptr<Database> database,
                 const log::ConsumerOptions& options);

  // Takes up what others committed: owners, ends. Fills events_.
  Status refresh();
  Status refresh_owned(const std::vector<Membership::Owned>& owned);
  Status take_up(const Membership::Owned& owned, log::Assigned& assigned);
  Status refresh_ends();
  // Stores where partitions begin that were taken up "from the latest" or "from a time".
  Status store_starts();
  Result<Offset> start_of(const PartitionRow& row, const log::TopicPartition& source);
  Result<std::optional<log::Batch>> next_batch();
  void rewind();
  Result<Partition*> find(const log::TopicPartition& source);
  Partition* owner_row(const log::TopicPartition& source);

  void commit(std::vector<log::Position> positions);
  // The outcome of the commit in flight, once it is there.
  std::optional<log::CommitOutcome> take_outcome();

  LogFile* log_;
  std::unique_ptr<Database> database_;
  const log::ConsumerOptions options_;
  Waiter waiter_;
  BatchWriter writer_;
  GroupTransaction transaction_;
  std::unique_ptr<Membership> member_;
  std::unique_ptr<Committer> committer_;
  Partitions partitions_;
  std::deque<log::Event> events_;
  // What a commit in flight will make the committed positions.
  std::optional<std::vector<log::Position>> in_flight_;
  bool handed_ahead_ = false;                  // the one batch beside it
  std::optional<log::CommitOutcome> refused_;  // without asking the file
  std::optional<Error> fenced_;
  std::vector<log::TopicPartition> new_starts_;
  std::vector<std::int64_t> unbegun_;  // partition rows that another wants and we never took up
  log::TopicPartition last_served_;
  std::int64_t seen_version_ = -1;
  bool stale_ = true;  // a change of our own, which data_version does not show
  bool closed_ = false;
};

}  // namespace millrace::log_sqlite::internal
