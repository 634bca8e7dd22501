// The file's tables, its identity, and how it is made and recognised.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "env/clock.h"
#include "log_sqlite/internal/database.h"

namespace millrace::log_sqlite::internal {

inline constexpr std::int64_t kApplicationId = 0x4D52434C;  // "MRCL"
// Frozen: a log of version 1 opens for ever (tests/frozen_test.cc). What changes the tables, the
// checksums or the bytes of a batch is another version, which reads this one too.
inline constexpr std::int64_t kFormatVersion = 1;

struct LogIdentity {
  std::string id;  // 8 hex characters, random at creation: the "place" of member ids
  Timestamp created;
  std::uint64_t device = 0;  // where the file was found, to notice when it is swapped
  std::uint64_t inode = 0;
};

// Makes a new, empty log at `file` (whole or not at all; another process may have been faster,
// which is fine).
Status create_log_file(const env::Path& file, env::Clock& clock);

// Whether the open file is a log of this version: kConfig, kFormatVersion (with the way out). Only
// SQLite may open the file: close() of any other descriptor of it would drop the locks of all
// connections of this process (POSIX), and another process would take the WAL away under them.
Status recognise_log(Database& database);

// The identity of an open log. kCorrupt when its row is damaged.
Result<LogIdentity> read_identity(Database& database);

// kIo when the file at the path is no longer the one that was opened.
Status check_not_swapped(const env::Path& file, const LogIdentity& identity);

}  // namespace millrace::log_sqlite::internal
