#include "log_kafka/internal/client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "env/random.h"
#include "log_kafka/internal/errors.h"
#include "log_kafka/internal/metadata.h"
#include "log_kafka/internal/properties.h"

namespace millrace::log_kafka::internal {
namespace {

constexpr Milliseconds kPingSlice{250};
constexpr Milliseconds kLookEvery{1'000};
// A question about topics that a connection was lost over is asked again, for at most this long.
constexpr Milliseconds kAskMax{5'000};
constexpr Milliseconds kBetweenAsks{50};
constexpr Milliseconds kLookPatience{200};
constexpr Milliseconds kVisibleLook{5};
constexpr Milliseconds kLeaderLook{20};
constexpr std::size_t kTopicsNamedMax = 10'000;

int ms(Milliseconds time) { return static_cast<int>(time.count()); }

// Never joined, and no group to anybody. Without one, librdkafka 2.0.2 dies of a null pointer when
// the coordinator moves while it asks for a group's positions.
constexpr const char* kNoGroup = "millrace.questions";

// syslog levels of the library's lines.
constexpr int kSyslogWarning = 4;

}  // namespace

Client::Client(const KafkaLogOptions& options, env::Clock& clock, telemetry::Logger& logger)
    : options_(options), clock_(&clock), logger_(&logger) {
  admin_hooks_.client = this;
}

Result<std::unique_ptr<Client>> Client::open(const KafkaLogOptions& options, env::Clock& clock,
                                             telemetry::Logger& logger) {
  std::unique_ptr<Client> client(new Client(options, clock, logger));
  MILLRACE_ASSIGN(client->properties_, resolve(options));
  for (const Property& property : client->properties_) {
    if (is_secret(property.name) && !property.value.empty()) {
      for (const Property& given : options.properties) {
        if (given.value == property.value) {
          logger.warning("Kafka property '" + given.name + "' (" + given.origin +
                         ") holds a secret in plain sight; use ${file:PATH}");
        }
      }
    }
  }
  MILLRACE_ASSIGN(client->admin_, client->make_handle(RD_KAFKA_CONSUMER, client->admin_hooks_,
                                                      {{"isolation.level", "read_committed"},
                                                       {"group.id", kNoGroup}}));
  MILLRACE_ASSIGN(client->uncommitted_,
                  client->make_handle(RD_KAFKA_CONSUMER, client->admin_hooks_,
                                      {{"isolation.level", "read_uncommitted"}}));
  MILLRACE_TRY(client->ping(kReachMax));
  return client;
}

std::string Client::property(std::string_view name) const {
  for (const Property& property : properties_) {
    if (property.name == name) return property.value;
  }
  return "";
}

bool Client::is_default(std::string_view name) const {
  return std::none_of(properties_.begin(), properties_.end(), [&](const Property& property) {
    return property.name == name && !property.origin.starts_with(kDefaultOrigin);
  });
}

Result<HandlePtr> Client::make_handle(rd_kafka_type_t type, Hooks& hooks,
                                      const std::vector<std::pair<std::string, std::string>>& own) {
  CHECK(hooks.client == this);
  MILLRACE_ASSIGN(ConfPtr conf, make_conf(properties_));
  for (const auto& [name, value] : own) MILLRACE_TRY(set(*conf, name, value));
  rd_kafka_conf_set_opaque(conf.get(), &hooks);
  rd_kafka_conf_set_error_cb(conf.get(), &Client::on_error);
  rd_kafka_conf_set_log_cb(conf.get(), &Client::on_log);
  if (hooks.rebalance) {
    rd_kafka_conf_set_rebalance_cb(
        conf.get(),
        [](rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
           void* opaque) { static_cast<Hooks*>(opaque)->rebalance(what, partitions); });
  }
  if (hooks.delivery_failed) {
    rd_kafka_conf_set_dr_msg_cb(conf.get(),
                                [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
                                  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
                                  static_cast<Hooks*>(opaque)->delivery_failed(*message);
                                });
  }
  if (hooks.name.empty()) {
    // They would be kept until somebody polls.
    MILLRACE_TRY(set(*conf, "statistics.interval.ms", "0"));
  } else {
    rd_kafka_conf_set_stats_cb(conf.get(), &Client::on_statistics);
  }
  std::array<char, 512> reason{};
  // The handle takes the configuration over where it can be made.
  HandlePtr handle(rd_kafka_new(type, conf.get(), reason.data(), reason.size()));
  if (!handle) {
    return Error(ErrorCode::kConfig,
                 "the Kafka client cannot be set up: " + printable(reason.data()));
  }
  (void)conf.release();
  return handle;
}

void Client::on_error(rd_kafka_t*, int code, const char* reason, void* opaque) {
  Client& client = *static_cast<Hooks*>(opaque)->client;
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  switch (error) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
      // One broker of several may be away without harm; that all are is said as well.
      if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        client.logger_->debug("Kafka: " + printable(reason));
        return;
      }
      client.health_.down(
          Error(ErrorCode::kUnavailable, "no Kafka broker of " + client.options_.brokers +
                                             " can be reached: " + printable(reason)));
      return;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
      client.health_.down(to_error(error, "the Kafka broker refused the connection", reason));
      return;
    default:
      client.logger_->debug("Kafka: " + printable(reason));
  }
}

int Client::on_statistics(rd_kafka_t*, char* text, std::size_t size, void* opaque) {
  const auto* hooks = static_cast<const Hooks*>(opaque);
  hooks->client->statistics_.take(hooks->name, {text, size});
  return 0;  // the text stays the library's
}

void Client::on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  // Null while a handle is being made.
  const auto* hooks = static_cast<const Hooks*>(rd_kafka_opaque(handle));
  if (hooks == nullptr || hooks->client == nullptr) return;
  const std::string line = "Kafka client " + std::string(facility) + ": " + printable(text, 500);
  if (level < kSyslogWarning) {
    hooks->client->logger_->info(line);
  } else {
    hooks->client->logger_->debug(line);
  }
}

