// Records as they travel through a log: bytes, never meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/ids.h"
#include "base/time.h"

namespace millrace::log {

struct TopicPartition {
  TopicName topic;
  PartitionId partition;
  auto operator<=>(const TopicPartition&) const = default;
};

struct Header {
  std::string_view name;
  std::optional<std::string_view> value;  // Kafka allows null header values
};

// A record read from a partition. Views point into the batch that holds it, with kArenaPadding
// readable bytes behind.
struct Record {
  Offset offset;
  Timestamp timestamp;
  std::optional<std::string_view> key;    // nullopt: null key
  std::optional<std::string_view> value;  // nullopt: tombstone
  std::span<const Header> headers;
};

// A record to be appended. Views need to live until append() returns.
struct NewRecord {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::span<const Header> headers;
  Timestamp timestamp;
  // Not set: murmur2 of the key as Kafka's Java clients do; without a key the partitions take
  // turns.
  std::optional<PartitionId> partition;
};

// Records of one partition in strictly increasing offsets, possibly with gaps (aborted, compacted,
// control records). Owns their bytes. Movable, not copyable; moving keeps views valid.
struct Batch {
  TopicPartition source;
  std::vector<Record> records;
  Offset next;  // position to commit once all records are done: past the last one and known gaps
  SteadyTime arrived;  // when poll() had the batch
  Arena arena;         // the bytes
  std::vector<Header>
      headers;  // what Record::headers point into (filled before records; never resized after)
  std::size_t bytes = 0;  // size of keys, values and headers

  Batch() = default;
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&&) noexcept = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
};

}  // namespace millrace::log
