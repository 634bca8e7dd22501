// The embedded log: one SQLite file in WAL mode (docs/formats/embedded-log.md), read and written
// by any number of threads and processes of one host.
#pragma once

#include <cstdint>
#include <memory>
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

}  // namespace millrace::log_sqlite
