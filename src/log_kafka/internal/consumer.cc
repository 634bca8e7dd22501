#include "log_kafka/internal/consumer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log_kafka/internal/errors.h"

namespace millrace::log_kafka::internal {
namespace {

constexpr Milliseconds kPassMarkersEvery{1'000};
constexpr Milliseconds kPassMarkersMax{2'000};
constexpr Milliseconds kAbortMax{10'000};
// Between two polls of a program that scores; longer is taken as "stuck" by the group.
constexpr Milliseconds kPollIntervalMax{300'000};
// A member hears of a rebalance with its next heartbeat.
constexpr Milliseconds kHeartbeatMin{100};
constexpr Milliseconds kHeartbeatMax{3'000};
// A message of 500 bytes takes a third more in the client's queue.
constexpr std::int64_t kQueueOverhead = 3;
// The bytes fetched ahead are shared by the partitions, but none gets less than this.
constexpr std::int64_t kQueueKbytesMin = 1'024;

// So much that what a batch costs by itself does not matter, so little that the caches keep it.
constexpr std::size_t kBatchBytesMax = std::size_t{1} << 20;
// Somebody waits for the first predictions.
constexpr std::size_t kFirstBatchBytes = std::size_t{64} << 10;

// What the user set, which the library has checked, or `otherwise`.
Milliseconds property_or(const Client& client, const std::string& name, Milliseconds otherwise) {
  const std::string text = client.property(name);
  return text.empty() ? otherwise : Milliseconds(std::stoll(text, nullptr, /*base=*/0));
}

}  // namespace

KafkaConsumer::KafkaConsumer(Client& client, const log::ConsumerOptions& options, Slot slot)
    : client_(&client),
      options_(options),
      poll_interval_(property_or(client, "max.poll.interval.ms",
                                 std::max(kPollIntervalMax, options.session_timeout))),
      heartbeat_(
          property_or(client, "heartbeat.interval.ms",
                      std::clamp(options.session_timeout / 4, kHeartbeatMin, kHeartbeatMax))),
      slot_(std::move(slot)),
      pulse_(options.session_timeout),
      transaction_(*this) {
  hooks_.client = &client;
  hooks_.name = "consumer";
  hooks_.rebalance = [this](rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* list) {
    on_rebalance(what, list);
  };
}

Result<std::unique_ptr<log::Consumer>> KafkaConsumer::open(Client& client,
                                                           const log::ConsumerOptions& given) {
  log::ConsumerOptions options = given;
  options.session_timeout = property_or(client, "session.timeout.ms", given.session_timeout);
  CHECK(options.batch_records_max > 0 && options.session_timeout > Milliseconds(0));
  if (!is_legal_topic_name(options.group.value())) {
    return Error(ErrorCode::kConfig, "'" + options.group.value() +
                                         "' is no legal consumer group: 1 to 249 characters of "
                                         "a-z A-Z 0-9 . _ -");
  }
  MILLRACE_ASSIGN(Slot slot, take_slot(client, options.group));
  std::unique_ptr<KafkaConsumer> consumer(new KafkaConsumer(client, options, std::move(slot)));
  MILLRACE_TRY(consumer->start());
  return std::unique_ptr<log::Consumer>(std::move(consumer));
}

Status KafkaConsumer::start() {
  std::int64_t partitions = 0;
  for (const TopicName& topic : options_.topics) {
    MILLRACE_ASSIGN(const std::int32_t count, client_->partitions_of(topic));
    partitions += count;
  }
  const std::int64_t kbytes = std::stoll(client_->property("queued.max.messages.kbytes"));
  const std::int64_t payload = kbytes - kbytes / kQueueOverhead;
  queue_kbytes_ = std::max(kQueueKbytesMin, payload / std::max<std::int64_t>(partitions, 1));
  fetch_wake_ = FetchWake(queue_kbytes_);
  // They connect, and look for who coordinates the group, while the writer opens.
  MILLRACE_TRY(client_->expect_questions(options_.group));
  MILLRACE_TRY(make_handle());
  // First: what a predecessor left open is aborted, so that its positions are settled. And whoever
  // cannot write must not be given partitions.
  SenderOptions sender;
  if (options_.exactly_once) sender.transactional_id = slot_.member_id;
  sender.commit_interval = options_.commit_interval;
  MILLRACE_ASSIGN(sender_, Sender::open(*client_, sender));
  committer_ = std::make_unique<Committer>(
      *sender_, handle_.get(), options_.group,
      options_.exactly_once ? Committer::Mode::kTogether : Committer::Mode::kApart, wake_);
  return subscribe();
}

KafkaConsumer::~KafkaConsumer() { (void)close(); }

Status KafkaConsumer::close() {
  if (closed_ || !handle_) return {};
  if (committer_ && client_->health().status()) pass_markers(Patience::kWait);
  closed_ = true;
  if (committer_) committer_->stop();
  committer_.reset();
  sender_.reset();
  partitions_.clear();
  group_queue_.reset();
  // Static members do not leave their group, so that the library's own closing has nothing to do.
  // It would want an answer to each rebalance, and waits for ever to be given one that comes too
  // late.
  handle_.reset();
  return {};
}

// ----------------------------------------------------------------------------------------------
// taking up partitions

FeedLimits KafkaConsumer::feed_limits() const {
  std::size_t wanted = kBatchBytesMax;
  if (in_flight_) wanted = options_.batch_bytes_max;  // there is time for one batch
  if (!served_) wanted = kFirstBatchBytes;
  return {options_.batch_records_max, std::min(options_.batch_bytes_max, wanted)};
}

Result<std::map<log::TopicPartition, Offset>> KafkaConsumer::starts_of(
    const std::vector<log::TopicPartition>& sources) {
  switch (options_.start) {
    case log::StartAt::kEarliest:
      return client_->list_offsets(sources, RD_KAFKA_OFFSET_BEGINNING);
    case log::StartAt::kLatest:
      return client_->settled_ends(sources);
    case log::StartAt::kTime:
      return client_->list_offsets(sources, std::max<std::int64_t>(options_.start_time.value(), 0));
  }
  return Error(ErrorCode::kInternal, "no such start");
}

// So that a group that began at the latest record goes on from there, whatever happens before its
// first commit.
Status KafkaConsumer::store_starts(const std::map<log::TopicPartition, Offset>& starts) {
  if (options_.start == log::StartAt::kEarliest || starts.empty()) return {};
  const ListPtr list = new_list(starts.size());
  for (const auto& [source, offset] : starts) add(*list, source, offset.value());
  const auto error = rd_kafka_commit(handle_.get(), list.get(), /*async=*/0);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_error(error, "cannot store where the group begins");
  return {};
}

Status KafkaConsumer::take_up() {
  if (!pending_assignment_) return {};
  std::vector<log::TopicPartition> sources;
  for (int i = 0; i < pending_assignment_->cnt; ++i)
    sources.push_back(source_of(pending_assignment_->elems[i]));
  std::map<log::TopicPartition, Offset> committed;
  if (!sources.empty()) {
    MILLRACE_ASSIGN(committed, client_->committed(options_.group, sources));
  }
  std::vector<log::TopicPartition> fresh;
  for (const log::TopicPartition& source : sources) {
    if (!committed.contains(source)) fresh.push_back(source);
  }
  MILLRACE_ASSIGN(const auto begins, client_->list_offsets(sources, RD_KAFKA_OFFSET_BEGINNING));
  MILLRACE_ASSIGN(const auto ends, client_->settled_ends(sources));
  std::map<log::TopicPartition, Offset> starts;
  if (!fresh.empty()) {
    MILLRACE_ASSIGN(starts, starts_of(fresh));
  }
  MILLRACE_TRY(store_starts(starts));
  log::Assigned assigned;
  const ListPtr list = new_list(sources.size());
  partitions_.clear();
  for (const log::TopicPartition& source : sources) {
    const Offset begin = begins.at(source);
    const Offset wanted = committed.contains(source) ? committed.at(source) : starts.at(source);
    const Offset position = std::max(wanted, begin);
    if (position > wanted) events_.emplace_back(log::Gap{source, wanted, position});
    WakingQueuePtr queue(rd_kafka_queue_get_partition(handle_.get(), source.topic.value().c_str(),
                                                      source.partition.value()));
    CHECK(queue != nullptr);
    // Before the partition is read, so that nothing of it comes to the group's queue.
    rd_kafka_queue_forward(queue.get(), nullptr);
    add(*list, source, position.value());
    partitions_.emplace(source, Partition{Feed(source, std::move(queue), wake_.descriptor(),
                                               position, feed_limits(), client_->clock()),
                                          position, ends.at(source)});
    assigned.partitions.push_back({source, position, ends.at(source)});
  }
  pending_assignment_.reset();
  const auto error = rd_kafka_assign(handle_.get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "cannot take up partitions");
  if (!assigned.partitions.empty()) events_.emplace_back(std::move(assigned));
  return {};
}

// ----------------------------------------------------------------------------------------------
// polling

Result<log::Event> KafkaConsumer::poll(SteadyTime until) {
  CHECK(!closed_);
  while (true) {
    if (wake_.take_interrupt()) return log::Event(log::Nothing{});
    MILLRACE_TRY(serve_group());
    if (!in_flight_) sender_->serve();
    if (auto outcome = take_outcome()) {
      if (outcome->result != log::CommitResult::kCommitted) MILLRACE_TRY(sender_->usable());
      if (outcome->result == log::CommitResult::kAborted) MILLRACE_TRY(rewind());
      return log::Event(std::move(*outcome));
    }
    if (Status taken = take_up(); !taken) {
      if (taken.error().disposition() != Disposition::kRetry &&
          taken.error().code() != ErrorCode::kAborted) {
        return taken.error();
      }
      client_->health().down(taken.error());
    }
    if (!events_.empty()) {
      log::Event event = std::move(events_.front());
      events_.pop_front();
      return event;
    }
    if (!revoking_ && !handed_ahead_) {
      MILLRACE_ASSIGN(auto batch, next_batch());
      handed_ahead_ = in_flight_ && batch;
      if (batch) return log::Event(std::move(*batch));
      if (!events_.empty()) continue;
    }
    pass_markers(Patience::kNone);
    client_->look_whether_back();
    const SteadyTime push_at = in_flight_ ? SteadyTime::max() : sender_->push_at();
    const SteadyTime now = client_->clock().steady();
    if (now >= push_at) {
      sender_->push();
      continue;
    }
    if (now >= until) return log::Event(log::Nothing{});
    if (wake_.wait(std::min(until, push_at), client_->clock()) == Wake::Woken::kAsked) {
      wake_.take_interrupt();
      return log::Event(log::Nothing{});
    }
  }
}

// Markers behind the last record are nobody's work: once everything before them is committed they
// are stored as consumed, so that an idle group has no lag.
void KafkaConsumer::pass_markers(Patience patience) {
  if (in_flight_ || revoking_ || name_is_taken_ || sender_->has_uncommitted()) return;
  const SteadyTime now = client_->clock().steady();
  if (patience == Patience::kNone && now < passed_ + kPassMarkersEvery) return;
  if (!committer_->has_passed()) return;
  const ListPtr list = new_list(partitions_.size());
  for (auto& [source, partition] : partitions_) {
    const auto end = partition.feed.end_reached();
    // Where nothing was ever committed the start stays as it was asked for.
    if (!end || partition.rewind_to.value() == 0 || *end <= partition.rewind_to ||
        partition.feed.position() != partition.rewind_to) {
      continue;
    }
    add(*list, source, end->value());
    partition.rewind_to = *end;
    partition.feed.pass(*end);
  }
  if (list->cnt == 0) return;
  passed_ = now;
  // Nothing depends on it: what fails is done with the next commit.
  committer_->pass(*list);
  if (patience == Patience::kWait) committer_->wait_until_passed(now + kPassMarkersMax);
}

std::optional<log::CommitOutcome> KafkaConsumer::take_outcome() {
  if (refused_) return std::exchange(refused_, std::nullopt);
  if (!in_flight_) return std::nullopt;
  auto outcome = committer_->take_outcome();
  if (!outcome) return std::nullopt;
  in_flight_ = false;
  handed_ahead_ = false;
  if (outcome->result == log::CommitResult::kCommitted) {
    for (const log::Position& position : asked_) {
      const auto found = partitions_.find(position.source);
      if (found != partitions_.end()) found->second.rewind_to = position.next;
    }
  } else if (outcome->result == log::CommitResult::kAborted && pulse_.stood_still()) {
    outcome->result = log::CommitResult::kFenced;
    outcome->reason =
        "this process stood still for longer than the session timeout: " + outcome->reason;
  }
  asked_.clear();
  return outcome;
}

Result<std::optional<log::Batch>> KafkaConsumer::next_batch() {
  if (partitions_.empty()) return std::optional<log::Batch>();
  // Partitions take turns: the one behind the last served comes first.
  auto at = partitions_.upper_bound(last_served_);
  for (std::size_t tried = 0; tried < partitions_.size(); ++tried, ++at) {
    if (at == partitions_.end()) at = partitions_.begin();
    auto& [source, partition] = *at;
    if (partition.paused) continue;
    partition.feed.limit(feed_limits());
    partition.feed.fill(*handle_);
    if (const auto end = partition.feed.end_reached())
      partition.end = std::max(partition.end, *end);
    auto batch = partition.feed.take();
    if (!batch) {
      // What came before the error is handed out first.
      const auto error = partition.feed.take_error();
      if (error) MILLRACE_TRY(on_feed_error(source, partition, *error));
      if (!events_.empty()) return std::optional<log::Batch>();
      continue;
    }
    partition.end = std::max(partition.end, batch->next);
    last_served_ = source;
    served_ = true;
    client_->health().up();
    fetch_wake_.taken(*client_, *handle_, batch->bytes);
    return batch;
  }
  return std::optional<log::Batch>();
}

Status KafkaConsumer::on_feed_error(const log::TopicPartition& source, Partition& partition,
                                    rd_kafka_resp_err_t error) {
  if (error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    return skip_gap(source, partition);
  }
  switch (code_of(error)) {
    case ErrorCode::kUnknownTopic:
      fatal_ = Error(ErrorCode::kUnknownTopic,
                     "topic '" + source.topic.value() + "' was deleted while it was being read");
      return *fatal_;
    case ErrorCode::kPermission:
    case ErrorCode::kCorrupt:
      return to_error(error, "cannot read partition " + name_of(source) + " at offset " +
                                 std::to_string(partition.feed.fetched().value()));
    default:
      client_->logger().debug("Kafka: partition " + name_of(source) + ": " +
                              rd_kafka_err2str(error));
      return {};
  }
}

// Retention was faster than we are, or the topic is not the one it was.
Status KafkaConsumer::skip_gap(const log::TopicPartition& source, Partition& partition) {
  MILLRACE_ASSIGN(const auto begins, client_->list_offsets({source}, RD_KAFKA_OFFSET_BEGINNING));
  MILLRACE_ASSIGN(const auto ends, client_->list_offsets({source}, RD_KAFKA_OFFSET_END));
  const Offset begin = begins.at(source);
  const Offset from = partition.feed.fetched();
  if (ends.at(source) < from) {
    fatal_ = Error(ErrorCode::kUnknownTopic,
                   "topic '" + source.topic.value() +
                       "' was made anew, or lost records, while it was being read: partition " +
                       std::to_string(source.partition.value()) + " ends at offset " +
                       std::to_string(ends.at(source).value()) + " and was read up to " +
                       std::to_string(from.value()) + ". Start again");
    return *fatal_;
  }
  if (begin > from) {
    events_.emplace_back(log::Gap{source, from, begin});
    partition.feed.restart(begin);
  }
  // The client has stopped reading the partition, so it cannot seek.
  return assign_again();
}

bool KafkaConsumer::caught_up(const log::TopicPartition& source) const {
  const auto found = partitions_.find(source);
  if (found == partitions_.end()) return false;
  const Feed& feed = found->second.feed;
  return feed.end_reached() || feed.position() >= found->second.end;
}

std::vector<log::TopicPartition> KafkaConsumer::assigned() const {
  std::vector<log::TopicPartition> sources;
  for (const auto& [source, partition] : partitions_) sources.push_back(source);
  return sources;
}

Result<KafkaConsumer::Partition*> KafkaConsumer::find(const log::TopicPartition& source) {
  const auto found = partitions_.find(source);
  if (found != partitions_.end()) return &found->second;
  return Error(ErrorCode::kAborted, "partition " + name_of(source) + " is not assigned here");
}

// ----------------------------------------------------------------------------------------------
// outputs

Result<log::TopicHandle> KafkaConsumer::GroupTransaction::open_topic(const TopicName& topic) {
  CHECK(!consumer_->in_flight_);
  return consumer_->sender_->open_topic(topic);
}

Status KafkaConsumer::GroupTransaction::append(log::TopicHandle topic,
                                               const log::NewRecord& record) {
  CHECK(!consumer_->in_flight_);
  return consumer_->sender_->append(topic, record);
}

Status KafkaConsumer::GroupTransaction::commit(const std::vector<log::Position>& positions) {
  return consumer_->commit(positions);
}

Status KafkaConsumer::commit(const std::vector<log::Position>& positions) {
  CHECK(!in_flight_ && !refused_);
  asked_.clear();
  for (const log::Position& position : positions) {
    const auto found = partitions_.find(position.source);
    if (found == partitions_.end()) {
      MILLRACE_TRY(sender_->abort(kAbortMax));
      refused_ = {log::CommitResult::kAborted,
                  "partition " + name_of(position.source) + " is not assigned here any more"};
      asked_.clear();
      return {};
    }
    // Markers behind the last record are nobody's work: they count as consumed.
    const Feed& feed = found->second.feed;
    const bool all = feed.position() == position.next && feed.end_reached();
    asked_.push_back(
        {position.source, all ? std::max(position.next, *feed.end_reached()) : position.next});
  }
  in_flight_ = true;
  committer_->ask(asked_);
  return {};
}

Status KafkaConsumer::GroupTransaction::abort() {
  CHECK(!consumer_->in_flight_);
  MILLRACE_TRY(consumer_->sender_->abort(kAbortMax));
  return consumer_->rewind();
}

}  // namespace millrace::log_kafka::internal
