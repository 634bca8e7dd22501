#include "log_kafka/internal/handles.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace millrace::log_kafka::internal {

void DestroyHandle::operator()(rd_kafka_t* handle) const {
  struct Done {
    std::mutex mutex;
    std::condition_variable changed;
    bool yes = false;
  };
  const auto done = std::make_shared<Done>();
  // A handle left behind must not speak to a logger that is gone.
  rd_kafka_set_log_level(handle, 0);
  std::thread([handle, done] {
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    {
      const std::lock_guard lock(done->mutex);
      done->yes = true;
    }
    done->changed.notify_all();
  }).detach();
  std::unique_lock lock(done->mutex);
  done->changed.wait_for(lock, kDestroyMax, [&done] { return done->yes; });
}

void DestroyWakingQueue::operator()(rd_kafka_queue_t* queue) const {
  rd_kafka_queue_io_event_enable(queue, -1, nullptr, 0);
  rd_kafka_queue_destroy(queue);
}

ListPtr new_list(std::size_t size) {
  return ListPtr(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

ListPtr copy_list(const rd_kafka_topic_partition_list_t& list) {
  return ListPtr(rd_kafka_topic_partition_list_copy(&list));
}

void add(rd_kafka_topic_partition_list_t& list, const log::TopicPartition& source,
         std::int64_t offset) {
  rd_kafka_topic_partition_list_add(&list, source.topic.value().c_str(), source.partition.value())
      ->offset = offset;
}

log::TopicPartition source_of(const rd_kafka_topic_partition_t& entry) {
  return {TopicName(entry.topic), PartitionId(entry.partition)};
}

std::string name_of(const log::TopicPartition& source) {
  return source.topic.value() + "/" + std::to_string(source.partition.value());
}

}  // namespace millrace::log_kafka::internal
