// A topic to Parquet files: consume, gather, write, sync, rename, and only then commit positions.
// At-least-once, with names that make a repeated batch replace its first attempt.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/parquet_writer.h"
#include "codec/record_table.h"
#include "engine/sink_files.h"
#include "env/clock.h"
#include "env/stop.h"
#include "log/log.h"
#include "telemetry/logger.h"

namespace millrace::engine {

struct SinkOptions {
  enum class Mode { kStreaming, kWindow } mode = Mode::kStreaming;
  env::Path folder;
  TopicName topic;
  std::string incarnation;                // of the topic
  std::vector<codec::ColumnHead> typed;   // fields whose types are known
  std::optional<std::string> event_time;  // field whose day is the folder; else the record's time
  std::size_t rows_max = 100'000;         // of a micro-batch of one partition
  std::size_t bytes_max = 64U << 20;      // of what is gathered, all partitions together
  Milliseconds age_max{60'000};           // of a micro-batch's first record here
  Milliseconds idle_timeout{10'000};      // window: ends after this long without a record
  codec::Compression compression = codec::Compression::kSnappy;
};

// What is committed.
struct SinkSummary {
  std::uint64_t rows = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // of the files
  std::uint64_t batches = 0;
  std::uint64_t commits = 0;
  std::uint64_t aborted = 0;
  std::uint64_t kept_whole = 0;  // rows with their bytes in _value
  std::uint64_t skipped_by_retention = 0;
  double duration_s = 0;
  std::string stop_reason;  // signal, caught_up, timeout, error
};

// Called on the sink's thread; must be quick.
class SinkMonitor {
 public:
  virtual ~SinkMonitor() = default;
  virtual void on_started() {}
  virtual void on_committed(const SinkSummary& /*all*/, Nanoseconds /*took*/) {}
  virtual void on_aborted() {}
  // Records between the committed position and the end of each partition held, now and then.
  virtual void on_lag(const std::map<log::TopicPartition, std::int64_t>& /*lag*/) {}
};

// One run over one consumer, which should not be exactly_once: nothing is appended. Not
// thread-safe. Memory: `bytes_max`, one batch of the consumer, and the columns of one row group.
class ParquetSink {
 public:
  // All references must outlive the run.
  ParquetSink(log::Consumer& consumer, env::Clock& clock, env::StopToken& stop,
              telemetry::Logger& logger, SinkOptions options);
  void watch(SinkMonitor& monitor) { monitor_ = &monitor; }

  // Runs to the end: caught up (window), or stop was requested; what was gathered is then written
  // and committed. Errors: kDiskFull, kIo, kPermission (nothing of the batch is committed, and it
  // is read again at the next start), kFenced, kTryAgain, kConfig (files that overlap), and what
  // the log returns.
  Status run();
  const SinkSummary& summary() const { return committed_; }

 private:
  // Records of one partition that wait for their file.
  struct Gathered {
    std::vector<std::shared_ptr<const log::Batch>> batches;  // whose bytes the records view
    std::vector<codec::StoredRecord> records;
    std::size_t bytes = 0;
    SteadyTime since{};
    std::optional<Offset> until;  // ends exactly here: an earlier attempt did
  };
  struct Partition {
    Gathered gathered;
    Offset next;                // behind the last record gathered or written
    std::optional<Offset> end;  // window: end when assigned
    Offset committed;
    std::map<Offset, Offset> on_disk;  // batches there, from the committed position on
  };
  // A batch of which not every record is gathered yet.
  struct Arrived {
    std::shared_ptr<const log::Batch> batch;
    std::size_t at = 0;
  };
  using Partitions = std::map<log::TopicPartition, Partition>;

  Status loop();
  Status handle(log::Event event);
  Status on_assigned(const log::Assigned& assigned);
  Status on_revoked(const log::Revoked& revoked);
  void drop(const std::vector<log::TopicPartition>& sources);
  void on_gap(const log::Gap& gap);
  Status gather();
  Result<std::optional<log::TopicPartition>> gather_until_full(Arrived& arrived);
  Result<bool> must_write_before(const log::TopicPartition& source, const Partition& partition,
                                 Offset offset) const;
  std::optional<log::TopicPartition> too_large(const log::TopicPartition& source) const;
  Status write_due();
  Status write_all();
  Status write_day(const log::TopicPartition& source, const std::string& date, OffsetRange range,
                   std::span<const codec::StoredRecord> records);
  Status write(const log::TopicPartition& source, Partition& partition);
  Status commit();
  Status await_commit();
  Status settle(const log::CommitOutcome& outcome);
  void forget_uncommitted();
  std::string end_reason() const;
  bool caught_up() const;
  SteadyTime next_deadline() const;
  void tell_lag();

  log::Consumer& consumer_;
  env::Clock& clock_;
  env::StopToken& stop_;
  telemetry::Logger& logger_;
  const SinkOptions options_;
  const SinkFiles files_;

  Partitions partitions_;
  std::deque<Arrived> arrived_;  // at most two: one may come while a commit is in flight
  std::size_t bytes_ = 0;        // gathered, of all partitions
  std::map<log::TopicPartition, Offset> positions_;  // written and not committed
  std::optional<log::Revoked> postponed_;            // came while a commit was in flight
  bool in_flight_ = false;
  bool ever_assigned_ = false;
  SteadyTime asked_{};
  SteadyTime last_record_{};
  SinkSummary working_;
  SinkSummary committed_;
  std::optional<SteadyTime> lag_told_;
  SinkMonitor quiet_;
  SinkMonitor* monitor_ = &quiet_;
};

}  // namespace millrace::engine
