// Reading a topic without a group.
#pragma once

#include <memory>
#include <vector>

#include "log/log.h"
#include "log_sqlite/internal/log_file.h"
#include "log_sqlite/internal/partition_reader.h"
#include "log_sqlite/internal/waiter.h"

namespace millrace::log_sqlite::internal {

// Without `follow` partitions come one after the other, with it they take turns.
class SqliteReader final : public log::Reader {
 public:
  static Result<std::unique_ptr<log::Reader>> open(LogFile& log, const log::ReaderOptions& options);
  Result<std::optional<log::Batch>> next(SteadyTime until) override;
  bool at_end() const override;

 private:
  struct Partition {
    std::int64_t row = 0;
    log::TopicPartition source;
    Offset position;
    Offset end;
    PartitionReader reader;
  };
  SqliteReader(LogFile& log, std::unique_ptr<Database> database, bool follow);
  Result<std::optional<log::Batch>> read(Partition& partition);
  Status refresh();

  LogFile* log_;
  std::unique_ptr<Database> database_;
  Waiter waiter_;
  const bool follow_;
  std::vector<Partition> partitions_;
  std::size_t turn_ = 0;
};

}  // namespace millrace::log_sqlite::internal