void Client::wake_fetching(rd_kafka_t& consumer) {
  if (!property(kFetchQueueBackoff).empty()) return;
  const std::string user = property("sasl.username");
  const std::string password = property("sasl.password");
  ErrorPtr(rd_kafka_sasl_set_credentials(&consumer, user.c_str(), password.c_str()));
}

Status Client::ping(Milliseconds patience) {
  const SteadyTime give_up = clock_->steady() + patience;
  while (true) {
    const rd_kafka_metadata_t* answer = nullptr;
    const auto error = rd_kafka_metadata(admin_.get(), 0, nullptr, &answer, ms(kPingSlice));
    rd_kafka_poll(admin_.get(), 0);  // brings on_error() what has happened
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(answer);
      health_.up();
      return {};
    }
    Status status = health_.status();
    if (!status && status.error().code() == ErrorCode::kPermission) return status;
    if (clock_->steady() >= give_up) {
      if (!status) return status;
      Error away(ErrorCode::kUnavailable,
                 "no Kafka broker of " + options_.brokers + " answers: " + rd_kafka_err2str(error));
      health_.down(away);
      return away;
    }
  }
}

void Client::look_whether_back() {
  const Status status = health_.status();
  if (status) return;
  const std::int64_t now = env::boottime_ms();
  if (now - last_look_ms_.exchange(now) < kLookEvery.count()) return;
  (void)ping(kLookPatience);
}

template <class Ask>
auto Client::ask_again(Ask ask) -> decltype(ask()) {
  const SteadyTime give_up_at = clock_->steady() + kAskMax;
  while (true) {
    auto answer = ask();
    if (answer || answer.error().disposition() != Disposition::kRetry ||
        clock_->steady() >= give_up_at) {
      return answer;
    }
    clock_->sleep_until(clock_->steady() + kBetweenAsks);
  }
}

Result<std::int32_t> Client::partitions_of(const TopicName& topic) {
  MILLRACE_ASSIGN(const auto found, ask_again([&] { return find_topics(*admin_, topic); }));
  if (found.size() == 1) return static_cast<std::int32_t>(found.front().partitions.size());
  std::vector<std::string> names;
  MILLRACE_ASSIGN(const auto all, find_topics(*admin_, std::nullopt));
  for (const TopicMetadata& one : all) {
    if (names.size() < kTopicsNamedMax) names.push_back(one.name.value());
  }
  return Error(ErrorCode::kUnknownTopic, "topic '" + topic.value() + "' does not exist on " +
                                             options_.brokers + did_you_mean(topic.value(), names));
}

Result<TopicSizes> Client::sizes_of(const TopicName& topic) {
  TopicSizes sizes;
  MILLRACE_ASSIGN(sizes.partitions, partitions_of(topic));
  MILLRACE_ASSIGN(const auto configs,
                  ask_again([&] { return describe_configs(*admin_, {topic}); }));
  sizes.wire_bytes_max = configs.front().wire_bytes_max;
  sizes.message_bytes_max = message_bytes_of_wire(sizes.wire_bytes_max);
  return sizes;
}

Result<std::map<log::TopicPartition, Offset>> Client::list_offsets(
    const std::vector<log::TopicPartition>& sources, std::int64_t time) {
  return ask_offsets(*admin_, sources, time);
}

