#include "log_sqlite/internal/reader.h"

#include <algorithm>

#include "log_sqlite/internal/catalog.h"

namespace millrace::log_sqlite::internal {
namespace {

constexpr ReadLimits kLimits{10'000, std::size_t{8} << 20};

}  // namespace

SqliteReader::SqliteReader(LogFile& log, std::unique_ptr<Database> database, bool follow)
    : log_(&log), database_(std::move(database)), waiter_(log), follow_(follow) {}

Result<std::unique_ptr<log::Reader>> SqliteReader::open(LogFile& log,
                                                        const log::ReaderOptions& options) {
  MILLRACE_ASSIGN(auto database, log.connect());
  std::unique_ptr<SqliteReader> reader(new SqliteReader(log, std::move(database), options.follow));
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*reader->database_, Scope::Kind::kRead));
  MILLRACE_ASSIGN(const TopicRow topic, find_topic(*reader->database_, options.topic));
  MILLRACE_ASSIGN(const auto rows, partitions_of(*reader->database_, topic));
  std::vector<PartitionId> wanted = options.partitions;
  if (wanted.empty()) {
    for (const PartitionRow& row : rows) wanted.push_back(row.number);
  }
  for (const PartitionId number : wanted) {
    if (number.value() < 0 || static_cast<std::size_t>(number.value()) >= rows.size()) {
      return Error(ErrorCode::kUsage, "topic '" + options.topic.value() + "' has no partition " +
                                          std::to_string(number.value()));
    }
    const PartitionRow& row = rows[static_cast<std::size_t>(number.value())];
    const log::TopicPartition source{options.topic, number};
    const auto from = options.from.find(number);
    const Offset position =
        from == options.from.end() ? row.begin : std::max(row.begin, from->second);
    reader->partitions_.push_back(
        {row.id, source, position, row.end, PartitionReader(source, row.id)});
  }
  return std::unique_ptr<log::Reader>(std::move(reader));
}

Result<std::optional<log::Batch>> SqliteReader::next(SteadyTime until) {
  while (true) {
    for (std::size_t tried = 0; tried < partitions_.size(); ++tried) {
      Partition& partition = partitions_[turn_];
      MILLRACE_ASSIGN(auto batch, read(partition));
      if (!batch || follow_) turn_ = (turn_ + 1) % partitions_.size();
      if (batch) return batch;
    }
    if (!follow_) return std::optional<log::Batch>();
    MILLRACE_TRY(refresh());
    if (!at_end()) continue;
    if (log_->clock().steady() >= until) return std::optional<log::Batch>();
    waiter_.wait(until);
  }
}

Result<std::optional<log::Batch>> SqliteReader::read(Partition& partition) {
  if (partition.position >= partition.end) return std::optional<log::Batch>();
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  MILLRACE_ASSIGN(const auto row, partition_by_id(*database_, partition.row));
  if (!row) {
    return Error(ErrorCode::kUnknownTopic, "topic '" + partition.source.topic.value() +
                                               "' was deleted while it was being read");
  }
  partition.position = std::max(partition.position, row->begin);  // trimmed meanwhile
  if (partition.position >= partition.end) return std::optional<log::Batch>();
  log::Batch batch;
  ReadLimits limits = kLimits;
  limits.records_max =
      std::min(limits.records_max,
               static_cast<std::size_t>(partition.end.value() - partition.position.value()));
  MILLRACE_TRY(partition.reader.read(*database_, partition.position, limits, batch));
  batch.arrived = log_->clock().steady();
  partition.position = batch.next;
  return std::optional<log::Batch>(std::move(batch));
}

Status SqliteReader::refresh() {
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  for (Partition& partition : partitions_) {
    MILLRACE_ASSIGN(const auto row, partition_by_id(*database_, partition.row));
    if (row) partition.end = row->end;
  }
  return {};
}

bool SqliteReader::at_end() const {
  return std::all_of(partitions_.begin(), partitions_.end(), [](const Partition& partition) {
    return partition.position >= partition.end;
  });
}

}  // namespace millrace::log_sqlite::internal
