// The storage of a MemoryLog, shared by its parts.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "env/clock.h"
#include "log/log.h"
#include "log/testing/memory_log.h"

namespace millrace::log::testing {

struct StoredRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  Timestamp timestamp;
  std::size_t bytes = 0;
};

struct MemoryPartition {
  Offset begin;
  std::deque<StoredRecord> records;  // from `begin` on
  Offset end() const { return begin.plus(static_cast<std::int64_t>(records.size())); }
  Offset first_at_or_after(Timestamp time) const;
};

struct MemoryTopic {
  TopicName name;
  std::string incarnation;
  TopicConfig config;
  Timestamp created;
  std::vector<MemoryPartition> partitions;
  bool deleted = false;
};

struct MemoryMember {
  std::string id;
  std::int64_t slot = 0;
  std::vector<TopicName> topics;
  Milliseconds session_timeout{0};
};

struct MemoryGroup {
  struct Ownership {
    std::int64_t owner = 0;   // epoch
    std::int64_t wanted = 0;  // epoch
    SteadyTime since{};       // when they became different
  };
  std::map<TopicPartition, Offset> positions;
  std::map<std::int64_t, MemoryMember> members;  // by epoch
  std::map<TopicPartition, Ownership> ownership;
  std::int64_t last_epoch = 0;
};

// Everything but `mutex` and `clock` is guarded by `mutex`.
struct MemoryState {
  explicit MemoryState(env::Clock& the_clock) : clock(&the_clock) {}

  // These expect the mutex to be held.
  Result<std::shared_ptr<MemoryTopic>> find(const TopicName& name) const;
  void rebalance(MemoryGroup& group) const;
  void wake_all() const;

  std::mutex mutex;
  env::Clock* clock;
  std::map<TopicName, std::shared_ptr<MemoryTopic>> topics;
  std::map<GroupId, MemoryGroup> groups;
  std::map<std::pair<std::string, std::string>, RowNumber> producers;  // resume id, incarnation
  std::set<std::string> live_producers;
  std::set<int> waiting;  // eventfds of consumers and readers
  std::int64_t incarnations = 0;

  struct Fault {
    CommitResult result = CommitResult::kCommitted;
    MemoryLog::Effect effect = MemoryLog::Effect::kNothing;
  };
  // The fault that is due now, if any; counts.
  std::optional<Fault> next_fault();
  std::optional<Error> next_request_fault();
  std::map<std::size_t, Fault> faults;  // by number of commit
  std::map<std::size_t, Error> request_faults;
  std::size_t commits = 0;
  std::size_t requests = 0;
};

// Records on their way into a MemoryLog.
class MemoryAppender {
 public:
  explicit MemoryAppender(std::shared_ptr<MemoryState> state) : state_(std::move(state)) {}
  Result<TopicHandle> open_topic(const TopicName& name);
  Status append(TopicHandle handle, const NewRecord& record);
  // The mutex is held; kUnknownTopic when a topic was deleted meanwhile, and nothing is written.
  Status write();
  void clear() { pending_.clear(); }

 private:
  struct Open {
    std::shared_ptr<MemoryTopic> topic;
    std::uint32_t turn = 0;
  };
  struct Pending {
    std::shared_ptr<MemoryTopic> topic;
    std::size_t partition = 0;
    StoredRecord record;
  };
  std::shared_ptr<MemoryState> state_;
  std::vector<Open> topics_;
  std::vector<Pending> pending_;
};

// Waits for a change of the state.
class MemoryWaiter {
 public:
  explicit MemoryWaiter(std::shared_ptr<MemoryState> state);
  ~MemoryWaiter();
  MemoryWaiter(const MemoryWaiter&) = delete;
  MemoryWaiter& operator=(const MemoryWaiter&) = delete;

  // True when asked to stop waiting, by interrupt() or the descriptor.
  bool wait(SteadyTime until);
  void interrupt();
  bool take_interrupt() { return interrupted_.exchange(false); }
  void wake_on(int descriptor) { wake_ = descriptor; }

 private:
  std::shared_ptr<MemoryState> state_;
  std::atomic<bool> interrupted_{false};
  int event_;
  int wake_ = -1;
};

// Records of a partition from `from` (begin <= from < end) on, into an empty batch. The mutex is
// held.
void fill_batch(const MemoryPartition& partition, const TopicPartition& source, Offset from,
                std::size_t records_max, std::size_t bytes_max, Batch& out);

Result<std::unique_ptr<Consumer>> open_memory_consumer(std::shared_ptr<MemoryState> state,
                                                       const ConsumerOptions& options);
std::unique_ptr<Admin> make_memory_admin(std::shared_ptr<MemoryState> state);

}  // namespace millrace::log::testing
