// Owners of librdkafka's objects.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "log/log.h"

namespace millrace::log_kafka::internal {

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};

using ErrorPtr = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;
using TopicConfPtr = std::unique_ptr<rd_kafka_topic_conf_t, Destroy<rd_kafka_topic_conf_destroy>>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
// Of one that writes to a descriptor when it gets something: it must not once the descriptor is
// gone, whoever else has the queue.
struct DestroyWakingQueue {
  void operator()(rd_kafka_queue_t* queue) const;
};
using WakingQueuePtr = std::unique_ptr<rd_kafka_queue_t, DestroyWakingQueue>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using HeadersPtr = std::unique_ptr<rd_kafka_headers_t, Destroy<rd_kafka_headers_destroy>>;
using ListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                Destroy<rd_kafka_topic_partition_list_destroy>>;
using GroupMetadataPtr = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                         Destroy<rd_kafka_consumer_group_metadata_destroy>>;
using AdminOptionsPtr =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
// Consumers do not leave their group. In the library some states make destruction wait without end
// (a topic deleted under a reader is one): after kDestroyMax the handle is left to itself, with its
// threads.
inline constexpr Milliseconds kDestroyMax{5'000};
struct DestroyHandle {
  void operator()(rd_kafka_t* handle) const;
};
using HandlePtr = std::unique_ptr<rd_kafka_t, DestroyHandle>;

ListPtr new_list(std::size_t size);
ListPtr copy_list(const rd_kafka_topic_partition_list_t& list);
void add(rd_kafka_topic_partition_list_t& list, const log::TopicPartition& source,
         std::int64_t offset);
log::TopicPartition source_of(const rd_kafka_topic_partition_t& entry);
// "topic/partition", for people.
std::string name_of(const log::TopicPartition& source);

}  // namespace millrace::log_kafka::internal
