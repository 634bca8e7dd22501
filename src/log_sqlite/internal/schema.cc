#include "log_sqlite/internal/schema.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "env/random.h"

namespace millrace::log_sqlite::internal {
namespace {

// Every table carries a checksum of its rows' other columns; batches carry theirs in `data`.
constexpr const char* kTables = R"sql(
CREATE TABLE meta (
  id TEXT NOT NULL, created_ms INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE topic (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, incarnation TEXT NOT NULL,
  config TEXT NOT NULL, created_ms INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE partition (
  id INTEGER PRIMARY KEY AUTOINCREMENT, topic_id INTEGER NOT NULL, number INTEGER NOT NULL,
  begin INTEGER NOT NULL, end INTEGER NOT NULL, bytes INTEGER NOT NULL, crc INTEGER NOT NULL,
  UNIQUE (topic_id, number));
CREATE TABLE batch (
  id INTEGER PRIMARY KEY, partition_id INTEGER NOT NULL, base INTEGER NOT NULL,
  next INTEGER NOT NULL, time_max INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX batch_place ON batch (partition_id, base, next, time_max);
CREATE TABLE consumer_group (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL,
  crc INTEGER NOT NULL);
CREATE TABLE member (
  group_id INTEGER NOT NULL, epoch INTEGER NOT NULL, id TEXT NOT NULL, slot INTEGER NOT NULL,
  client TEXT NOT NULL, topics TEXT NOT NULL, session_ms INTEGER NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (group_id, epoch)) WITHOUT ROWID;
CREATE TABLE ownership (
  group_id INTEGER NOT NULL, partition_id INTEGER NOT NULL, owner INTEGER NOT NULL,
  wanted INTEGER NOT NULL, since_ms INTEGER NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (group_id, partition_id)) WITHOUT ROWID;
CREATE TABLE position (
  group_id INTEGER NOT NULL, partition_id INTEGER NOT NULL, next INTEGER NOT NULL,
  crc INTEGER NOT NULL, PRIMARY KEY (group_id, partition_id)) WITHOUT ROWID;
CREATE TABLE producer (
  resume_id TEXT NOT NULL, topic_id INTEGER NOT NULL, next_row INTEGER NOT NULL,
  crc INTEGER NOT NULL, PRIMARY KEY (resume_id)) WITHOUT ROWID;
)sql";

Result<std::int64_t> header_number(Database& database, const char* pragma) {
  MILLRACE_ASSIGN(Query row, database.query(pragma));
  MILLRACE_TRY(row.step());
  return row.integer(0);
}

std::int64_t meta_crc(std::string_view id, std::int64_t created) {
  return RowCrc().add(id).add(created).value();
}

// The complete log in a file of its own; closing the only connection leaves no WAL behind.
Status write_new_log(const env::Path& file, env::Clock& clock) {
  MILLRACE_ASSIGN(auto database, Database::open(file, Database::Access::kCreate,
                                                SqliteLogOptions::Synchronous::kFull));
  MILLRACE_TRY(database->execute(
      "PRAGMA page_size=16384; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"));
  const std::string identity = "PRAGMA application_id=" + std::to_string(kApplicationId) +
                               "; PRAGMA user_version=" + std::to_string(kFormatVersion);
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database, Scope::Kind::kWrite));
  MILLRACE_TRY(database->execute(kTables));
  MILLRACE_TRY(database->execute(identity.c_str()));
  const std::string id = env::random_hex(4);
  const std::int64_t created = clock.now().value();
  MILLRACE_TRY(
      database->run("INSERT INTO meta VALUES (?1, ?2, ?3)", id, created, meta_crc(id, created)));
  return scope.commit();
}

Error other_version(const env::Path& file, std::int64_t version) {
  const std::string found = "the log '" + file.string() + "' has format version " +
                            std::to_string(version) + ", and this program reads version " +
                            std::to_string(kFormatVersion) + ". ";
  const std::string other = "take another file (--log sqlite:FILE), or move this one away";
  if (version > kFormatVersion) {
    return Error(ErrorCode::kFormatVersion,
                 found + "A later millrace wrote it: use that one or one after it, or " + other);
  }
  return Error(ErrorCode::kFormatVersion,
               found +
                   "It was written before the format was settled, and cannot be converted: save "
                   "its messages with the millrace that wrote it (topics dump TOPIC), then " +
                   other);
}

}  // namespace

Status create_log_file(const env::Path& file, env::Clock& clock) {
  env::Path fresh = file;
  fresh += ".new." + env::random_hex(4);
  Status made = write_new_log(fresh, clock);
  // link(2) fails where the name exists, so of two creators one wins and the other uses its file.
  if (made && ::link(fresh.c_str(), file.c_str()) != 0 && errno != EEXIST) {
    made = env::errno_error("cannot create the log", file, errno);
  }
  ::unlink(fresh.c_str());
  if (!made) return made;
  return env::sync_folder(file.has_parent_path() ? file.parent_path() : env::Path("."));
}

Status recognise_log(Database& database) {
  auto application = header_number(database, "PRAGMA application_id");
  if (!application) return application.error();
  if (*application != kApplicationId) return not_a_log(database.file());
  MILLRACE_ASSIGN(const std::int64_t version, header_number(database, "PRAGMA user_version"));
  if (version != kFormatVersion) return other_version(database.file(), version);
  return {};
}

Result<LogIdentity> read_identity(Database& database) {
  LogIdentity identity;
  MILLRACE_ASSIGN(Query row, database.query("SELECT id, created_ms, crc FROM meta"));
  MILLRACE_ASSIGN(const bool found, row.step());
  if (!found || row.integer(2) != meta_crc(row.text(0), row.integer(1))) {
    return Error(ErrorCode::kCorrupt,
                 "the log '" + database.file().string() + "' is damaged: its identity row is bad");
  }
  identity.id = std::string(row.text(0));
  identity.created = Timestamp(row.integer(1));
  struct stat info {};
  if (::stat(database.file().c_str(), &info) != 0) {
    return env::errno_error("cannot stat the log", database.file(), errno);
  }
  identity.device = info.st_dev;
  identity.inode = info.st_ino;
  return identity;
}

Status check_not_swapped(const env::Path& file, const LogIdentity& identity) {
  struct stat info {};
  const bool same = ::stat(file.c_str(), &info) == 0 && info.st_dev == identity.device &&
                    info.st_ino == identity.inode;
  if (same) return {};
  return Error(ErrorCode::kIo, "the log '" + file.string() +
                                   "' was removed or replaced while it was in use; nothing more "
                                   "is written to it");
}

}  // namespace millrace::log_sqlite::internal
