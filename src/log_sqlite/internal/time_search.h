// Finding records by time.
#pragma once

#include "base/result.h"
#include "log_sqlite/internal/catalog.h"
#include "log_sqlite/internal/database.h"

namespace millrace::log_sqlite::internal {

// Offset of the first stored record at or after `time`, the partition's end where there is none.
// Inside a scope.
Result<Offset> first_at_or_after(Database& database, const PartitionRow& row,
                                 const log::TopicPartition& source, Timestamp time);

}  // namespace millrace::log_sqlite::internal