Result<std::map<log::TopicPartition, Offset>> Client::settled_ends(
    const std::vector<log::TopicPartition>& sources) {
  const SteadyTime give_up_at = clock_->steady() + kVisibleMax;
  MILLRACE_ASSIGN(const auto written, ask_offsets(*uncommitted_, sources, RD_KAFKA_OFFSET_END));
  while (true) {
    MILLRACE_ASSIGN(auto visible, list_offsets(sources, RD_KAFKA_OFFSET_END));
    const bool settled = std::all_of(written.begin(), written.end(), [&](const auto& entry) {
      return visible.at(entry.first) >= entry.second;
    });
    if (settled || clock_->steady() >= give_up_at) return visible;
    clock_->sleep_until(clock_->steady() + kVisibleLook);
  }
}

Result<std::map<log::TopicPartition, Offset>> Client::ask_offsets(
    rd_kafka_t& handle, const std::vector<log::TopicPartition>& sources, std::int64_t time) {
  std::map<log::TopicPartition, Offset> offsets;
  if (sources.empty()) return offsets;
  const ListPtr list = new_list(sources.size());
  for (const log::TopicPartition& source : sources) add(*list, source, time);
  MILLRACE_TRY(ask_leaders(handle, *list));
  std::vector<log::TopicPartition> at_end;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& entry = list->elems[i];
    if (entry.offset >= 0) {
      offsets[source_of(entry)] = Offset(entry.offset);
    } else {
      at_end.push_back(source_of(entry));  // nothing is that late
    }
  }
  if (at_end.empty()) return offsets;
  CHECK(time != RD_KAFKA_OFFSET_END);
  MILLRACE_ASSIGN(const auto ends, ask_offsets(handle, at_end, RD_KAFKA_OFFSET_END));
  offsets.insert(ends.begin(), ends.end());
  return offsets;
}

// Leaders move, and are news to this client after a topic was made: asked again for a while.
Status Client::ask_leaders(rd_kafka_t& handle, rd_kafka_topic_partition_list_t& list) {
  const SteadyTime give_up_at = clock_->steady() + kQuestionMax;
  const ListPtr question = copy_list(list);
  while (true) {
    auto error = rd_kafka_offsets_for_times(&handle, &list, ms(kQuestionMax));
    rd_kafka_poll(&handle, 0);  // errors of connections are kept until somebody does
    std::string what = "cannot ask for offsets";
    for (int i = 0; i < list.cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      error = list.elems[i].err;
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) what += " of " + name_of(source_of(list.elems[i]));
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      health_.up();
      return {};
    }
    const bool moved = error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
                       error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
                       error == RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH ||
                       error == RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH ||
                       error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;  // added of late
    if (!moved || clock_->steady() >= give_up_at) return to_error(error, what);
    clock_->sleep_until(clock_->steady() + kLeaderLook);
    MILLRACE_TRY(find_topics(handle, TopicName(list.elems[0].topic)));  // learns the leaders anew
    for (int i = 0; i < list.cnt; ++i) list.elems[i].offset = question->elems[i].offset;
  }
}

Result<Client::Positions> Client::committed(const GroupId& group,
                                            const std::vector<log::TopicPartition>& sources) {
  if (sources.empty()) return Positions();
  return settled(group, [&] { return ask_committed(group, sources); });
}

Result<Client::Positions> Client::listed_committed(
    const GroupId& group, const std::vector<log::TopicPartition>& sources) {
  return settled(group, [&] { return list_committed(group, sources); });
}

Result<Client::Positions> Client::settled(
    const GroupId& group, const std::function<Result<std::optional<Positions>>()>& ask) {
  const SteadyTime give_up_at = clock_->steady() + kQuestionMax;
  while (true) {
    MILLRACE_ASSIGN(auto positions, ask());
    if (positions) return std::move(*positions);
    if (clock_->steady() >= give_up_at) {
      return Error(ErrorCode::kUnavailable, "the positions of group '" + group.value() +
                                                "' are not settled: a transaction is open");
    }
    clock_->sleep_until(clock_->steady() + kVisibleLook);
  }
}

Result<std::optional<Client::Positions>> Client::read_positions(
    const rd_kafka_topic_partition_list_t& list, std::string_view what) {
  Positions positions;
  for (int i = 0; i < list.cnt; ++i) {
    const auto& entry = list.elems[i];
    if (entry.err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT) return std::optional<Positions>();
    // A partition whose topic is gone has no position any more.
    if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR && code_of(entry.err) != ErrorCode::kUnknownTopic)
      return to_error(entry.err, what);
    if (entry.offset >= 0) positions[source_of(entry)] = Offset(entry.offset);
  }
  return std::optional(std::move(positions));
}

Result<rd_kafka_t*> Client::questioner(const GroupId& group) {
  const std::lock_guard lock(questioners_mutex_);
  const auto found = questioners_.find(group);
  if (found != questioners_.end()) return found->second.get();
  MILLRACE_ASSIGN(HandlePtr handle, make_handle(RD_KAFKA_CONSUMER, admin_hooks_,
                                                {{"group.id", group.value()},
                                                 {"enable.auto.commit", "false"},
                                                 {"isolation.level", "read_committed"}}));
  return questioners_.emplace(group, std::move(handle)).first->second.get();
}

