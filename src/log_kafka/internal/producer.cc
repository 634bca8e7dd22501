#include "log_kafka/internal/producer.h"

#include <utility>

#include "log_kafka/internal/admin.h"
#include "log_kafka/internal/slot.h"

namespace millrace::log_kafka::internal {
namespace {

// Within the time that a stopped program may take to end.
constexpr Milliseconds kPatience{8'000};
constexpr int kTriesMax = 3;

}  // namespace

KafkaProducer::KafkaProducer(Client& client, log::ProducerOptions options, env::FileLock lock)
    : client_(&client),
      options_(std::move(options)),
      lock_(std::move(lock)),
      marker_{options_.topic, PartitionId(0)} {}

Result<std::unique_ptr<log::Producer>> KafkaProducer::open(Client& client,
                                                           const log::ProducerOptions& options) {
  MILLRACE_TRY(client.partitions_of(options.topic));
  std::string id;
  std::optional<env::FileLock> lock;
  if (options.resume_id.empty()) {
    MILLRACE_ASSIGN(Slot slot, take_slot(client, GroupId(std::string(kProducerGroup) + "any")));
    id = slot.member_id;
    lock.emplace(std::move(slot.lock));
  } else {
    MILLRACE_ASSIGN(env::FileLock held, lock_resume_id(client, options.resume_id));
    id = std::string(kProducerGroup) + options.resume_id;
    lock.emplace(std::move(held));
  }
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer(client, options, std::move(*lock)));
  producer->group_ = GroupId(id);
  producer->membership_.reset(rd_kafka_consumer_group_metadata_new(id.c_str()));
  MILLRACE_ASSIGN(producer->sender_, Sender::open(client, {id}));
  MILLRACE_TRY(producer->sender_->open_topic(options.topic));
  return std::unique_ptr<log::Producer>(std::move(producer));
}

Result<log::TopicHandle> KafkaProducer::open_topic(const TopicName& topic) {
  return sender_->open_topic(topic);
}

void KafkaProducer::remember(log::TopicHandle topic, const log::NewRecord& record) {
  Pending pending{topic, record, headers_.size(), record.headers.size()};
  if (record.key) pending.record.key = arena_.copy(*record.key);
  if (record.value) pending.record.value = arena_.copy(*record.value);
  for (const log::Header& header : record.headers) {
    headers_.push_back({arena_.copy(header.name), std::nullopt});
    if (header.value) headers_.back().value = arena_.copy(*header.value);
  }
  pending.record.headers = {};  // headers_ may move: set when it is sent again
  pending_.push_back(pending);
}

Status KafkaProducer::append(log::TopicHandle topic, const log::NewRecord& record) {
  if (resend_) MILLRACE_TRY(append_again());
  MILLRACE_TRY(sender_->append(topic, record));
  remember(topic, record);
  return {};
}

Status KafkaProducer::append_again() {
  resend_ = false;
  for (const Pending& pending : pending_) {
    log::NewRecord record = pending.record;
    record.headers =
        std::span<const log::Header>(headers_).subspan(pending.first_header, pending.headers);
    MILLRACE_TRY(sender_->append(pending.topic, record));
  }
  return {};
}

Result<std::optional<RowNumber>> KafkaProducer::position() {
  if (options_.resume_id.empty()) return std::optional<RowNumber>();
  MILLRACE_ASSIGN(const auto positions, client_->committed(group_, {marker_}));
  const auto found = positions.find(marker_);
  if (found == positions.end()) return std::optional<RowNumber>();
  return std::optional<RowNumber>(RowNumber(found->second.value()));
}

Status KafkaProducer::commit(RowNumber next_row) {
  std::vector<log::Position> positions;
  if (!options_.resume_id.empty()) positions.push_back({marker_, Offset(next_row.value())});
  std::string reason;
  for (int tried = 0; tried < kTriesMax; ++tried) {
    if (resend_) MILLRACE_TRY(append_again());
    const log::CommitOutcome outcome =
        sender_->commit(group_, positions, membership_.get(), kPatience);
    if (outcome.result != log::CommitResult::kCommitted) MILLRACE_TRY(sender_->usable());
    switch (outcome.result) {
      case log::CommitResult::kCommitted:
        pending_.clear();
        headers_.clear();
        arena_.clear();
        return {};
      case log::CommitResult::kFenced:
        return Error(ErrorCode::kFenced,
                     "another process writes with this identity: " + outcome.reason);
      case log::CommitResult::kUnknown:
        resend_ = true;
        return Error(ErrorCode::kUnavailable,
                     "the brokers did not answer a commit: " + outcome.reason);
      case log::CommitResult::kAborted:
        reason = outcome.reason;
        resend_ = true;
    }
  }
  return Error(ErrorCode::kUnavailable, "the commit was aborted again and again: " + reason);
}

}  // namespace millrace::log_kafka::internal
