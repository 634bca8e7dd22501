#include "log_sqlite/internal/batch_writer.h"

#include <utility>

#include "base/check.h"
#include "log/append_rules.h"

namespace millrace::log_sqlite::internal {

Result<log::TopicHandle> BatchWriter::open_topic(const TopicName& name) {
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    if (topics_[i].row.name == name) return log::TopicHandle(static_cast<std::int32_t>(i));
  }
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  Topic topic;
  MILLRACE_ASSIGN(topic.row, find_topic(*database_, name));
  MILLRACE_ASSIGN(const auto partitions, partitions_of(*database_, topic.row));
  for (const PartitionRow& partition : partitions) topic.partition_rows.push_back(partition.id);
  topic.batches.resize(partitions.size());
  topics_.push_back(std::move(topic));
  return log::TopicHandle(static_cast<std::int32_t>(topics_.size() - 1));
}

std::unique_ptr<BatchEncoder> BatchWriter::fresh_encoder() {
  if (spare_.empty()) return std::make_unique<BatchEncoder>();
  auto encoder = std::move(spare_.back());
  spare_.pop_back();
  spare_bytes_ -= encoder->capacity();
  return encoder;
}

Status BatchWriter::append(log::TopicHandle handle, const log::NewRecord& record) {
  CHECK(handle.value() >= 0 && static_cast<std::size_t>(handle.value()) < topics_.size());
  Topic& topic = topics_[static_cast<std::size_t>(handle.value())];
  const std::size_t bytes = log::record_bytes(record);
  if (bytes > topic.row.config.message_bytes_max || record.headers.size() > log::kRecordHeadersMax)
      [[unlikely]] {
    return log::check_record(topic.row.name, topic.row.config.message_bytes_max, record);
  }
  if (bytes_ + bytes > kCommitBytesMax) [[unlikely]] {
    return Error(ErrorCode::kLimitExceeded,
                 "more than " + std::to_string(kCommitBytesMax >> 20) +
                     " MiB were appended without a commit; commit more often");
  }
  MILLRACE_ASSIGN(
      const PartitionId partition,
      log::choose_partition(topic.row.name, topic.row.config.partitions, record, topic.turn));
  Encoders& batches = topic.batches[static_cast<std::size_t>(partition.value())];
  if (batches.empty() || batches.back()->full() ||
      batches.back()->bytes_with(bytes) > kBatchBytesMax) [[unlikely]] {
    batches.push_back(fresh_encoder());
  }
  batches.back()->append(record, bytes);
  bytes_ += bytes;
  ++records_;
  return {};
}

void BatchWriter::seal() {
  for (Topic& topic : topics_) {
    for (Encoders& batches : topic.batches) {
      for (auto& batch : batches) batch->seal();
    }
  }
}

Status BatchWriter::write(Database& database) {
  for (const Topic& topic : topics_) {
    for (std::size_t i = 0; i < topic.batches.size(); ++i) {
      if (topic.batches[i].empty()) continue;
      MILLRACE_TRY(write_partition(database, topic, topic.partition_rows[i], topic.batches[i]));
    }
  }
  return {};
}

Status BatchWriter::write_partition(Database& database, const Topic& topic,
                                    std::int64_t partition_row, const Encoders& batches) {
  MILLRACE_ASSIGN(auto found, partition_by_id(database, partition_row));
  if (!found) {
    return Error(ErrorCode::kUnknownTopic,
                 "topic '" + topic.row.name.value() + "' was deleted while it was in use");
  }
  PartitionRow& row = *found;
  for (const auto& batch : batches) {
    const std::string_view bytes = batch->place(row.id, row.end);
    const BatchHeader& header = batch->header();
    MILLRACE_TRY(database.run("INSERT INTO batch VALUES (NULL, ?1, ?2, ?3, ?4, ?5)", row.id,
                              header.base, header.next(), header.time_max, Blob{bytes}));
    row.end = header.next();
    row.bytes += static_cast<std::int64_t>(bytes.size());
  }
  return update_partition(database, row);
}

void BatchWriter::clear() {
  for (Topic& topic : topics_) {
    for (Encoders& batches : topic.batches) {
      for (auto& batch : batches) {
        if (spare_bytes_ + batch->capacity() > kSpareBytesMax) continue;
        batch->clear();
        spare_bytes_ += batch->capacity();
        spare_.push_back(std::move(batch));
      }
      batches.clear();
    }
  }
  bytes_ = 0;
  records_ = 0;
}

}  // namespace millrace::log_sqlite::internal
