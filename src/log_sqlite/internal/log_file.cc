#include "log_sqlite/internal/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace millrace::log_sqlite::internal {

LogFile::LogFile(SqliteLogOptions options, env::Clock& clock)
    : options_(std::move(options)),
      clock_(&clock),
      locks_(options_.file),
      checkpointer_(options_.file, options_.synchronous) {
  locks_ += ".locks";
}

LogFile::~LogFile() {
  if (news_ >= 0) ::close(news_);
}

Result<std::unique_ptr<LogFile>> LogFile::open(const SqliteLogOptions& options, env::Clock& clock) {
  std::unique_ptr<LogFile> log(new LogFile(options, clock));
  std::error_code missing;
  if (!std::filesystem::exists(options.file, missing)) {
    if (options.create == SqliteLogOptions::Create::kNever) {
      return Error(ErrorCode::kNoInput, "there is no log '" + options.file.string() + "'");
    }
    if (options.file.has_parent_path()) {
      MILLRACE_TRY(env::make_folders(options.file.parent_path()));
    }
    MILLRACE_TRY(create_log_file(options.file, clock));
  }
  MILLRACE_ASSIGN(log->anchor_,
                  Database::open(options.file, Database::Access::kReadWrite, options.synchronous));
  MILLRACE_TRY(recognise_log(*log->anchor_));
  MILLRACE_ASSIGN(log->identity_, read_identity(*log->anchor_));
  MILLRACE_TRY(env::make_folders(log->locks_));
  constexpr mode_t kMode = 0644;
  log->news_ = ::open(log->news_file().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kMode);
  if (log->news_ < 0) return env::errno_error("cannot open", log->news_file(), errno);
  return log;
}

Result<std::unique_ptr<Database>> LogFile::connect() {
  MILLRACE_ASSIGN(auto database, Database::open(options_.file, Database::Access::kReadWrite,
                                                options_.synchronous));
  database->after_commit(&LogFile::after_commit, this);
  database->on_error(&LogFile::on_error, this);
  return database;
}

Status LogFile::check_not_swapped() const {
  return internal::check_not_swapped(options_.file, identity_);
}

void LogFile::after_commit(void* self, int pages) {
  auto* log = static_cast<LogFile*>(self);
  // Lost news only cost the others a quarter of a second (internal/waiter.h).
  [[maybe_unused]] const ssize_t ignored = ::pwrite(log->news_, "n", 1, 0);
  log->checkpointer_.note(pages);
  if (!log->troubled_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(log->trouble_mutex_);
  log->troubled_ = false;
  log->trouble_.reset();
}

void LogFile::on_error(void* self, const Error& error) {
  if (error.code() != ErrorCode::kDiskFull && error.code() != ErrorCode::kIo) return;
  auto* log = static_cast<LogFile*>(self);
  const std::lock_guard lock(log->trouble_mutex_);
  log->trouble_ = error;
  log->troubled_ = true;
}

Status LogFile::reachable() const {
  const std::lock_guard lock(trouble_mutex_);
  if (trouble_) return *trouble_;
  return {};
}

}  // namespace millrace::log_sqlite::internal