Status Client::expect_questions(const GroupId& group) {
  MILLRACE_TRY(questioner(group));
  return {};
}

Result<std::optional<Client::Positions>> Client::ask_committed(
    const GroupId& group, const std::vector<log::TopicPartition>& sources) {
  MILLRACE_ASSIGN(rd_kafka_t * handle, questioner(group));
  const ListPtr list = new_list(sources.size());
  for (const log::TopicPartition& source : sources) add(*list, source, RD_KAFKA_OFFSET_INVALID);
  const auto error = rd_kafka_committed(handle, list.get(), ms(kQuestionMax));
  rd_kafka_poll(handle, 0);  // brings on_error() what has happened
  if (error == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT) return std::optional<Positions>();
  const std::string what = "cannot ask for the positions of group '" + group.value() + "'";
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, what);
  health_.up();
  return read_positions(*list, what);
}

Result<std::optional<Client::Positions>> Client::list_committed(
    const GroupId& group, const std::vector<log::TopicPartition>& sources) {
  const ListPtr list = sources.empty() ? nullptr : new_list(sources.size());
  for (const log::TopicPartition& source : sources) add(*list, source, RD_KAFKA_OFFSET_INVALID);
  const std::string what = "cannot ask for the positions of group '" + group.value() + "'";
  auto* request = rd_kafka_ListConsumerGroupOffsets_new(group.value().c_str(), list.get());
  const QueuePtr queue(rd_kafka_queue_new(admin_.get()));
  const AdminOptionsPtr options =
      admin_options(*admin_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, kQuestionMax);
  rd_kafka_error_destroy(rd_kafka_AdminOptions_set_require_stable_offsets(options.get(), 1));
  rd_kafka_ListConsumerGroupOffsets(admin_.get(), &request, 1, options.get(), queue.get());
  rd_kafka_ListConsumerGroupOffsets_destroy(request);
  MILLRACE_ASSIGN(const EventPtr answer, wait_for_answer(*queue, what));
  health_.up();
  std::size_t count = 0;
  const auto* results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(answer.get()), &count);
  CHECK(count == 1);  // as many as were asked for
  if (const auto* error = rd_kafka_group_result_error(results[0])) return to_error(*error, what);
  const auto* found = rd_kafka_group_result_partitions(results[0]);
  if (found == nullptr) return std::optional(Positions());
  return read_positions(*found, what);
}

Result<std::string> Client::cluster_id() {
  return ask_again([&]() -> Result<std::string> {
    char* id = rd_kafka_clusterid(admin_.get(), ms(kPingSlice));
    if (id == nullptr) {
      return Error(ErrorCode::kUnavailable, options_.brokers + " does not say which cluster it is");
    }
    std::string text = id;
    rd_kafka_mem_free(admin_.get(), id);
    return text;
  });
}

Result<std::string> Client::place() {
  MILLRACE_TRY(env::make_folders(options_.home));
  const env::Path file = options_.home / "id";
  constexpr std::size_t kIdBytes = 8;
  MILLRACE_TRY(env::write_file_new(file, env::random_hex(kIdBytes) + "\n"));
  MILLRACE_ASSIGN(std::string id, env::read_file(file, 1024));
  while (id.ends_with('\n')) id.pop_back();
  if (id.empty() || !is_legal_topic_name(id)) {
    return Error(ErrorCode::kConfig, file.string() +
                                         " holds no id of letters and digits; delete "
                                         "it, and a new one is made");
  }
  return id;
}

Result<EventPtr> wait_for_answer(rd_kafka_queue_t& queue, std::string_view what) {
  // The request has its own deadline; this one only guards against an answer that never comes.
  EventPtr answer(rd_kafka_queue_poll(&queue, ms(2 * kRequestMax)));
  if (!answer) return Error(ErrorCode::kUnavailable, std::string(what) + ": no answer");
  const auto error = rd_kafka_event_error(answer.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return answer;
  return to_error(error, what, rd_kafka_event_error_string(answer.get()));
}

AdminOptionsPtr admin_options(rd_kafka_t& handle, rd_kafka_admin_op_t operation,
                              Milliseconds patience) {
  AdminOptionsPtr options(rd_kafka_AdminOptions_new(&handle, operation));
  std::array<char, 256> reason{};
  const auto error = rd_kafka_AdminOptions_set_request_timeout(options.get(), ms(patience),
                                                               reason.data(), reason.size());
  CHECK(error == RD_KAFKA_RESP_ERR_NO_ERROR);
  return options;
}

}  // namespace millrace::log_kafka::internal
