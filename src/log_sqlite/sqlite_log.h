// The embedded log: one SQLite file in WAL mode (docs/formats/embedded-log.md), read and written
// by any number of threads and processes of one host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "env/clock.h"
#include "env/file.h"
#include "log/log.h"

namespace millrace::log_sqlite {

struct SqliteLogOptions {
  env::Path file;
  // kFull: what a commit acknowledged survives a power cut. kNormal: it survives the death of the
  // process, and a power cut may take the last commits, never a part of one.
  enum class Synchronous { kFull, kNormal } synchronous = Synchronous::kFull;
  enum class Create { kIfMissing, kNever } create = Create::kIfMissing;
};

// Durability: as `synchronous` says, when commit() has returned. Ordering: offsets of a partition
// follow the order of commits; within a commit, of appends. `clock` must outlive the log.
// Errors: kNoInput (missing, with kNever), kConfig (no millrace log), kFormatVersion, kPermission,
// kCorrupt, kIo, kDiskFull, kTryAgain (another process held the file for too long).
Result<std::unique_ptr<log::Log>> open_sqlite_log(const SqliteLogOptions& options,
                                                  env::Clock& clock);

struct LogInfo {
  env::Path file;
  std::int64_t format_version = 0;
  std::string id;  // random, from its creation
  Timestamp created;
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t page_bytes = 0;
  std::uint64_t free_pages = 0;  // waiting to be used or given back
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;  // between begin and end of all partitions
  std::uint64_t groups = 0;
  std::uint64_t producers = 0;  // resume ids
  std::string sqlite_version;
};
// Errors as open_sqlite_log() with kNever.
Result<LogInfo> sqlite_log_info(const env::Path& file, env::Clock& clock);

struct Damage {
  std::optional<TopicName> topic;  // where it belongs to one
  std::optional<PartitionId> partition;
  std::optional<Offset> offset;  // the first of the damaged batch, or of the missing records
  std::string what;
};
struct CheckReport {
  std::int64_t format_version = 0;
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // of batches
  std::uint64_t groups = 0;
  std::uint64_t positions = 0;
  std::uint64_t producers = 0;
  std::vector<Damage> damage;  // the first kDamageMax
  static constexpr std::size_t kDamageMax = 1'000;
};
// Reads everything and verifies every checksum, that no offset is missing, and SQLite's own
// structure. May run beside writers. `progress`, where given, is called with the bytes of batches
// read so far. Errors as open_sqlite_log() with kNever; damage inside is no error but the report's.
Result<CheckReport> check_sqlite_log(const env::Path& file, env::Clock& clock,
                                     const std::function<void(std::uint64_t)>& progress = {});

}  // namespace millrace::log_sqlite
