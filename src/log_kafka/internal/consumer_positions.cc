// Where the consumer reads: moving, pausing, going back.
#include <utility>

#include "log_kafka/internal/consumer.h"
#include "log_kafka/internal/errors.h"

namespace millrace::log_kafka::internal {
namespace {

constexpr Milliseconds kSeekMax{5'000};

int ms(Milliseconds time) { return static_cast<int>(time.count()); }

}  // namespace

Status KafkaConsumer::pause(const log::TopicPartition& source) {
  MILLRACE_ASSIGN(Partition * partition, find(source));
  if (std::exchange(partition->paused, true)) return {};
  const ListPtr list = new_list(1);
  add(*list, source, RD_KAFKA_OFFSET_INVALID);
  const auto error = rd_kafka_pause_partitions(handle_.get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_error(error, "cannot pause " + name_of(source));
  return {};
}

Status KafkaConsumer::resume(const log::TopicPartition& source) {
  MILLRACE_ASSIGN(Partition * partition, find(source));
  if (!std::exchange(partition->paused, false)) return {};
  const ListPtr list = new_list(1);
  add(*list, source, RD_KAFKA_OFFSET_INVALID);
  const auto error = rd_kafka_resume_partitions(handle_.get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_error(error, "cannot resume " + name_of(source));
  return {};
}

Status KafkaConsumer::move_to(const log::TopicPartition& source, Partition& partition,
                              Offset position) {
  partition.feed.restart(position);
  const ListPtr list = new_list(1);
  add(*list, source, position.value());
  const ErrorPtr error(rd_kafka_seek_partitions(handle_.get(), list.get(), ms(kSeekMax)));
  if (error) return to_error(*error, "cannot go to offset " + std::to_string(position.value()));
  if (list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return to_error(list->elems[0].err, "cannot go to offset " + std::to_string(position.value()) +
                                          " of " + name_of(source));
}

Status KafkaConsumer::seek(const log::TopicPartition& source, Offset position) {
  MILLRACE_ASSIGN(Partition * partition, find(source));
  MILLRACE_ASSIGN(const auto ends, client_->list_offsets({source}, RD_KAFKA_OFFSET_END));
  partition->end = ends.at(source);
  if (position.value() < 0 || position > partition->end) {
    return Error(ErrorCode::kUsage, "offset " + std::to_string(position.value()) +
                                        " is outside of partition " + name_of(source));
  }
  return move_to(source, *partition, position);
}

// Back to what is committed. Partitions that are being given away, or lost, are read by others.
Status KafkaConsumer::rewind() {
  if (revoking_ || name_is_taken_) return {};
  for (auto& [source, partition] : partitions_) {
    if (partition.feed.fetched() == partition.rewind_to) continue;
    Status moved = move_to(source, partition, partition.rewind_to);
    if (moved) continue;
    if (moved.error().disposition() != Disposition::kRetry) return moved;
    // The client is between two states; taking everything up again always works.
    client_->logger().debug("Kafka: " + moved.error().message() + "; taking up anew");
    for (auto& [each, state] : partitions_) state.feed.restart(state.rewind_to);
    return assign_again();
  }
  return {};
}

Result<std::map<log::TopicPartition, Offset>> KafkaConsumer::end_offsets() {
  MILLRACE_ASSIGN(auto ends, client_->list_offsets(assigned(), RD_KAFKA_OFFSET_END));
  for (auto& [source, partition] : partitions_) partition.end = ends.at(source);
  return ends;
}

Result<std::map<log::TopicPartition, Offset>> KafkaConsumer::offsets_for_time(Timestamp time) {
  return client_->list_offsets(assigned(), std::max<std::int64_t>(time.value(), 0));
}

// All partitions from where they are; what the client has fetched ahead is fetched once more.
Status KafkaConsumer::assign_again() {
  const ListPtr list = new_list(partitions_.size());
  for (auto& [source, partition] : partitions_) {
    partition.paused = false;
    add(*list, source, partition.feed.fetched().value());
  }
  const auto error = rd_kafka_assign(handle_.get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_error(error, "cannot take up partitions again");
  return {};
}

}  // namespace millrace::log_kafka::internal
