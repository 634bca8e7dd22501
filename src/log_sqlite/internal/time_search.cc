#include "log_sqlite/internal/time_search.h"

#include <algorithm>

#include "log_sqlite/internal/partition_reader.h"

namespace millrace::log_sqlite::internal {

Result<Offset> first_at_or_after(Database& database, const PartitionRow& row,
                                 const log::TopicPartition& source, Timestamp time) {
  Offset from = row.begin;
  while (from < row.end) {
    Offset base;
    {
      MILLRACE_ASSIGN(Query query,
                      database.query("SELECT base FROM batch WHERE partition_id = ?1 AND next > ?2 "
                                     "AND time_max >= ?3 ORDER BY base LIMIT 1",
                                     row.id, from, time));
      MILLRACE_ASSIGN(const bool found, query.step());
      if (!found) return row.end;
      base = std::max(from, Offset(query.integer(0)));
    }
    // The batch's latest record is late enough; it may lie below the oldest one kept.
    PartitionReader reader(source, row.id);
    log::Batch batch;
    MILLRACE_TRY(reader.read(database, base, {kBatchRecordsMax, /*bytes_max=*/0}, batch));
    for (const log::Record& record : batch.records) {
      if (record.timestamp >= time) return record.offset;
    }
    from = batch.next;
  }
  return row.end;
}

}  // namespace millrace::log_sqlite::internal
