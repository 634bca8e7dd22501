// The definition of the log interface, as tests: every log must pass all of them. A log's module
// makes its factory known with
//
//   INSTANTIATE_TEST_SUITE_P(Memory, LogConformance, ::testing::Values(kMemoryLog), name_of_log);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "log/log.h"

namespace millrace::log::testing {

// A log of its own for one test; the storage lives as long as this.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  virtual Log& log() = 0;
  // Closes the log and opens the same storage again. Nothing of the old one may be alive.
  virtual void reopen() = 0;
  // In front of the names of topics and groups, where tests share the storage.
  virtual std::string prefix() const { return ""; }
  // A member that is gone is noticed after this long, where leaving cannot be told.
  virtual Milliseconds session_timeout() const { return Milliseconds(10'000); }
};

struct LogFactory {
  std::string name;
  std::function<std::unique_ptr<LogUnderTest>()> make;
};

// How a failed test names its log.
// NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for
inline void PrintTo(const LogFactory& factory, std::ostream* out) { *out << factory.name; }

// Also what brings the suite's object files into the test binary.
std::string name_of_log(const ::testing::TestParamInfo<LogFactory>& info);

// A record that owns its bytes, to write and to compare.
struct OwnedRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::int64_t timestamp = 0;
  std::optional<std::int32_t> partition;  // to write: where to; read: where from
  std::int64_t offset = -1;               // read: where it stood
};

OwnedRecord owned(const TopicPartition& source, const Record& record);
// Appends without committing.
Status append(Appender& appender, TopicHandle topic, const OwnedRecord& record);
// A record with this value, in this partition.
OwnedRecord text(std::string value, std::int32_t partition = 0);

// What one consumer saw, gathered by polling with a deadline.
class Client {
 public:
  Client(Log& log, const ConsumerOptions& options);

  // Polls until `done` is true; false when that did not happen in good time.
  bool poll_until(const std::function<bool()>& done);
  // Polls until this many records are there.
  bool poll_records(std::size_t count);
  // Polls until this many partitions are assigned, in any order.
  bool poll_assigned(std::size_t partitions);
  // Polls until the log says that everything there is was handed out.
  bool poll_caught_up(const TopicPartition& source);
  // Commits the positions of all records seen and polls for the outcome.
  CommitOutcome commit();
  CommitOutcome commit(const std::vector<Position>& positions);
  // One poll that waits no longer than this; Nothing is fine.
  void poll_once(Milliseconds patience = Milliseconds(0));
  // Positions behind the records seen in partitions that are still assigned.
  std::vector<Position> positions() const;
  std::vector<std::string> values() const;

  Consumer& operator*() { return *consumer; }
  Consumer* operator->() { return consumer.get(); }

  std::unique_ptr<Consumer> consumer;
  std::vector<OwnedRecord> records;
  std::map<TopicPartition, Offset> next;
  std::vector<Assigned::Partition> assigned;
  std::vector<TopicPartition> revoked;
  std::vector<TopicPartition> lost;
  std::vector<Gap> gaps;
  std::optional<CommitOutcome> outcome;
  std::optional<Error> error;
  // Give revoked partitions away as soon as they are seen (nothing is uncommitted).
  bool release_at_once = true;

 private:
  void take(Event event);
};

class LogConformance : public ::testing::TestWithParam<LogFactory> {
 protected:
  void SetUp() override;

  Log& log() { return storage_->log(); }
  void reopen() { storage_->reopen(); }
  // Topics "in" and "out" are there from the start, with this many partitions.
  static constexpr std::int32_t kPartitions = 4;
  TopicName in_;
  TopicName out_;

  TopicName topic(const std::string& name) const { return TopicName(storage_->prefix() + name); }
  GroupId group(const std::string& name = "group") const {
    return GroupId(storage_->prefix() + name);
  }

  void create(const TopicName& topic, std::int32_t partitions);
  // Appends and commits.
  void produce(const TopicName& topic, const std::vector<OwnedRecord>& records);
  std::vector<OwnedRecord> read_all(const TopicName& topic);
  std::vector<std::string> values_of(const TopicName& topic);
  // Offsets of the records of a partition, and behind them its end.
  std::vector<Offset> offsets_of(const TopicName& topic, std::int32_t partition = 0);
  Offset end_of(const TopicName& topic, std::int32_t partition = 0);
  // Asks again while members that have gone still count.
  Status reset_when_empty(const std::vector<Position>& positions);
  ConsumerOptions options(const std::string& name = "group") const;

 private:
  std::unique_ptr<LogUnderTest> storage_;
};

// A point in time that no healthy test reaches.
SteadyTime soon();

}  // namespace millrace::log::testing
