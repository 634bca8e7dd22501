// Batches out of one of librdkafka's queues.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "env/clock.h"
#include "log/log.h"
#include "log_kafka/internal/handles.h"

namespace millrace::log_kafka::internal {

struct FeedLimits {
  std::size_t records_max = 0;
  std::size_t bytes_max = 0;
};

// Takes the messages of one partition over, in the order they come, and copies each once. One
// thread.
class Feed {
 public:
  // `queue` holds messages of `source` only; it writes to `wake` when it gets any. `position` is
  // the offset where reading begins.
  Feed(log::TopicPartition source, WakingQueuePtr queue, int wake, Offset position,
       FeedLimits limits, env::Clock& clock);
  Feed(Feed&&) = default;
  Feed& operator=(Feed&&) = default;

  // Of what is taken over from now on, and of the batch that grows already.
  void limit(FeedLimits limits) { limits_ = limits; }
  // Takes over what the client holds, up to one batch.
  void fill(rd_kafka_t& handle);
  // What there is, up to one batch.
  std::optional<log::Batch> take();
  // What lies up to `position` is no record.
  void pass(Offset position) { position_ = std::max(position_, position); }
  // Forgets what was taken over and not handed out; reading goes on at `position`.
  void restart(Offset position);

  const log::TopicPartition& source() const { return source_; }
  rd_kafka_queue_t* queue() { return queue_.get(); }
  // Next to be handed out.
  Offset position() const { return position_; }
  // Where to read on from after an interruption of the client: behind what was taken over.
  Offset fetched() const { return fetched_; }
  // The end as told by the broker, when everything before it was handed out.
  std::optional<Offset> end_reached() const;
  // What the client said instead of a message; cleared by the call, but for a damaged record, which
  // nothing is read behind.
  std::optional<rd_kafka_resp_err_t> take_error();

 private:
  static void on_message(rd_kafka_message_t* message, void* opaque);
  void add(rd_kafka_message_t& message);
  void finish(log::Batch& batch);

  struct Growing {
    log::Batch batch;
    std::vector<std::pair<std::size_t, std::size_t>> headers;  // of each record: first, count
  };

  log::TopicPartition source_;
  WakingQueuePtr queue_;
  Offset position_;
  Offset fetched_;
  FeedLimits limits_;
  env::Clock* clock_;
  rd_kafka_t* handle_ = nullptr;  // during fill()
  std::deque<log::Batch> full_;   // at most one
  Growing growing_;
  std::optional<Offset> end_;
  std::optional<rd_kafka_resp_err_t> error_;
  bool damaged_ = false;  // error_ is that of a damaged record
};

}  // namespace millrace::log_kafka::internal
