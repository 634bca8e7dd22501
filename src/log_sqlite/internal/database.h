// One connection to the log file: prepared statements, transactions, errors as values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"
#include "log_sqlite/sqlite_log.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_blob;

namespace millrace::log_sqlite::internal {

// Bytes bound as a BLOB without a copy: they must live until the statement was run.
struct Blob {
  std::string_view bytes;
};

class Database;

// A statement on its way: step() to the next row, columns of the row at hand. Resets the prepared
// statement when it goes out of scope.
class Query {
 public:
  Query(Query&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  // True: there is a row. False: the end.
  Result<bool> step();
  // The columns of the row; views live until the next step().
  std::int64_t integer(int column) const;
  bool is_null(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;

 private:
  friend class Database;
  Query(Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}

  Database* database_;
  sqlite3_stmt* statement_;
};

// One thread at a time. Every statement's SQL is a literal (its address is the cache's key).
class Database {
 public:
  enum class Access { kReadWrite, kCreate };
  // How long a statement waits for another connection's write before it gives up with kTryAgain.
  static constexpr Milliseconds kBusyWait{10'000};

  static Result<std::unique_ptr<Database>> open(const env::Path& file, Access access,
                                                SqliteLogOptions::Synchronous synchronous);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs SQL that returns nothing of interest.
  Status execute(const char* sql);

  // A prepared (and cached) statement with its arguments bound, from ?1 on.
  template <class... Args>
  Result<Query> query(const char* sql, const Args&... args) {
    MILLRACE_ASSIGN(sqlite3_stmt * statement, prepare(sql));
    Query query(*this, statement);
    int index = 0;
    (bind(statement, ++index, args), ...);
    return query;
  }
  // Runs a statement to its end.
  template <class... Args>
  Status run(const char* sql, const Args&... args) {
    MILLRACE_ASSIGN(Query statement, query(sql, args...));
    bool more = true;
    while (more) {
      MILLRACE_ASSIGN(more, statement.step());
    }
    return {};
  }

  // Changes when another connection, of any process, has committed.
  Result<std::int64_t> data_version();

  // Calls `note(context, frames)` after every commit of this connection: the WAL's length in pages.
  void after_commit(void (*note)(void* context, int frames), void* context);

  // Calls `note(context, error)` for every error() from now on.
  void on_error(void (*note)(void* context, const Error& error), void* context);

  std::int64_t last_row() const;
  const env::Path& file() const { return file_; }
  sqlite3* handle() { return handle_; }

  // An Error for the last failure of this connection: "<what> '<file>': <reason>".
  Error error(std::string_view what) const;
  // Whether the last failure came from syncing, after which nobody knows what the disk holds.
  bool failed_in_sync() const;

 private:
  explicit Database(env::Path file) : file_(std::move(file)) {}
  Result<sqlite3_stmt*> prepare(const char* sql);
  static int tell_commit(void* self, sqlite3*, const char*, int frames);
  static void bind(sqlite3_stmt* statement, int index, std::int64_t value);
  static void bind(sqlite3_stmt* statement, int index, std::string_view text);
  static void bind(sqlite3_stmt* statement, int index, const std::string& text) {
    bind(statement, index, std::string_view(text));
  }
  static void bind(sqlite3_stmt* statement, int index, Blob blob);
  static void bind(sqlite3_stmt* statement, int index, std::nullopt_t);
  template <class T>
  static void bind(sqlite3_stmt* statement, int index, const std::optional<T>& value) {
    value ? bind(statement, index, *value) : bind(statement, index, std::nullopt);
  }
  template <class Tag, class Int>
  static void bind(sqlite3_stmt* statement, int index, StrongInt<Tag, Int> value) {
    bind(statement, index, std::int64_t{value.value()});
  }
  template <class Tag>
  static void bind(sqlite3_stmt* statement, int index, const StrongString<Tag>& value) {
    bind(statement, index, std::string_view(value.value()));
  }

  env::Path file_;
  sqlite3* handle_ = nullptr;
  std::vector<std::pair<const char*, sqlite3_stmt*>> statements_;
  void (*note_)(void*, int) = nullptr;
  void* note_context_ = nullptr;
  void (*note_error_)(void*, const Error&) = nullptr;
  void* error_context_ = nullptr;
};

// Reads `data` of batches straight into the caller's memory. Keeps a read transaction open: for the
// inside of a Scope only.
class BlobReader {
 public:
  explicit BlobReader(Database& database) : database_(&database) {}
  ~BlobReader();
  BlobReader(const BlobReader&) = delete;
  BlobReader& operator=(const BlobReader&) = delete;
  // The first `size` bytes of the batch's data, which has as many.
  Status read(std::int64_t batch, char* out, std::size_t size);

 private:
  Database* database_;
  sqlite3_blob* blob_ = nullptr;
};

// kConfig: the file is something else, or its first page is damaged.
Error not_a_log(const env::Path& file);

// BEGIN ... COMMIT, rolled back when it goes out of scope before commit().
class Scope {
 public:
  enum class Kind { kRead, kWrite };  // kWrite takes the write lock at once
  static Result<Scope> begin(Database& database, Kind kind);
  Scope(Scope&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Scope& operator=(Scope&&) = delete;
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope();
  Status commit();

 private:
  explicit Scope(Database& database) : database_(&database) {}
  Database* database_;
};

// CRC-32C over the columns of a row, in order, each column framed so that no two rows run together.
class RowCrc {
 public:
  RowCrc& add(std::int64_t value);
  RowCrc& add(std::string_view text);
  std::int64_t value() const { return crc_; }

 private:
  std::uint32_t crc_ = 0;
};

}  // namespace millrace::log_sqlite::internal
