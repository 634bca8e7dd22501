// The seam everything rests on: a log of topics and partitions with consumer groups and
// transactions. Designed for Kafka's semantics, which are the stricter; log_sqlite, log_kafka and
// testing/memory_log.h implement it, and the conformance suite (testing/conformance.h) is its
// definition.
//
// Thread-safety: a Log and its Admin may be shared by threads; a Consumer (with its transaction),
// Reader or Producer belongs to one thread at a time. All of them must be destroyed before their
// Log.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "log/record.h"

namespace millrace::log {

// ----------------------------------------------------------------------------------------------
// administration

struct TopicConfig {
  std::int32_t partitions = 1;
  std::int16_t replication = 1;
  // Records older than this may be deleted; nothing: they are kept for ever. The embedded log keeps
  // and shows it.
  std::optional<Milliseconds> retention;
  std::size_t message_bytes_max = std::size_t{1} << 20;
  std::map<std::string, std::string> other;  // cleanup.policy and the like, as given
};

struct PartitionInfo {
  PartitionId partition;
  Offset begin;                        // oldest record kept
  Offset end;                          // one past the last committed record
  std::optional<std::int32_t> leader;  // broker id where the log has brokers
};

struct TopicInfo {
  TopicName name;
  std::string incarnation;  // differs after delete and create under the same name
  TopicConfig config;
  Timestamp created;
  std::vector<PartitionInfo> partitions;
  std::uint64_t bytes = 0;  // stored
};

struct MemberInfo {
  std::string id;      // "<group>.<host>.<place>.<slot>"
  std::string client;  // host and process id, for people
  std::vector<TopicPartition> assigned;
};

struct GroupPosition {
  TopicPartition source;
  std::optional<Offset> committed;
  Offset begin;
  Offset end;
  // Records not yet consumed: end - committed, or end - begin without a commit.
  std::int64_t consumer_lag() const {
    return end.value() - (committed ? *committed : begin).value();
  }
};

struct GroupInfo {
  GroupId id;
  std::string state;  // "stable", "rebalancing", "empty"
  std::vector<MemberInfo> members;
  std::vector<GroupPosition> positions;
};

struct Position {
  TopicPartition source;
  Offset next;  // first record not yet consumed
};

// Thread-safe. Errors: kUnknownTopic, kUnavailable, kConfig (illegal name or config), kIo.
class Admin {
 public:
  virtual ~Admin() = default;
  // Creates the topic if it is missing; true when it did. An existing topic is left as it is, also
  // when it differs.
  virtual Result<bool> create_topic(const TopicName& name, const TopicConfig& config) = 0;
  virtual Result<std::vector<TopicInfo>> topics() = 0;
  virtual Result<TopicInfo> describe_topic(const TopicName& name) = 0;
  virtual Status delete_topic(const TopicName& name) = 0;
  // Drops records below `before`; they can no longer be read.
  virtual Status trim(const TopicPartition& source, Offset before) = 0;
  virtual Result<std::vector<GroupInfo>> groups() = 0;
  // kNoInput for a group nobody has ever joined or committed for.
  virtual Result<GroupInfo> describe_group(const GroupId& id) = 0;
  // Stores these positions as committed, all or none. kNoInput for an unknown group, kTryAgain
  // naming the members while the group has any, kUsage for an offset outside of its partition.
  virtual Status reset_group(const GroupId& id, const std::vector<Position>& positions) = 0;
  // Forgets the group and its positions. kNoInput for an unknown group, kTryAgain naming the
  // members while it has any.
  virtual Status delete_group(const GroupId& id) = 0;
  // Of every partition the first offset whose record is at or after `time`; the end where none is.
  virtual Result<std::map<PartitionId, Offset>> offsets_for_time(const TopicName& name,
                                                                 Timestamp time) = 0;
};

// ----------------------------------------------------------------------------------------------
// consuming

enum class StartAt { kEarliest, kLatest, kTime };

struct ConsumerOptions {
  GroupId group;
  std::vector<TopicName>
      topics;  // equal partition numbers of topics of one size go to the same member (range)
  StartAt start = StartAt::kEarliest;  // where a partition without a committed position begins
  Timestamp start_time;                // with kTime: the first record at or after it
  bool exactly_once = true;  // false: outputs are acknowledged first, then positions stored
  std::size_t batch_records_max = 10'000;
  std::size_t batch_bytes_max = std::size_t{8} << 20;
  Milliseconds session_timeout{10'000};  // a member silent for longer loses its partitions
  // The longest time between two commits: a transaction may take that, and some seconds.
  Milliseconds commit_interval{100};
};

struct Assigned {
  struct Partition {
    TopicPartition source;
    Offset position;  // where poll() goes on
    Offset end;       // end offset when assigned
  };
  std::vector<Partition> partitions;  // only the newly assigned
};
// Still ours until release() of each, or `deadline`.
struct Revoked {
  std::vector<TopicPartition> partitions;
  SteadyTime deadline;
};
// No longer ours; what is uncommitted for them will be aborted.
struct Lost {
  std::vector<TopicPartition> partitions;
};
// Records from `from` up to `to` were deleted (retention, trim) before they were read; reading goes
// on at `to`.
struct Gap {
  TopicPartition source;
  Offset from;
  Offset to;
};
enum class CommitResult {
  kCommitted,
  kAborted,  // nothing happened: go back to the committed positions (poll does so by itself) and do
             // it again
  kFenced,   // another process took this one's place: stop
  kUnknown,  // the outcome cannot be known: open anew and read what was committed
};
struct CommitOutcome {
  CommitResult result = CommitResult::kCommitted;
  std::string reason;  // for people, when not committed
  // With kAborted: why doing it again at once is of no use (kDiskFull, kUnknownTopic, kIo, ...).
  std::optional<ErrorCode> cause = std::nullopt;
};
struct Nothing {};

using Event = std::variant<Nothing, Batch, Assigned, Revoked, Lost, Gap, CommitOutcome>;

// Index of a topic in one Transaction, from Transaction::open_topic().
using TopicHandle = StrongInt<struct TopicHandleTag, std::int32_t>;

// Where records are appended to.
class Appender {
 public:
  virtual ~Appender() = default;
  // kUnknownTopic where the topic is missing. The handle is good for the life of the appender.
  virtual Result<TopicHandle> open_topic(const TopicName& topic) = 0;
  // kRecordTooLarge above the topic's message_bytes_max (key + value + headers): nothing was
  // appended, and what was appended before stands.
  virtual Status append(TopicHandle topic, const NewRecord& record) = 0;
};

// The outputs of a consumer. Everything appended since the last commit becomes visible together
// with the positions given to commit(), or never.
class Transaction : public Appender {
 public:
  // Asks for the commit; its outcome is a CommitOutcome from Consumer::poll(). One commit is in
  // flight at a time, and nothing may be appended until its outcome is there; meanwhile poll()
  // hands out one batch at most. An error means the request itself could not be made.
  virtual Status commit(const std::vector<Position>& positions) = 0;
  // Drops what was appended since the last commit. Reading goes back to the committed positions.
  virtual Status abort() = 0;
};

// One member of a consumer group.
class Consumer {
 public:
  virtual ~Consumer() = default;
  // The next event; Nothing when `until` passes or interrupt() was called. Assignment changes only
  // show here.
  virtual Result<Event> poll(SteadyTime until) = 0;
  // Makes a poll() in progress, or the next one, return Nothing at once. Thread-safe and
  // async-signal-unsafe.
  virtual void interrupt() = 0;
  // The descriptor becomes readable when poll should return early (a StopToken's); -1 for none.
  // Call before poll().
  virtual void wake_on(int descriptor) = 0;
  // Whether every committed record of an assigned partition up to its end (as of the last poll) was
  // handed out.
  virtual bool caught_up(const TopicPartition& source) const = 0;
  virtual std::vector<TopicPartition> assigned() const = 0;
  virtual Status pause(const TopicPartition& source) = 0;
  virtual Status resume(const TopicPartition& source) = 0;
  virtual Status seek(const TopicPartition& source, Offset position) = 0;
  virtual Result<std::map<TopicPartition, Offset>> end_offsets() = 0;
  virtual Result<std::map<TopicPartition, Offset>> offsets_for_time(Timestamp time) = 0;
  // Gives a revoked partition away, after its last commit has had its outcome.
  virtual Status release(const TopicPartition& source) = 0;
  virtual Transaction& transaction() = 0;
  virtual std::string member_id() const = 0;
  // Leaves the group; partitions go to others at once. Uncommitted appends are dropped.
  virtual Status close() = 0;
};

// ----------------------------------------------------------------------------------------------
// reading

// Reads partitions of one topic without a group: read-committed, no positions are stored.
struct ReaderOptions {
  TopicName topic;
  std::vector<PartitionId> partitions;  // empty: all
  std::map<PartitionId, Offset> from;   // missing ones start at the oldest record
  bool follow = false;                  // false: end at the end offsets seen when opened
};

class Reader {
 public:
  virtual ~Reader() = default;
  // The next batch of any partition, or nothing: at the end (follow = false), or when `until`
  // passes.
  virtual Result<std::optional<Batch>> next(SteadyTime until) = 0;
  virtual bool at_end() const = 0;
};

// ----------------------------------------------------------------------------------------------
// producing

struct ProducerOptions {
  TopicName topic;
  // Not empty: rows and the next row number commit together under this id (tied to `topic`), so
  // that a killed producer resumes with every row exactly once. One live producer an id: the second
  // is refused with kLockHeld.
  std::string resume_id;
};

// Appends to any topics; what lies between two commits becomes visible together, or never.
class Producer : public Appender {
 public:
  // The first row not yet committed under the resume id; nullopt when the log knows nothing of it.
  virtual Result<std::optional<RowNumber>> position() = 0;
  // Durable when it returns. `next_row` is stored under the resume id, when there is one.
  virtual Status commit(RowNumber next_row) = 0;
};

// ----------------------------------------------------------------------------------------------
// the log

struct Capabilities {
  bool transactions = false;
  bool brokers = false;  // leaders, replication
  // Offsets of records follow each other without gaps, and the end is one past the last record.
  bool dense_offsets = false;
  bool embedded = false;  // one file of ours: info() and check() apply
};

// What one client of a log over a network counts: sums since it was made, and how things are now.
struct ClientStatistics {
  std::string client;  // "consumer", "producer"
  std::uint64_t requests = 0;
  std::uint64_t request_timeouts = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t queued_messages = 0;  // fetched and not handed out yet, or not yet acknowledged
  // Request to answer, of late, by broker id.
  struct RoundTrip {
    double median_s = 0;
    double p99_s = 0;
  };
  std::map<std::int32_t, RoundTrip> round_trips;
};

class Log {
 public:
  virtual ~Log() = default;
  // The URL it was opened with, secrets masked.
  virtual std::string url() const = 0;
  virtual Capabilities capabilities() const = 0;
  // What keeps the log from being used just now (broker away, disk full), as its clients saw it
  // last; never waits. Thread-safe.
  virtual Status reachable() const { return {}; }
  // As counted last (every few seconds), one a client; empty where there is no network.
  // Thread-safe, never waits.
  virtual std::vector<ClientStatistics> statistics() const { return {}; }
  virtual Admin& admin() = 0;
  // Every topic of the options must exist (kUnknownTopic).
  virtual Result<std::unique_ptr<Consumer>> open_consumer(const ConsumerOptions& options) = 0;
  virtual Result<std::unique_ptr<Reader>> open_reader(const ReaderOptions& options) = 0;
  virtual Result<std::unique_ptr<Producer>> open_producer(const ProducerOptions& options) = 0;
};

}  // namespace millrace::log
