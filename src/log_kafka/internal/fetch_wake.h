// Keeps a client fetching while whoever reads (consumer.h, reader.h) empties its queues: by itself
// librdkafka 2.0.2 leaves a queue that was full alone for a second (see the traps in README.md).
#pragma once

#include <cstddef>
#include <cstdint>

#include "log_kafka/internal/client.h"

namespace millrace::log_kafka::internal {

class FetchWake {
 public:
  FetchWake() = default;
  // `queue_kbytes`: what the queue of a partition holds at most.
  explicit FetchWake(std::int64_t queue_kbytes)
      : every_(static_cast<std::size_t>(queue_kbytes) * kBytesOfKbyte / kWakesOfAQueue) {}

  // After `bytes` were taken over from one of the queues of `consumer`.
  void taken(Client& client, rd_kafka_t& consumer, std::size_t bytes) {
    taken_ += bytes;
    if (taken_ < every_) return;
    taken_ = 0;
    client.wake_fetching(consumer);
  }

 private:
  static constexpr std::size_t kBytesOfKbyte = 1'024;
  static constexpr std::size_t kWakesOfAQueue = 4;

  std::size_t every_ = 0;  // bytes
  std::size_t taken_ = 0;  // since the client was woken last
};

}  // namespace millrace::log_kafka::internal
