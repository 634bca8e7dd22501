#include "log_kafka/internal/feed.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace millrace::log_kafka::internal {
namespace {

// What an eventfd is written.
constexpr std::uint64_t kOne = 1;

// The library whose source the following was read in: 2.0.2.
constexpr int kLibraryRead = 0x020002ff;
constexpr std::uintptr_t kPageBytes = 4096;

// Whether a record has no headers, where that can be told without asking the library: it allocates
// to say so, which is a sixteenth of what a record costs altogether. Values are handed out where
// they were received, and there the count of headers follows the value (record format 2; in older
// formats records have none). In the page where the value ends, that byte can be looked at.
bool has_surely_no_headers(const rd_kafka_message_t& message) {
  static const bool is_read = rd_kafka_version() == kLibraryRead;
  if (!is_read || message.payload == nullptr || message.len == 0) return false;
  const char* behind = static_cast<const char*>(message.payload) + message.len;
  return reinterpret_cast<std::uintptr_t>(behind) % kPageBytes != 0 && *behind == 0;
}

// Behind a damaged batch the library (2.0.2) loses its place: it takes text for a batch of an
// unknown format, and reads on from an offset that was never told.
bool is_damage(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__BAD_MSG || error == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
         error == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED;
}

}  // namespace

Feed::Feed(log::TopicPartition source, WakingQueuePtr queue, int wake, Offset position,
           FeedLimits limits, env::Clock& clock)
    : source_(std::move(source)),
      queue_(std::move(queue)),
      position_(position),
      fetched_(position),
      limits_(limits),
      clock_(&clock) {
  rd_kafka_queue_io_event_enable(queue_.get(), wake, &kOne, sizeof kOne);
  growing_.batch.source = source_;
}

void Feed::fill(rd_kafka_t& handle) {
  if (!full_.empty()) return;
  handle_ = &handle;
  // Serves everything in the queue, or as much as on_message() lets it.
  rd_kafka_consume_callback_queue(queue_.get(), 0, &Feed::on_message, this);
}

void Feed::on_message(rd_kafka_message_t* message, void* opaque) {
  Feed& feed = *static_cast<Feed*>(opaque);
  if (feed.damaged_) {
    // Nothing counts any more.
  } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    feed.add(*message);
  } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    feed.end_ = Offset(message->offset);
  } else {
    feed.damaged_ = is_damage(message->err);
    feed.error_ = feed.damaged_ ? RD_KAFKA_RESP_ERR__BAD_MSG : message->err;
  }
  if (!feed.full_.empty()) rd_kafka_yield(feed.handle_);
}

void Feed::add(rd_kafka_message_t& message) {
  const Offset offset(message.offset);
  if (offset < fetched_) return;  // of a compressed batch that begins before the position
  const auto text = [](const void* at, std::size_t size) {
    return std::string_view(static_cast<const char*>(at), size);
  };
  rd_kafka_headers_t* headers = nullptr;
  std::size_t header_count = 0;
  std::size_t bytes = message.len + message.key_len;
  if (!has_surely_no_headers(message) &&
      rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    header_count = rd_kafka_header_cnt(headers);
  }
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; i < header_count; ++i) {
    rd_kafka_header_get_all(headers, i, &name, &value, &size);
    bytes += std::string_view(name).size() + size;
  }
  log::Batch* batch = &growing_.batch;
  if (!batch->records.empty() &&
      (batch->records.size() >= limits_.records_max || batch->bytes + bytes > limits_.bytes_max)) {
    finish(*batch);
    const std::size_t likely = batch->records.size();
    full_.push_back(std::move(*batch));
    growing_ = Growing{};
    batch = &growing_.batch;
    batch->source = source_;
    batch->records.reserve(likely);
    growing_.headers.reserve(likely);
  }
  log::Record record;
  record.offset = offset;
  record.timestamp =
      Timestamp(std::max<std::int64_t>(rd_kafka_message_timestamp(&message, nullptr), 0));
  if (message.key != nullptr) record.key = batch->arena.copy(text(message.key, message.key_len));
  if (message.payload != nullptr) {
    record.value = batch->arena.copy(text(message.payload, message.len));
  }
  growing_.headers.emplace_back(batch->headers.size(), header_count);
  for (std::size_t i = 0; i < header_count; ++i) {
    rd_kafka_header_get_all(headers, i, &name, &value, &size);
    log::Header header{batch->arena.copy(name), std::nullopt};
    if (value != nullptr) header.value = batch->arena.copy(text(value, size));
    batch->headers.push_back(header);
  }
  batch->records.push_back(record);
  batch->bytes += bytes;
  batch->next = offset.next();
  fetched_ = offset.next();
  end_.reset();
}

void Feed::finish(log::Batch& batch) {
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    const auto [first, count] = growing_.headers[i];
    batch.records[i].headers = std::span<const log::Header>(batch.headers).subspan(first, count);
  }
  growing_.headers.clear();
}

std::optional<log::Batch> Feed::take() {
  std::optional<log::Batch> batch;
  if (!full_.empty()) {
    batch = std::move(full_.front());
    full_.pop_front();
  } else if (!growing_.batch.records.empty()) {
    finish(growing_.batch);
    batch = std::move(growing_.batch);
    growing_ = Growing{};
    growing_.batch.source = source_;
    if (end_) batch->next = std::max(batch->next, *end_);  // markers behind the last record
  } else {
    return std::nullopt;
  }
  batch->arrived = clock_->steady();
  position_ = batch->next;
  return batch;
}

std::optional<rd_kafka_resp_err_t> Feed::take_error() {
  if (damaged_) return error_;
  return std::exchange(error_, std::nullopt);
}

void Feed::restart(Offset position) {
  full_.clear();
  growing_ = Growing{};
  growing_.batch.source = source_;
  position_ = position;
  fetched_ = position;
  end_.reset();
  error_.reset();
  damaged_ = false;
}

std::optional<Offset> Feed::end_reached() const {
  if (!full_.empty() || !growing_.batch.records.empty()) return std::nullopt;
  return end_;
}

}  // namespace millrace::log_kafka::internal
