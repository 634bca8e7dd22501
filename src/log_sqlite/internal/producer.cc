#include "log_sqlite/internal/producer.h"

#include "base/text.h"
#include "env/crash_point.h"
#include "env/digest.h"

namespace millrace::log_sqlite::internal {
namespace {

std::int64_t producer_crc(std::string_view resume_id, std::int64_t topic, std::int64_t next_row) {
  return RowCrc().add(resume_id).add(topic).add(next_row).value();
}

}  // namespace

Result<std::vector<std::string>> check_producers(Database& database, std::uint64_t& count) {
  std::vector<std::string> bad;
  MILLRACE_ASSIGN(Query row,
                  database.query("SELECT resume_id, topic_id, next_row, crc FROM producer"));
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) return bad;
    ++count;
    if (row.integer(3) == producer_crc(row.text(0), row.integer(1), row.integer(2))) continue;
    bad.push_back("the row of producer '" + printable(row.text(0)) + "' is bad");
  }
}

SqliteProducer::SqliteProducer(LogFile& log, std::unique_ptr<Database> database)
    : log_(&log), database_(std::move(database)), writer_(*database_) {}

Result<std::unique_ptr<log::Producer>> SqliteProducer::open(LogFile& log,
                                                            const log::ProducerOptions& options) {
  MILLRACE_ASSIGN(auto database, log.connect());
  std::unique_ptr<SqliteProducer> producer(new SqliteProducer(log, std::move(database)));
  MILLRACE_TRY(producer->writer_.open_topic(options.topic));
  if (!options.resume_id.empty()) {
    // Ids are any text, file names are not.
    const env::Path lock =
        log.locks() / ("produce-" + env::sha256_hex(options.resume_id).substr(0, 32));
    auto held = env::FileLock::acquire(lock);
    if (!held && held.error().code() != ErrorCode::kLockHeld) return held.error();
    if (!held) {
      return held.error().with_context("another producer with the id '" + options.resume_id +
                                       "' is at work");
    }
    producer->lock_.emplace(std::move(*held));
    producer->resume_id_ = options.resume_id;
    MILLRACE_ASSIGN(producer->topic_, find_topic(*producer->database_, options.topic));
  }
  return std::unique_ptr<log::Producer>(std::move(producer));
}

Result<std::optional<RowNumber>> SqliteProducer::position() {
  if (!topic_) return std::optional<RowNumber>();
  MILLRACE_ASSIGN(Query row, database_->query("SELECT topic_id, next_row, crc FROM producer WHERE "
                                              "resume_id = ?1",
                                              resume_id_));
  MILLRACE_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<RowNumber>();
  if (row.integer(2) != producer_crc(resume_id_, row.integer(0), row.integer(1))) {
    return damaged(database_->file(), "the row of producer '" + resume_id_ + "' is bad");
  }
  if (row.integer(0) != topic_->id) return std::optional<RowNumber>();  // another topic's
  return std::optional<RowNumber>(RowNumber(row.integer(1)));
}

Status SqliteProducer::remember(RowNumber next_row) {
  return database_->run("INSERT OR REPLACE INTO producer VALUES (?1, ?2, ?3, ?4)", resume_id_,
                        topic_->id, next_row,
                        producer_crc(resume_id_, topic_->id, next_row.value()));
}

Status SqliteProducer::commit(RowNumber next_row) {
  writer_.seal();
  MILLRACE_TRY(log_->check_not_swapped());
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kWrite));
  MILLRACE_TRY(writer_.write(*database_));
  env::crash_point("log.in_transaction");
  if (topic_) MILLRACE_TRY(remember(next_row));
  env::crash_point("log.before_log_commit");
  MILLRACE_TRY(scope.commit());
  env::crash_point("log.after_log_commit");
  writer_.clear();
  return {};
}

}  // namespace millrace::log_sqlite::internal
