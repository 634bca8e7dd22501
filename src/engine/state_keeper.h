// Per-key state of the partitions that a scoring run holds, kept in the log: what changed goes to
// a changelog topic in the same transaction as outputs and positions, on the partition of the same
// number, a record a key. On a log that compacts (Kafka) that is all; elsewhere a snapshot of all
// keys is written from time to time, and what lies before it is dropped. What a drift watch has
// observed is kept beside it in the same way. docs/formats/state.md is the contract.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/drift_watch.h"
#include "engine/keyed_state.h"
#include "env/clock.h"
#include "log/log.h"
#include "telemetry/logger.h"

namespace millrace::engine {

struct StateOptions {
  TopicName topic;          // the changelog
  std::string fingerprint;  // of the features: a state made by others is not taken
  std::size_t doubles = 0;  // of one key
  KeyLimits limits;
};

// One thread. Errors of reading and writing are those of the log; kConfig for a changelog with
// another number of partitions than the input; kBadModel for a state made by other features;
// kCorrupt for records that are none of ours.
class StateKeeper {
 public:
  StateKeeper(log::Log& log, telemetry::Logger& logger, env::Clock& clock, StateOptions options)
      : log_(log), logger_(logger), clock_(clock), options_(std::move(options)) {}

  // What the watch has observed is kept as well, on the first partition that is held; it must
  // outlive the keeper's use. Before take_up().
  void keep_drift(DriftWatch& drift) { drift_ = &drift; }

  // Whether the changelog suits an input of so many partitions.
  Status check(std::size_t partitions);
  Status open(log::Transaction& transaction);

  // Reads the state of a partition that is taken up at `position`. A state that is further than
  // that (the group was moved back) begins anew.
  Status take_up(const log::TopicPartition& source, Offset position);
  // All partitions of one assignment were taken up. Where they hold what a watch had observed whose
  // process held no others, and nothing was observed since, drift is watched on from there.
  void taken_up();
  void release(const log::TopicPartition& source) { held_.erase(source); }
  // nullptr for a partition that was not taken up, and where nothing is kept of keys.
  KeyedState* find(const log::TopicPartition& source);

  // Appends what changed since the last commit, to be committed with `positions`.
  Status append(log::Transaction& transaction, const std::vector<log::Position>& positions);
  // The outcome of that commit.
  void settle();
  void roll_back();
  // What was read while a commit was in flight is dropped.
  void roll_back_ahead();

  struct Figures {
    std::size_t keys = 0;       // of the partitions held
    std::size_t bytes = 0;      // of their values in memory
    std::uint64_t records = 0;  // committed to the changelog
    std::uint64_t written = 0;  // bytes of their keys and values
  };
  Figures figures() const;

 private:
  struct Held {
    explicit Held(KeyedState empty) : state(std::move(empty)) {}
    KeyedState state;
    Offset applied;             // the committed position
    Offset next;                // of the commit that is in flight
    std::uint64_t written = 0;  // records on the changelog since the last snapshot
    std::uint64_t written_bytes = 0;
    std::uint64_t in_commit = 0;  // records of the commit that is in flight
    std::uint64_t bytes_in_commit = 0;
    bool snapshot = false;  // they are all there is to know
  };

  Status read(Held& held, const log::TopicPartition& changelog, std::optional<Offset>& applied);
  Status append_one(log::Transaction& transaction, Held& held, PartitionId partition, Timestamp now,
                    const KeyedState::Entry& entry);
  Status append_partition(log::Transaction& transaction, const log::TopicPartition& source,
                          Held& held);
  Status append_drift(log::Transaction& transaction);
  bool snapshot_due(const Held& held) const;
  Status trim(const log::TopicPartition& source, Held& held);

  log::Log& log_;
  telemetry::Logger& logger_;
  env::Clock& clock_;
  StateOptions options_;
  log::TopicHandle handle_;
  std::map<log::TopicPartition, Held> held_;
  DriftWatch* drift_ = nullptr;
  std::map<PartitionId, std::string> found_drift_;  // by partition of the changelog
  std::optional<log::TopicPartition> drift_home_;   // where it was last written to
  std::uint64_t drift_sequence_ = 0;                // of the last record of it
  std::uint64_t records_ = 0;                       // committed
  std::uint64_t written_ = 0;                       // the same, bytes
  std::string value_;                               // scratch
};

}  // namespace millrace::engine
