#include "log_sqlite/internal/database.h"

#include <sqlite3.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"
#include "env/clock.h"

namespace millrace::log_sqlite::internal {
namespace {

// SQLite's own handler sleeps up to 100 ms, so that a waiting writer starves beside a busy one.
// Ours waits 50 us, growing to 1 ms, which is about one commit.
int wait_while_busy(void* /*context*/, int tries) {
  constexpr Nanoseconds kFirst = std::chrono::microseconds(50);
  constexpr Nanoseconds kLongest = Milliseconds(1);
  thread_local SteadyTime give_up;
  env::Clock& clock = env::real_clock();  // another process's lock is held in real time
  const SteadyTime now = clock.steady();
  if (tries == 0) give_up = now + Database::kBusyWait;
  if (now >= give_up) return 0;
  const Nanoseconds pause = tries < 5 ? kFirst * (1 << tries) : kLongest;
  clock.sleep_until(now + std::min(pause, kLongest));
  return 1;
}

ErrorCode code_of(int extended) {
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return ErrorCode::kTryAgain;
    case SQLITE_FULL:
      return ErrorCode::kDiskFull;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::kPermission;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_SCHEMA:
      return ErrorCode::kCorrupt;
    case SQLITE_IOERR:
      return extended == SQLITE_IOERR_CORRUPTFS ? ErrorCode::kCorrupt : ErrorCode::kIo;
    case SQLITE_CANTOPEN:
    case SQLITE_NOLFS:
      return ErrorCode::kIo;
    default:
      return ErrorCode::kInternal;
  }
}

ErrorCode code_with_errno(int extended, int system_error) {
  const ErrorCode code = code_of(extended);
  if (code != ErrorCode::kIo) return code;
  if (system_error == ENOSPC || system_error == EDQUOT) return ErrorCode::kDiskFull;
  if (system_error == EACCES || system_error == EPERM || system_error == EROFS) {
    return ErrorCode::kPermission;
  }
  return code;
}

}  // namespace

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Result<bool> Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_->error("cannot use the log");
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string_view Query::text(int column) const {
  // NOLINTNEXTLINE(*-reinterpret-cast): the C API gives text as unsigned char
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Query::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<std::unique_ptr<Database>> Database::open(const env::Path& file, Access access,
                                                 SqliteLogOptions::Synchronous synchronous) {
  std::unique_ptr<Database> database(new Database(file));
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  if (access == Access::kCreate) flags |= SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2(file.c_str(), &database->handle_, flags, nullptr) != SQLITE_OK) {
    return database->error("cannot open the log");
  }
  // Where the file may only be read, SQLite opens it for reading and says nothing.
  if (sqlite3_db_readonly(database->handle_, "main") == 1) {
    return Error(ErrorCode::kPermission,
                 "cannot open the log '" + file.string() + "': it may only be read, not written");
  }
  sqlite3_extended_result_codes(database->handle_, 1);
  sqlite3_busy_handler(database->handle_, wait_while_busy, nullptr);
  sqlite3_wal_autocheckpoint(database->handle_, 0);  // internal/checkpointer.h does it
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // Debian's build overwrites deleted content with zeros; ours needs no such pages in the WAL.
  Status set = database->execute(
      "PRAGMA mmap_size=0; PRAGMA cache_size=-8192; PRAGMA secure_delete=OFF; "
      "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA journal_size_limit=67108864;");
  if (!set && sqlite3_errcode(database->handle_) == SQLITE_NOTADB) return not_a_log(file);
  if (!set) return set.error();
  MILLRACE_TRY(database->execute(synchronous == SqliteLogOptions::Synchronous::kFull
                                     ? "PRAGMA synchronous=FULL"
                                     : "PRAGMA synchronous=NORMAL"));
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error("cannot use the log");
  }
  return {};
}

Result<sqlite3_stmt*> Database::prepare(const char* sql) {
  for (const auto& [known, statement] : statements_) {
    if (known == sql) return statement;
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK) {
    return error("cannot use the log");
  }
  statements_.emplace_back(sql, statement);
  return statement;
}

void Database::bind(sqlite3_stmt* statement, int index, std::int64_t value) {
  CHECK(sqlite3_bind_int64(statement, index, value) == SQLITE_OK);
}

