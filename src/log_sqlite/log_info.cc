#include <sqlite3.h>

#include <filesystem>

#include "log_sqlite/internal/log_file.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::log_sqlite {
namespace {

Result<std::uint64_t> number(internal::Database& database, const char* sql) {
  MILLRACE_ASSIGN(internal::Query row, database.query(sql));
  MILLRACE_TRY(row.step());
  return static_cast<std::uint64_t>(row.integer(0));
}

}  // namespace

Result<LogInfo> sqlite_log_info(const env::Path& file, env::Clock& clock) {
  MILLRACE_ASSIGN(auto log, internal::LogFile::open(
                                {.file = file, .create = SqliteLogOptions::Create::kNever}, clock));
  MILLRACE_ASSIGN(auto database, log->connect());
  LogInfo info;
  info.file = file;
  info.format_version = internal::kFormatVersion;
  info.id = log->identity().id;
  info.created = log->identity().created;
  std::error_code missing;
  info.file_bytes = std::filesystem::file_size(file, missing);
  env::Path wal = file;
  wal += "-wal";
  const auto wal_bytes = std::filesystem::file_size(wal, missing);
  if (!missing) info.wal_bytes = wal_bytes;
  info.sqlite_version = sqlite3_libversion();
  MILLRACE_ASSIGN(internal::Scope scope,
                  internal::Scope::begin(*database, internal::Scope::Kind::kRead));
  MILLRACE_ASSIGN(info.page_bytes, number(*database, "PRAGMA page_size"));
  MILLRACE_ASSIGN(info.free_pages, number(*database, "PRAGMA freelist_count"));
  MILLRACE_ASSIGN(info.topics, number(*database, "SELECT count(*) FROM topic"));
  MILLRACE_ASSIGN(info.partitions,
                  number(*database, "SELECT count(*) FROM partition WHERE topic_id <> 0"));
  MILLRACE_ASSIGN(info.batches,
                  number(*database, "SELECT count(*) FROM batch INDEXED BY batch_place"));
  MILLRACE_ASSIGN(
      info.records,
      number(*database, "SELECT coalesce(sum(end - begin), 0) FROM partition WHERE topic_id <> 0"));
  MILLRACE_ASSIGN(info.groups, number(*database, "SELECT count(*) FROM consumer_group"));
  MILLRACE_ASSIGN(info.producers, number(*database, "SELECT count(*) FROM producer"));
  return info;
}

}  // namespace millrace::log_sqlite
