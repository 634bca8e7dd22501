// The file that lets a killed `produce` go on where the log says it stopped.
#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "env/file.h"

namespace millrace::ingest {

// What a producing run belongs to. A resume is right only when all of it is the same.
struct ProduceTarget {
  std::string file;         // absolute path, for people; a moved file is the same file
  std::string file_sha256;  // of its whole content
  std::uint64_t file_bytes = 0;
  std::string form;  // "messages" or "raw": both number rows, but differently
  TopicName topic;
  std::string topic_incarnation;
  std::string log_url;
};

// The content of a checkpoint file (docs/formats/produce-checkpoint.md). The log is the authority
// on the position; `next_row` only mirrors it for people and for "finished".
struct Checkpoint {
  std::string id;  // random; the log keeps the position under it
  ProduceTarget target;
  RowNumber next_row;  // rows before it are on the topic
  bool finished = false;
  Timestamp time;
};

// The checkpoint at `path`, nullopt when there is no file. Errors: kBadData for a file that is no
// checkpoint, kIo, kPermission.
Result<std::optional<Checkpoint>> read_checkpoint(const env::Path& path);

// Durable and atomic.
Status write_checkpoint(const env::Path& path, const Checkpoint& checkpoint);

// What keeps `saved` from being resumed for `wanted`, as a clause ("the file's content changed"),
// or "" when nothing does.
std::string difference(const ProduceTarget& saved, const ProduceTarget& wanted);

// The name of the checkpoint file of a source and a target, so that each pair keeps its own
// position: "<pipeline>-<16 hex>.json".
std::string checkpoint_file_name(const std::string& pipeline, const std::string& file,
                                 const TopicName& topic, const std::string& log_url);

}  // namespace millrace::ingest
