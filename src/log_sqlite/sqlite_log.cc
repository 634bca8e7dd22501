#include "log_sqlite/sqlite_log.h"

#include "log_sqlite/internal/admin.h"
#include "log_sqlite/internal/consumer.h"
#include "log_sqlite/internal/log_file.h"
#include "log_sqlite/internal/producer.h"
#include "log_sqlite/internal/reader.h"

namespace millrace::log_sqlite {
namespace {

class SqliteLog final : public log::Log {
 public:
  SqliteLog(std::unique_ptr<internal::LogFile> file, std::unique_ptr<internal::Database> database)
      : file_(std::move(file)), admin_(*file_, std::move(database)) {}

  std::string url() const override { return "sqlite:" + file_->file().string(); }
  log::Capabilities capabilities() const override {
    return {.transactions = true, .brokers = false, .dense_offsets = true, .embedded = true};
  }
  Status reachable() const override { return file_->reachable(); }
  log::Admin& admin() override { return admin_; }
  Result<std::unique_ptr<log::Consumer>> open_consumer(
      const log::ConsumerOptions& options) override {
    return internal::SqliteConsumer::open(*file_, options);
  }
  Result<std::unique_ptr<log::Reader>> open_reader(const log::ReaderOptions& options) override {
    return internal::SqliteReader::open(*file_, options);
  }
  Result<std::unique_ptr<log::Producer>> open_producer(
      const log::ProducerOptions& options) override {
    return internal::SqliteProducer::open(*file_, options);
  }

 private:
  std::unique_ptr<internal::LogFile> file_;
  internal::SqliteAdmin admin_;
};

}  // namespace

Result<std::unique_ptr<log::Log>> open_sqlite_log(const SqliteLogOptions& options,
                                                  env::Clock& clock) {
  MILLRACE_ASSIGN(auto file, internal::LogFile::open(options, clock));
  MILLRACE_ASSIGN(auto database, file->connect());
  return std::unique_ptr<log::Log>(
      std::make_unique<SqliteLog>(std::move(file), std::move(database)));
}

}  // namespace millrace::log_sqlite