void Database::bind(sqlite3_stmt* statement, int index, std::string_view text) {
  CHECK(sqlite3_bind_text64(statement, index, text.empty() ? "" : text.data(), text.size(),
                            SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

void Database::bind(sqlite3_stmt* statement, int index, Blob blob) {
  CHECK(sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(),
                            SQLITE_STATIC) == SQLITE_OK);
}

void Database::bind(sqlite3_stmt* statement, int index, std::nullopt_t) {
  CHECK(sqlite3_bind_null(statement, index) == SQLITE_OK);
}

Result<std::int64_t> Database::data_version() {
  MILLRACE_ASSIGN(Query statement, query("PRAGMA data_version"));
  MILLRACE_TRY(statement.step());
  return statement.integer(0);
}

void Database::after_commit(void (*note)(void* context, int frames), void* context) {
  note_ = note;
  note_context_ = context;
  sqlite3_wal_hook(handle_, &Database::tell_commit, this);
}

void Database::on_error(void (*note)(void* context, const Error& error), void* context) {
  note_error_ = note;
  error_context_ = context;
}

int Database::tell_commit(void* self, sqlite3* /*handle*/, const char* /*schema*/, int frames) {
  const auto* database = static_cast<Database*>(self);
  database->note_(database->note_context_, frames);
  return SQLITE_OK;
}

BlobReader::~BlobReader() { sqlite3_blob_close(blob_); }

Status BlobReader::read(std::int64_t batch, char* out, std::size_t size) {
  const int opened = blob_ == nullptr
                         ? sqlite3_blob_open(database_->handle(), "main", "batch", "data", batch,
                                             /*flags=*/0, &blob_)
                         : sqlite3_blob_reopen(blob_, batch);
  if (opened != SQLITE_OK ||
      sqlite3_blob_read(blob_, out, static_cast<int>(size), /*iOffset=*/0) != SQLITE_OK) {
    return database_->error("cannot read the log");
  }
  return {};
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_); }

Error Database::error(std::string_view what) const {
  std::string text(what);
  text += " '" + file_.string() + "': ";
  if (handle_ == nullptr) return {ErrorCode::kInternal, text + "out of memory"};
  const int extended = sqlite3_extended_errcode(handle_);
  const int system_error = sqlite3_system_errno(handle_);
  text += sqlite3_errmsg(handle_);
  const ErrorCode code = code_with_errno(extended, system_error);
  if (system_error != 0 && (code == ErrorCode::kIo || code == ErrorCode::kPermission)) {
    text += std::string(" (") + std::strerror(system_error) + ")";
  }
  if (code == ErrorCode::kTryAgain) {
    text += "; another process has been writing for " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(kBusyWait).count()) +
            " s";
  }
  Error failure(code, std::move(text));
  if (note_error_ != nullptr) note_error_(error_context_, failure);
  return failure;
}

bool Database::failed_in_sync() const {
  const int extended = sqlite3_extended_errcode(handle_);
  return extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC;
}

Error not_a_log(const env::Path& file) {
  return {ErrorCode::kConfig, "'" + file.string() +
                                  "' is not a millrace log (or its first page is damaged), and is "
                                  "left as it is; name another file"};
}

Result<Scope> Scope::begin(Database& database, Kind kind) {
  MILLRACE_TRY(kind == Kind::kWrite ? database.run("BEGIN IMMEDIATE") : database.run("BEGIN"));
  return Scope(database);
}

Scope::~Scope() {
  if (database_ == nullptr) return;
  // A failed statement may have rolled back by itself already.
  if (sqlite3_get_autocommit(database_->handle()) == 0) (void)database_->run("ROLLBACK");
}

Status Scope::commit() {
  MILLRACE_TRY(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

RowCrc& RowCrc::add(std::int64_t value) {
  static_assert(std::endian::native == std::endian::little);
  char bytes[1 + sizeof value] = {'i'};
  std::memcpy(bytes + 1, &value, sizeof value);
  crc_ = crc32c({bytes, sizeof bytes}, crc_);
  return *this;
}

RowCrc& RowCrc::add(std::string_view text) {
  const auto size = static_cast<std::int64_t>(text.size());
  char bytes[1 + sizeof size] = {'t'};
  std::memcpy(bytes + 1, &size, sizeof size);
  crc_ = crc32c(text, crc32c({bytes, sizeof bytes}, crc_));
  return *this;
}

}  // namespace millrace::log_sqlite::internal
