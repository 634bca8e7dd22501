// Dead letters on the wire: what is written for a record that was set aside, and what is read back
// of it. Headers are described in docs/formats/dead-letter.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/record_error.h"
#include "log/log.h"
#include "spec/pipeline.h"

namespace millrace::engine {

inline constexpr std::string_view kErrorHeaderPrefix = "__millrace.errors.";
inline constexpr std::string_view kReplaySourceHeader = "__millrace.replay.source";
inline constexpr std::string_view kReplayAttemptHeader = "__millrace.replay.attempt";

// Composes dead letters. Not thread-safe; the record from compose() lives until the next call.
class DeadLetterWriter {
 public:
  DeadLetterWriter(spec::DeadLetterFormat format, GroupId group)
      : format_(format), group_(std::move(group)) {}

  // `source` is where the record was read. `stage`: "decode", "predict", "publish". `failed_at` is
  // the time now. Original headers are kept, but for error and replay headers of an earlier round.
  log::NewRecord compose(const log::TopicPartition& source, const log::Record& record,
                         const data::RecordErrors& errors, std::string_view stage,
                         Timestamp failed_at);

  // The last composed record again, at most `bytes_max` in all: an envelope gives way to headers,
  // and what is still too large loses its original headers and the end of its value; headers then
  // say truncated, the original size and the SHA-256 of the whole value.
  log::NewRecord cut(std::size_t bytes_max);

 private:
  void add(std::string_view name, std::string value);
  void with_headers(const log::Record& record);
  void compose_envelope(const log::TopicPartition& source, const log::Record& record,
                        const data::RecordErrors& errors, Timestamp failed_at);

  spec::DeadLetterFormat format_;
  GroupId group_;
  log::Record original_;  // of the last compose()
  log::NewRecord record_;
  std::vector<std::string> values_;  // what headers_ point into
  std::vector<std::string> names_;
  std::vector<log::Header> headers_;
  std::string envelope_;
};

// A dead letter as read: the wrapped record and why it is there.
struct DeadLetter {
  log::TopicPartition at;  // where it lies in the dead-letter topic
  Offset offset;
  Timestamp timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;  // original bytes
  std::string type;
  std::string code;
  std::string message;
  std::vector<std::string> details;
  std::string source_topic;
  std::int64_t source_partition = -1;
  std::int64_t source_offset = -1;
  std::string failed_at;
  std::string group;
  std::string stage;
  std::uint32_t attempt = 1;
  bool truncated = false;
  std::vector<std::pair<std::string, std::optional<std::string>>> original_headers;
};

// Reads a dead letter in either format. A record that is none keeps its bytes and has an empty
// code.
DeadLetter read_dead_letter(const log::TopicPartition& at, const log::Record& record);

}  // namespace millrace::engine
