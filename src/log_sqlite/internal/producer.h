// Appending without reading, resumable.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/file.h"
#include "log/log.h"
#include "log_sqlite/internal/batch_writer.h"
#include "log_sqlite/internal/catalog.h"
#include "log_sqlite/internal/log_file.h"

namespace millrace::log_sqlite::internal {

// What is wrong with the rows of resume ids; `count` becomes their number.
Result<std::vector<std::string>> check_producers(Database& database, std::uint64_t& count);

class SqliteProducer final : public log::Producer {
 public:
  static Result<std::unique_ptr<log::Producer>> open(LogFile& log,
                                                     const log::ProducerOptions& options);
  Result<log::TopicHandle> open_topic(const TopicName& topic) override {
    return writer_.open_topic(topic);
  }
  Status append(log::TopicHandle topic, const log::NewRecord& record) override {
    return writer_.append(topic, record);
  }
  Result<std::optional<RowNumber>> position() override;
  Status commit(RowNumber next_row) override;

 private:
  SqliteProducer(LogFile& log, std::unique_ptr<Database> database);
  Status remember(RowNumber next_row);

  LogFile* log_;
  std::unique_ptr<Database> database_;
  BatchWriter writer_;
  std::string resume_id_;
  std::optional<TopicRow> topic_;  // what the resume id is tied to
  std::optional<env::FileLock> lock_;
};

}  // namespace millrace::log_sqlite::internal
