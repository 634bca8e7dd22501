// The consumer's place in its group: joining, rebalances, being put out.
#include <utility>

#include "log_kafka/internal/consumer.h"
#include "log_kafka/internal/errors.h"

namespace millrace::log_kafka::internal {
namespace {

constexpr std::uint64_t kOne = 1;
// How often, and within which time, a member whose name was taken takes it back.
constexpr int kTakenBackMax = 3;
constexpr Milliseconds kTakenBackWithin{60'000};

}  // namespace

Status KafkaConsumer::make_handle() {
  MILLRACE_ASSIGN(handle_,
                  client_->make_handle(
                      RD_KAFKA_CONSUMER, hooks_,
                      {{"group.id", options_.group.value()},
                       {"group.instance.id", slot_.member_id},
                       {"enable.auto.commit", "false"},
                       {"enable.auto.offset.store", "false"},
                       {"enable.partition.eof", "true"},
                       {"isolation.level", "read_committed"},
                       {"auto.offset.reset", "error"},
                       {"partition.assignment.strategy", "range"},
                       {"session.timeout.ms", std::to_string(options_.session_timeout.count())},
                       {"heartbeat.interval.ms", std::to_string(heartbeat_.count())},
                       {"max.poll.interval.ms", std::to_string(poll_interval_.count())},
                       {"queued.max.messages.kbytes", std::to_string(queue_kbytes_)}}));
  rd_kafka_poll_set_consumer(handle_.get());
  group_queue_.reset(rd_kafka_queue_get_consumer(handle_.get()));
  rd_kafka_queue_io_event_enable(group_queue_.get(), wake_.descriptor(), &kOne, sizeof kOne);
  return {};
}

Status KafkaConsumer::subscribe() {
  const ListPtr topics = new_list(options_.topics.size());
  for (const TopicName& topic : options_.topics)
    add(*topics, {topic, PartitionId(RD_KAFKA_PARTITION_UA)}, RD_KAFKA_OFFSET_INVALID);
  const auto error = rd_kafka_subscribe(handle_.get(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "cannot subscribe");
  return {};
}

// Who joins under the name of another member takes its place. The lock on the name keeps the living
// of this machine from that: it was a request which a predecessor sent before it was killed, and
// which a busy broker served late, so the name is taken back. Another machine that goes by the same
// name would take it again.
Status KafkaConsumer::take_name_back() {
  const SteadyTime now = client_->clock().steady();
  if (now > name_taken_ + kTakenBackWithin) taken_back_ = 0;
  name_taken_ = now;
  if (++taken_back_ > kTakenBackMax) {
    fatal_ = Error(ErrorCode::kFenced,
                   "another process goes by the name of member '" + slot_.member_id +
                       "' and takes its place in the consumer group again and again. Members of a "
                       "group need a host name or a --home of their own");
    return *fatal_;
  }
  client_->logger().warning("Kafka: another process joined as member '" + slot_.member_id +
                            "'; joining again");
  name_is_taken_ = false;
  std::vector<log::TopicPartition> sources = assigned();
  forget_assignment();
  if (!sources.empty()) events_.emplace_back(log::Lost{std::move(sources)});
  committer_->use(nullptr);
  group_queue_.reset();
  handle_.reset();
  MILLRACE_TRY(make_handle());
  committer_->use(handle_.get());
  return subscribe();
}

void KafkaConsumer::on_rebalance(rd_kafka_resp_err_t what,
                                 rd_kafka_topic_partition_list_t* partitions) {
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    // Answered by take_up(): the brokers have to be asked first.
    pending_assignment_ = copy_list(*partitions);
    return;
  }
  if (what == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
    on_revoked();
    return;
  }
  client_->logger().warning(std::string("Kafka: the group could not be balanced: ") +
                            rd_kafka_err2str(what));
  drop_assignment();
}

void KafkaConsumer::forget_assignment() {
  pending_assignment_.reset();
  revoking_ = false;
  unreleased_.clear();
  partitions_.clear();
}

void KafkaConsumer::drop_assignment() {
  forget_assignment();
  rd_kafka_assign(handle_.get(), nullptr);
}

void KafkaConsumer::on_revoked() {
  const bool lost = rd_kafka_assignment_lost(handle_.get()) != 0;
  std::vector<log::TopicPartition> sources = assigned();
  if (lost && pulse_.stood_still()) {
    fatal_ = Error(ErrorCode::kFenced,
                   "member '" + slot_.member_id +
                       "' stood still for longer than the session timeout and was put out of its "
                       "consumer group. Nothing of what it had not committed is visible; start it "
                       "again");
  }
  if (lost || sources.empty()) {
    drop_assignment();
    if (!sources.empty()) events_.emplace_back(log::Lost{std::move(sources)});
    return;
  }
  revoking_ = true;
  unreleased_ = sources;
  events_.emplace_back(
      log::Revoked{std::move(sources), client_->clock().steady() + poll_interval_});
}

Status KafkaConsumer::release(const log::TopicPartition& source) {
  MILLRACE_TRY(find(source));
  partitions_.erase(source);
  std::erase(unreleased_, source);
  if (revoking_ && unreleased_.empty()) drop_assignment();
  return {};
}

Status KafkaConsumer::serve_group() {
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(handle_.get(), 0)) {
    const auto error = message->err;
    const std::string reason = rd_kafka_message_errstr(message);
    const std::string topic =
        message->rkt != nullptr ? rd_kafka_topic_name(message->rkt) : std::string();
    rd_kafka_message_destroy(message);
    if (rd_kafka_fatal_error(handle_.get(), nullptr, 0) == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
      name_is_taken_ = true;
    } else if (error == RD_KAFKA_RESP_ERR__FATAL || code_of(error) == ErrorCode::kFenced) {
      fatal_ = Error(ErrorCode::kFenced, "member '" + slot_.member_id +
                                             "' was put out of its consumer group: " + reason);
    } else if (code_of(error) == ErrorCode::kUnknownTopic) {
      fatal_ = Error(ErrorCode::kUnknownTopic,
                     "topic '" + topic + "' was deleted while it was being read");
    } else if (code_of(error) == ErrorCode::kPermission) {
      fatal_ =
          to_error(error,
                   "cannot read " + (topic.empty() ? "as group '" + options_.group.value() + "'"
                                                   : "topic '" + topic + "'"),
                   reason);
    } else if (error == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
      client_->logger().warning(
          "Kafka: more than max.poll.interval.ms (" + std::to_string(poll_interval_.count()) +
          ") passed between two looks at the group, which gave the partitions away; where batches "
          "take that long, raise it with -X max.poll.interval.ms=...");
    } else if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      client_->logger().debug("Kafka consumer: " + reason);
    }
  }
  if (fatal_) return *fatal_;
  if (name_is_taken_ && !in_flight_) return take_name_back();
  return {};
}

}  // namespace millrace::log_kafka::internal
