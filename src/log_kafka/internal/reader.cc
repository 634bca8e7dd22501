#include "log_kafka/internal/reader.h"

#include <algorithm>
#include <utility>

#include "log_kafka/internal/errors.h"

namespace millrace::log_kafka::internal {
namespace {

constexpr FeedLimits kLimits{10'000, std::size_t{8} << 20};
// Fetched ahead of each partition that is read: a reader is an onlooker and should stay small.
constexpr std::int64_t kQueueKbytes = 16'384;
// Partitions read at the same time where the order of partitions is kept.
constexpr std::size_t kAheadMax = 4;

}  // namespace

KafkaReader::KafkaReader(Client& client, log::ReaderOptions options)
    : client_(&client), options_(std::move(options)), fetch_wake_(kQueueKbytes) {
  hooks_.client = &client;
}

Result<std::unique_ptr<log::Reader>> KafkaReader::open(Client& client,
                                                       const log::ReaderOptions& options) {
  std::unique_ptr<KafkaReader> reader(new KafkaReader(client, options));
  MILLRACE_ASSIGN(const std::int32_t count, client.partitions_of(options.topic));
  std::vector<log::TopicPartition> sources;
  for (const PartitionId partition : options.partitions) {
    if (partition.value() < 0 || partition.value() >= count) {
      return Error(ErrorCode::kUsage, "topic '" + options.topic.value() + "' has no partition " +
                                          std::to_string(partition.value()));
    }
    sources.push_back({options.topic, partition});
  }
  for (std::int32_t i = 0; options.partitions.empty() && i < count; ++i)
    sources.push_back({options.topic, PartitionId(i)});
  MILLRACE_ASSIGN(const auto begins, client.list_offsets(sources, RD_KAFKA_OFFSET_BEGINNING));
  MILLRACE_ASSIGN(const auto ends, client.settled_ends(sources));
  MILLRACE_ASSIGN(
      reader->handle_,
      client.make_handle(RD_KAFKA_CONSUMER, reader->hooks_,
                         {{"enable.partition.eof", "true"},
                          {"isolation.level", "read_committed"},
                          {"auto.offset.reset", "earliest"},
                          {"queued.max.messages.kbytes", std::to_string(kQueueKbytes)}}));
  reader->topic_.reset(
      rd_kafka_topic_new(reader->handle_.get(), options.topic.value().c_str(), nullptr));
  for (const log::TopicPartition& source : sources) {
    const auto from = options.from.find(source.partition);
    const Offset begin = begins.at(source);
    const Offset position = from == options.from.end() ? begin : std::max(begin, from->second);
    WakingQueuePtr queue(rd_kafka_queue_new(reader->handle_.get()));
    reader->partitions_.push_back({Feed(source, std::move(queue), reader->wake_.descriptor(),
                                        position, kLimits, client.clock()),
                                   ends.at(source)});
  }
  return std::unique_ptr<log::Reader>(std::move(reader));
}

KafkaReader::~KafkaReader() {
  for (Partition& partition : partitions_) {
    if (partition.started) {
      rd_kafka_consume_stop(topic_.get(), partition.feed.source().partition.value());
    }
  }
  partitions_.clear();
  topic_.reset();
}

Status KafkaReader::start(Partition& partition) {
  if (partition.started) return {};
  partition.started = true;
  const log::TopicPartition& source = partition.feed.source();
  if (rd_kafka_consume_start_queue(topic_.get(), source.partition.value(),
                                   partition.feed.position().value(),
                                   partition.feed.queue()) == 0) {
    return {};
  }
  return to_error(rd_kafka_last_error(), "cannot read topic '" + source.topic.value() + "'");
}

bool KafkaReader::done(const Partition& partition) {
  if (partition.feed.position() >= partition.end) return true;
  const auto reached = partition.feed.end_reached();
  return reached && *reached >= partition.end;
}

Result<std::optional<log::Batch>> KafkaReader::take(Partition& partition) {
  MILLRACE_TRY(start(partition));
  partition.feed.fill(*handle_);
  if (const auto error = partition.feed.take_error()) {
    const ErrorCode code = code_of(*error);
    if (code != ErrorCode::kUnavailable) {
      return to_error(*error, "cannot read topic '" + options_.topic.value() + "'");
    }
  }
  auto batch = partition.feed.take();
  if (batch) fetch_wake_.taken(*client_, *handle_, batch->bytes);
  if (!batch || options_.follow) return batch;
  // What came after the reader was opened is not wanted.
  const auto late = std::find_if(
      batch->records.begin(), batch->records.end(),
      [&partition](const log::Record& record) { return record.offset >= partition.end; });
  batch->records.erase(late, batch->records.end());
  if (batch->records.empty()) return std::optional<log::Batch>();
  batch->next = std::min(batch->next, partition.end);
  return batch;
}

Result<std::optional<log::Batch>> KafkaReader::next(SteadyTime until) {
  while (true) {
    rd_kafka_poll(handle_.get(), 0);
    if (options_.follow) {
      for (std::size_t tried = 0; tried < partitions_.size(); ++tried) {
        Partition& partition = partitions_[turn_];
        turn_ = (turn_ + 1) % partitions_.size();
        MILLRACE_ASSIGN(auto batch, take(partition));
        if (batch) return batch;
      }
    } else {
      while (turn_ < partitions_.size() && done(partitions_[turn_])) ++turn_;
      if (turn_ == partitions_.size()) return std::optional<log::Batch>();
      for (std::size_t i = turn_; i < std::min(turn_ + kAheadMax, partitions_.size()); ++i) {
        if (!done(partitions_[i])) MILLRACE_TRY(start(partitions_[i]));
      }
      MILLRACE_ASSIGN(auto batch, take(partitions_[turn_]));
      if (batch) return batch;
      if (done(partitions_[turn_])) continue;
    }
    client_->look_whether_back();
    if (client_->clock().steady() >= until) return std::optional<log::Batch>();
    wake_.wait(until, client_->clock());
  }
}

bool KafkaReader::at_end() const {
  return std::all_of(partitions_.begin(), partitions_.end(),
                     [](const Partition& partition) { return done(partition); });
}

}  // namespace millrace::log_kafka::internal
