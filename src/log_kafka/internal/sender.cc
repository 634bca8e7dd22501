#include "log_kafka/internal/sender.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "env/crash_point.h"
#include "log/append_rules.h"
#include "log_kafka/internal/errors.h"
#include "log_kafka/internal/metadata.h"
#include "log_kafka/internal/properties.h"

namespace millrace::log_kafka::internal {
namespace {

// One call into the client; between two of them giving up is looked for.
constexpr Milliseconds kCallMax{1'000};
constexpr Milliseconds kOpenMax{10'000};
constexpr Milliseconds kBetweenCalls{50};
// See drain() and push_at().
constexpr Milliseconds kStroke{1};
constexpr Milliseconds kBetweenStrokes{2};
constexpr Milliseconds kPushEvery{5};
constexpr Milliseconds kQueueFullWait{20};
constexpr Milliseconds kQueueFullMax{120'000};
// How long an abort waits for answers to what was sent.
constexpr Milliseconds kAnswersMax{500};
// A transaction that its writer has left is aborted by the broker after this long, and the time
// between two commits.
constexpr Milliseconds kTransactionTimeout{10'000};
constexpr const char* kMessageTimeoutMs = "9000";
// The library's default and most for a batch of records.
constexpr std::size_t kBatchBytesMax = 1'000'000;
constexpr std::size_t kMessageBytesMaxOfClient = 1'000'000'000;
// Replaced more often than this in a minute: another process uses the same identity.
constexpr std::size_t kRebuildsMax = 6;
constexpr Milliseconds kRebuildsWindow{60'000};

// Doing it again would not change it.
bool is_lasting(rd_kafka_resp_err_t error) {
  return code_of(error) == ErrorCode::kUnknownTopic || code_of(error) == ErrorCode::kPermission ||
         error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
}

int ms(Milliseconds time) { return static_cast<int>(time.count()); }

// Without a timestamp the library takes 0 for "now", and brokers refuse what lies before 1970.
std::int64_t kafka_time(Timestamp time) { return std::max<std::int64_t>(time.value(), 1); }

}  // namespace

Sender::Sender(Client& client, SenderOptions options)
    : client_(&client), options_(std::move(options)) {
  hooks_.client = &client;
  hooks_.name = "producer";
  hooks_.delivery_failed = [this](const rd_kafka_message_t& message) {
    ++failed_;
    // What a record met says more than that its transaction failed.
    if (!transactional() || is_lasting(message.err)) delivery_cause_ = message.err;
    client_->logger().debug(std::string("a record was not taken: ") +
                            rd_kafka_err2str(message.err));
  };
}

Sender::~Sender() {
  if (handle_ && begun_ && !broken_) {
    rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
    ErrorPtr(rd_kafka_abort_transaction(handle_.get(), ms(kCallMax)));
  }
}

Result<std::unique_ptr<Sender>> Sender::open(Client& client, SenderOptions options) {
  std::unique_ptr<Sender> sender(new Sender(client, std::move(options)));
  MILLRACE_TRY(sender->build(client.clock().steady() + kOpenMax));
  return sender;
}

bool Sender::waiting_is_over(SteadyTime give_up_at) const {
  return given_up_ || client_->clock().steady() >= give_up_at;
}

Status Sender::build(SteadyTime give_up_at) {
  for (Topic& topic : topics_) topic.handle.reset();
  handle_.reset();
  begun_ = false;
  stale_ = false;
  broken_.reset();
  failed_ = 0;
  std::size_t batch_bytes = kBatchBytesMax;
  for (const Topic& topic : topics_)
    batch_bytes = std::min(batch_bytes, topic.sizes.wire_bytes_max);
  std::vector<std::pair<std::string, std::string>> own{
      {"enable.idempotence", "true"},
      {"message.max.bytes", std::to_string(kMessageBytesMaxOfClient)},
      {"batch.size", std::to_string(std::max<std::size_t>(batch_bytes, 1))},
      {"delivery.report.only.error", "true"},
  };
  if (transactional()) {
    own.emplace_back("transactional.id", options_.transactional_id);
    own.emplace_back("transaction.timeout.ms",
                     std::to_string((kTransactionTimeout + options_.commit_interval).count()));
    own.emplace_back("message.timeout.ms", kMessageTimeoutMs);
  }
  if (client_->is_default("linger.ms")) own.emplace_back("linger.ms", kLingerUnderLoadMs);
  MILLRACE_ASSIGN(handle_, client_->make_handle(RD_KAFKA_PRODUCER, hooks_, own));
  if (transactional()) {
    env::crash_point("log.in_init");
    std::string reason;
    const Step step =
        insist([this] { return ErrorPtr(rd_kafka_init_transactions(handle_.get(), ms(kCallMax))); },
               give_up_at, reason);
    Status status = client_->health().status();
    if (step == Step::kRefused) return to_error(cause_, "cannot write", reason);
    if (step != Step::kDone && !status) return status;
    if (step != Step::kDone) {
      return Error(ErrorCode::kUnavailable,
                   "cannot begin to write as '" + options_.transactional_id + "': " + reason);
    }
  }
  for (Topic& topic : topics_) {
    topic.handle.reset(rd_kafka_topic_new(handle_.get(), topic.name.value().c_str(), nullptr));
    // Makes the library know the partitions before the first record, which waits for it otherwise.
    const rd_kafka_metadata_t* answer = nullptr;
    if (rd_kafka_metadata(handle_.get(), 0, topic.handle.get(), &answer, ms(kCallMax)) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(answer);
    }
  }
  unanswered_ = false;
  return {};
}

template <class Ask>
Sender::Step Sender::insist(Ask ask, SteadyTime give_up_at, std::string& reason) {
  while (true) {
    const ErrorPtr error = ask();
    if (!error) {
      client_->health().up();
      return Step::kDone;
    }
    reason = rd_kafka_error_string(error.get());
    const auto code = rd_kafka_error_code(error.get());
    cause_ = code;
    client_->logger().debug(std::string("Kafka transaction: ") + rd_kafka_error_name(error.get()) +
                            ": " + reason);
    if (rd_kafka_error_txn_requires_abort(error.get())) return Step::kAbort;
    if (code_of(code) == ErrorCode::kPermission) return Step::kRefused;
    if (rd_kafka_error_is_fatal(error.get())) return Step::kRebuild;
    if (!rd_kafka_error_is_retriable(error.get())) return Step::kRebuild;
    unanswered_ = true;
    rd_kafka_poll(handle_.get(), 0);
    client_->look_whether_back();
    if (waiting_is_over(give_up_at)) return Step::kPatience;
    client_->clock().sleep_until(client_->clock().steady() + kBetweenCalls);
  }
}

Result<log::TopicHandle> Sender::open_topic(const TopicName& topic) {
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    if (topics_[i].name == topic) return log::TopicHandle(static_cast<std::int32_t>(i));
  }
  MILLRACE_ASSIGN(const TopicSizes sizes, client_->sizes_of(topic));
  topics_.push_back({topic, sizes, nullptr, 0});
  if (sizes.wire_bytes_max < kBatchBytesMax && !begun_) {
    // Batches must be smaller for this topic's sake, and that is fixed when the client is made.
    MILLRACE_TRY(build(client_->clock().steady() + kOpenMax));
  } else {
    topics_.back().handle.reset(rd_kafka_topic_new(handle_.get(), topic.value().c_str(), nullptr));
    const rd_kafka_metadata_t* answer = nullptr;
    if (rd_kafka_metadata(handle_.get(), 0, topics_.back().handle.get(), &answer, ms(kCallMax)) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(answer);
    }
  }
  return log::TopicHandle(static_cast<std::int32_t>(topics_.size() - 1));
}

Status Sender::begin() {
  if (begun_ || !transactional()) return {};
  if (stale_) {
    if (const Status built = build(client_->clock().steady() + kOpenMax); !built) {
      begun_ = true;
      unanswered_ = true;
      broken_ = built.error().message();
      return {};
    }
  }
  begun_ = true;
  const ErrorPtr error(rd_kafka_begin_transaction(handle_.get()));
  if (error) broken_ = rd_kafka_error_string(error.get());
  return {};
}

Status Sender::append(log::TopicHandle handle, const log::NewRecord& record) {
  Topic& topic = topics_.at(static_cast<std::size_t>(handle.value()));
  MILLRACE_TRY(log::check_record(topic.name, topic.sizes.message_bytes_max, record));
  MILLRACE_ASSIGN(const PartitionId partition,
                  log::choose_partition(topic.name, topic.sizes.partitions, record, topic.turn));
  MILLRACE_TRY(begin());
  uncommitted_ = unpushed_ = !transactional();
  if (broken_) return {};
  return send(topic, record, partition);
}

Status Sender::send(Topic& topic, const log::NewRecord& record, PartitionId partition) {
  HeadersPtr headers;
  if (!record.headers.empty()) {
    headers.reset(rd_kafka_headers_new(record.headers.size()));
    for (const log::Header& header : record.headers) {
      const std::string_view value = header.value.value_or("");
      rd_kafka_header_add(headers.get(), header.name.data(),
                          static_cast<ssize_t>(header.name.size()),
                          !header.value ? nullptr : (value.empty() ? "" : value.data()),
                          static_cast<ssize_t>(value.size()));
    }
  }
  const auto bytes = [](const std::optional<std::string_view>& text) {
    // Null and empty differ: an empty text still needs an address.
    return !text ? nullptr : (text->empty() ? "" : text->data());
  };
  std::array<rd_kafka_vu_t, 7> fields{};
  fields[0].vtype = RD_KAFKA_VTYPE_RKT;
  fields[0].u.rkt = topic.handle.get();
  fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[1].u.i32 = partition.value();
  fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[2].u.i = RD_KAFKA_MSG_F_COPY;
  fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[3].u.mem = {const_cast<char*>(bytes(record.value)),  // copied, never written
                     record.value ? record.value->size() : 0};
  fields[4].vtype = RD_KAFKA_VTYPE_KEY;
  fields[4].u.mem = {const_cast<char*>(bytes(record.key)), record.key ? record.key->size() : 0};
  fields[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[5].u.i64 = kafka_time(record.timestamp);
  fields[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  fields[6].u.headers = headers.get();
  const std::size_t count = headers ? fields.size() : fields.size() - 1;
  std::optional<SteadyTime> give_up_at;
  while (true) {
    const ErrorPtr failed(rd_kafka_produceva(handle_.get(), fields.data(), count));
    if (!failed) {
      (void)headers.release();  // the library's from now on
      return {};
    }
    const auto error = rd_kafka_error_code(failed.get());
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      if (!give_up_at) give_up_at = client_->clock().steady() + kQueueFullMax;
      if (waiting_is_over(*give_up_at)) {
        return Error(ErrorCode::kUnavailable,
                     "the brokers do not take records of topic '" + topic.name.value() + "'");
      }
      rd_kafka_poll(handle_.get(), ms(kQueueFullWait));
      continue;
    }
    if (code_of(error) == ErrorCode::kRecordTooLarge) {
      return to_error(error, "a record for topic '" + topic.name.value() + "'");
    }
    broken_ = rd_kafka_err2str(error);
    cause_ = error;
    if (!transactional()) ++failed_;
    return {};
  }
}

SteadyTime Sender::push_at() const {
  if (!unpushed_ || !client_->is_default("linger.ms")) return SteadyTime::max();
  return pushed_ + kPushEvery;
}

void Sender::push() {
  unpushed_ = false;
  if (!handle_) return;
  (void)rd_kafka_flush(handle_.get(), ms(kStroke));
  pushed_ = client_->clock().steady();
}

// Waits until nothing is without an answer, and says whether that is so. While it flushes, the
// library's thread (2.0.2) does not sleep but spins wherever a partition has an answer outstanding
// and more to send: so it is asked in short strokes, which is enough to get everything sent.
bool Sender::drain(SteadyTime until) {
  unpushed_ = false;
  while (rd_kafka_flush(handle_.get(), ms(kStroke)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (waiting_is_over(until)) return false;
    rd_kafka_poll(handle_.get(), ms(kBetweenStrokes));
  }
  return true;
}

Sender::Step Sender::send_positions(const std::vector<log::Position>& positions,
                                    const rd_kafka_consumer_group_metadata_t* membership,
                                    SteadyTime give_up_at, std::string& reason) {
  if (positions.empty()) return Step::kDone;
  const ListPtr list = new_list(positions.size());
  for (const log::Position& position : positions)
    add(*list, position.source, position.next.value());
  return insist(
      [&] {
        return ErrorPtr(rd_kafka_send_offsets_to_transaction(handle_.get(), list.get(), membership,
                                                             ms(kCallMax)));
      },
      give_up_at, reason);
}

log::CommitOutcome Sender::commit(const GroupId& group, const std::vector<log::Position>& positions,
                                  const rd_kafka_consumer_group_metadata_t* membership,
                                  Milliseconds patience) {
  CHECK(transactional());
  const SteadyTime give_up_at = client_->clock().steady() + patience;
  if (!begun_ && positions.empty()) return {log::CommitResult::kCommitted, ""};
  (void)begin();
  if (broken_) return settle(Step::kAbort, *broken_, group, {}, give_up_at);
  std::string reason;
  push();  // while the positions are on their way
  env::crash_point("log.before_positions");
  Step step = send_positions(positions, membership, give_up_at, reason);
  env::crash_point("log.after_positions");
  if (step == Step::kRebuild || step == Step::kPatience) {
    // Nothing was asked to be committed yet, so nothing can have been.
    return settle(step, reason, group, {}, give_up_at);
  }
  if (step == Step::kDone) {
    // What is missing then, the commit waits for or complains about.
    (void)drain(std::min(give_up_at, client_->clock().steady() + kCallMax));
    env::crash_point("log.before_log_commit");
    step = insist(
        [this] { return ErrorPtr(rd_kafka_commit_transaction(handle_.get(), ms(kCallMax))); },
        give_up_at, reason);
    env::crash_point("log.after_log_commit");
  }
  return settle(step, reason, group, positions, give_up_at);
}

// After an abort librdkafka 2.0.2 gives the sequence numbers of records that it purges to the next
// ones. A broker that took those without its answer arriving passes over the next ones as repeated:
// lost in silence. It purges by itself as soon as a transaction has failed, so records that were
// given up count as unanswered too. And a request that is still on its way would be carried out in
// the next transaction: positions of this one among its records. Where an answer is missing the
// writer is made anew, with an epoch of its own.
bool Sender::everything_is_answered() {
  if (!handle_) return false;
  (void)rd_kafka_flush(handle_.get(), ms(kAnswersMax));
  return !unanswered_ && failed_ == 0 && rd_kafka_outq_len(handle_.get()) == 0;
}

Sender::Step Sender::abort_transaction(SteadyTime give_up_at, std::string& reason) {
  // It purges by itself, and waits for that. A purge of our own that does not wait may come to a
  // slow broker's queue after the next transaction has begun, and takes its first records in
  // silence.
  return insist(
      [this] { return ErrorPtr(rd_kafka_abort_transaction(handle_.get(), ms(kCallMax))); },
      give_up_at, reason);
}

log::CommitOutcome Sender::settle(Step step, std::string reason, const GroupId& group,
                                  const std::vector<log::Position>& positions,
                                  SteadyTime give_up_at) {
  if (step == Step::kDone) {
    begun_ = false;
    stale_ = std::exchange(unanswered_, false);
    return {log::CommitResult::kCommitted, ""};
  }
  // Every request to come sets it.
  const rd_kafka_resp_err_t cause = take_cause();
  std::string ignored;
  if (step == Step::kAbort && everything_is_answered() &&
      abort_transaction(give_up_at, ignored) == Step::kDone) {
    begun_ = false;
    stale_ = std::exchange(unanswered_, false);
    broken_.reset();
    look_at_topics(cause);
    return {log::CommitResult::kAborted, std::move(reason)};
  }
  if (step == Step::kRefused) {
    broken_ = reason;
    unusable_ = to_error(cause_, "cannot write", reason);
    return {log::CommitResult::kFenced, std::move(reason)};
  }
  if (waiting_is_over(give_up_at)) {
    broken_ = reason;
    return {log::CommitResult::kUnknown, std::move(reason)};
  }
  // Missing answers are nobody's doing.
  if (step != Step::kAbort && is_fought_over()) {
    broken_ = reason;
    return {log::CommitResult::kFenced,
            "another process writes as '" + options_.transactional_id + "': " + reason};
  }
  log::CommitOutcome outcome = ask_what_happened(std::move(reason), group, positions, give_up_at);
  if (outcome.result == log::CommitResult::kAborted) look_at_topics(cause);
  return outcome;
}

// Whether the writer had to be made anew so often of late that another one must fence it each time.
bool Sender::is_fought_over() {
  const SteadyTime now = client_->clock().steady();
  std::erase_if(rebuilds_, [now](SteadyTime at) { return at + kRebuildsWindow < now; });
  rebuilds_.push_back(now);
  return rebuilds_.size() > kRebuildsMax;
}

Status Sender::usable() const {
  if (unusable_) return *unusable_;
  return {};
}

rd_kafka_resp_err_t Sender::take_cause() {
  const rd_kafka_resp_err_t of_a_record = delivery_cause_.exchange(RD_KAFKA_RESP_ERR_NO_ERROR);
  return of_a_record != RD_KAFKA_RESP_ERR_NO_ERROR ? of_a_record : cause_.load();
}

void Sender::look_at_topics(rd_kafka_resp_err_t cause) {
  if (!is_lasting(cause)) return;
  if (cause == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return look_at_sizes();
  std::string names;
  for (const Topic& topic : topics_) {
    const auto found = client_->partitions_of(topic.name);
    if (!found && found.error().code() == ErrorCode::kUnknownTopic) {
      unusable_ = Error(ErrorCode::kUnknownTopic,
                        "topic '" + topic.name.value() + "' was deleted while it was written to");
      return;
    }
    names += (names.empty() ? "'" : ", '") + topic.name.value() + "'";
  }
  // Which of them is not said.
  if (code_of(cause) == ErrorCode::kPermission)
    unusable_ = to_error(cause, "cannot write to " + names);
}

// Brokers refuse as too large what was not when the topic was opened.
void Sender::look_at_sizes() {
  bool changed = false;
  bool known = true;
  std::string names;
  for (Topic& topic : topics_) {
    names += (names.empty() ? "'" : ", '") + topic.name.value() + "'";
    const auto sizes = client_->sizes_of(topic.name);
    known = known && sizes;
    if (!sizes || sizes->wire_bytes_max == topic.sizes.wire_bytes_max) continue;
    client_->logger().warning("Kafka: max.message.bytes of topic '" + topic.name.value() + "' is " +
                              std::to_string(sizes->wire_bytes_max) + " now, no more " +
                              std::to_string(topic.sizes.wire_bytes_max));
    topic.sizes = *sizes;
    changed = true;
  }
  stale_ = stale_ || changed;  // batches are as large as the client was made for
  if (known && !changed) {
    unusable_ = Error(ErrorCode::kConfig,
                      "the brokers refuse what is smaller than max.message.bytes of " + names +
                          " as too large; raise it there, or message.max.bytes of the brokers");
  }
}

log::CommitOutcome Sender::ask_what_happened(std::string reason, const GroupId& group,
                                             const std::vector<log::Position>& positions,
                                             SteadyTime give_up_at) {
  client_->logger().info("Kafka: the writer is made anew (" + reason + ")");
  Status built = build(give_up_at);
  while (!built && built.error().disposition() == Disposition::kRetry &&
         !waiting_is_over(give_up_at)) {
    built = build(give_up_at);
  }
  if (!built) {
    broken_ = reason;
    if (built.error().disposition() == Disposition::kRetry)
      return {log::CommitResult::kUnknown, built.error().message()};
    unusable_ = built.error();
    return {log::CommitResult::kFenced, built.error().message()};
  }
  if (positions.empty()) return {log::CommitResult::kAborted, std::move(reason)};
  std::vector<log::TopicPartition> sources;
  for (const log::Position& position : positions) sources.push_back(position.source);
  while (true) {
    const auto committed = client_->committed(group, sources);
    if (committed) {
      const bool all =
          std::all_of(positions.begin(), positions.end(), [&](const log::Position& position) {
            const auto found = committed->find(position.source);
            return found != committed->end() && found->second >= position.next;
          });
      return {all ? log::CommitResult::kCommitted : log::CommitResult::kAborted, std::move(reason)};
    }
    if (committed.error().disposition() != Disposition::kRetry || waiting_is_over(give_up_at)) {
      return {log::CommitResult::kUnknown, committed.error().message()};
    }
    client_->clock().sleep_until(client_->clock().steady() + kBetweenCalls);
  }
}

log::CommitOutcome Sender::flush(Milliseconds patience) {
  const SteadyTime give_up_at = client_->clock().steady() + patience;
  uncommitted_ = false;
  while (!drain(client_->clock().steady() + kCallMax)) {
    client_->look_whether_back();
    if (waiting_is_over(give_up_at)) {
      return {log::CommitResult::kUnknown, "the brokers do not acknowledge"};
    }
  }
  if (const std::uint64_t failed = failed_.exchange(0); failed > 0) {
    broken_.reset();
    const rd_kafka_resp_err_t cause = take_cause();
    if (rd_kafka_fatal_error(handle_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const Status built = build(give_up_at);
      if (!built) return {log::CommitResult::kUnknown, built.error().message()};
    }
    look_at_topics(cause);
    if (stale_) {
      const Status built = build(give_up_at);
      if (!built) return {log::CommitResult::kUnknown, built.error().message()};
    }
    return {log::CommitResult::kAborted,
            std::to_string(failed) + " records were not taken by the brokers"};
  }
  client_->health().up();
  return {log::CommitResult::kCommitted, ""};
}

Status Sender::abort(Milliseconds patience) {
  if (!transactional()) {
    rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE);
    rd_kafka_poll(handle_.get(), 0);
    failed_ = 0;
    uncommitted_ = false;
    broken_.reset();
    return {};
  }
  if (!begun_) return {};
  const log::CommitOutcome outcome =
      settle(Step::kAbort, "aborted", GroupId(), {}, client_->clock().steady() + patience);
  if (outcome.result == log::CommitResult::kAborted) return {};
  return Error(ErrorCode::kUnavailable, "cannot abort: " + outcome.reason);
}

void Sender::serve() {
  if (handle_) rd_kafka_poll(handle_.get(), 0);
}

}  // namespace millrace::log_kafka::internal
