// What all handles of one log share: configuration, the state of the connection, and the handle for
// administration.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "env/clock.h"
#include "log_kafka/internal/handles.h"
#include "log_kafka/internal/health.h"
#include "log_kafka/internal/statistics.h"
#include "log_kafka/kafka_log.h"

namespace millrace::log_kafka::internal {

// How long one request to a broker may take.
inline constexpr Milliseconds kRequestMax{10'000};
// The same for questions asked while records are read: whoever asks must soon be able to stop.
inline constexpr Milliseconds kQuestionMax{3'000};

struct TopicSizes {
  std::int32_t partitions = 0;
  std::size_t message_bytes_max = 0;  // key + value + headers of one record
  std::size_t wire_bytes_max = 0;     // of a batch, as the broker counts
};

// Thread-safe but for open(). Must outlive the handles it made.
class Client {
 public:
  static Result<std::unique_ptr<Client>> open(const KafkaLogOptions& options, env::Clock& clock,
                                              telemetry::Logger& logger);

  // What a handle tells its owner, on the thread that polls it. May be null.
  using OnRebalance = std::function<void(rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*)>;
  using OnDelivery = std::function<void(const rd_kafka_message_t&)>;
  struct Hooks {
    Client* client = nullptr;
    std::string name;  // in statistics; without one there are none
    OnRebalance rebalance;
    OnDelivery delivery_failed;  // called for failures only
  };
  // `hooks` must outlive the handle. `own` are properties on top of the user's.
  Result<HandlePtr> make_handle(rd_kafka_type_t type, Hooks& hooks,
                                const std::vector<std::pair<std::string, std::string>>& own);

  // A consumer without a group, for administration and questions.
  rd_kafka_t* admin() { return admin_.get(); }
  Health& health() { return health_; }
  const Statistics& statistics() const { return statistics_; }
  env::Clock& clock() { return *clock_; }
  telemetry::Logger& logger() { return *logger_; }
  const KafkaLogOptions& options() const { return options_; }
  // Of a property as resolved; "" when the library's default is in force.
  std::string property(std::string_view name) const;
  bool is_default(std::string_view name) const;

  // Has the threads of `consumer` look again whether to fetch. Before 2.2 the library notices only
  // within a second that a queue which was full has room; any wake-up makes it look. This one costs
  // no request: the credentials it sets are those that are set.
  void wake_fetching(rd_kafka_t& consumer);

  // Asks a broker, at most this long.
  Status ping(Milliseconds patience);
  // Asks only where the brokers were away, and at most once a second.
  void look_whether_back();

  // kUnknownTopic naming the nearest.
  Result<std::int32_t> partitions_of(const TopicName& topic);
  Result<TopicSizes> sizes_of(const TopicName& topic);
  // First offsets at or after `time` (ms); -1: the ends, -2: the beginnings.
  Result<std::map<log::TopicPartition, Offset>> list_offsets(
      const std::vector<log::TopicPartition>& sources, std::int64_t time);
  // The ends, where what was committed until now is counted: a commit is acknowledged some
  // milliseconds before readers see it, so that is waited for, at most kVisibleMax.
  static constexpr Milliseconds kVisibleMax{1'000};
  Result<std::map<log::TopicPartition, Offset>> settled_ends(
      const std::vector<log::TopicPartition>& sources);
  // Committed positions of a group, stable ones: what a transaction still decides is waited for.
  Result<std::map<log::TopicPartition, Offset>> committed(
      const GroupId& group, const std::vector<log::TopicPartition>& sources);
  // Connects for that already, in the background.
  Status expect_questions(const GroupId& group);
  // The same for administration: no sources means all, and no client of its own a group. Not for
  // what must outlive a coordinator that moves: librdkafka 2.0.2 may die of its own assertion then.
  Result<std::map<log::TopicPartition, Offset>> listed_committed(
      const GroupId& group, const std::vector<log::TopicPartition>& sources);

  // Of the brokers, whatever they are called.
  Result<std::string> cluster_id();
  // The identity of this place: a random id kept under the home folder.
  Result<std::string> place();

 private:
  Client(const KafkaLogOptions& options, env::Clock& clock, telemetry::Logger& logger);
  template <class Ask>
  auto ask_again(Ask ask) -> decltype(ask());
  Result<std::map<log::TopicPartition, Offset>> ask_offsets(
      rd_kafka_t& handle, const std::vector<log::TopicPartition>& sources, std::int64_t time);
  Status ask_leaders(rd_kafka_t& handle, rd_kafka_topic_partition_list_t& list);
  using Positions = std::map<log::TopicPartition, Offset>;
  // Asks until no transaction decides any more (nothing is its answer while one does).
  Result<Positions> settled(const GroupId& group,
                            const std::function<Result<std::optional<Positions>>()>& ask);
  Result<std::optional<Positions>> ask_committed(const GroupId& group,
                                                 const std::vector<log::TopicPartition>& sources);
  Result<std::optional<Positions>> list_committed(const GroupId& group,
                                                  const std::vector<log::TopicPartition>& sources);
  static Result<std::optional<Positions>> read_positions(
      const rd_kafka_topic_partition_list_t& list, std::string_view what);
  // A consumer that never joins `group`, for its positions. Kept until the client goes.
  Result<rd_kafka_t*> questioner(const GroupId& group);
  static void on_error(rd_kafka_t* handle, int code, const char* reason, void* opaque);
  static int on_statistics(rd_kafka_t* handle, char* text, std::size_t size, void* opaque);
  static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text);

  KafkaLogOptions options_;
  env::Clock* clock_;
  telemetry::Logger* logger_;
  std::vector<Property> properties_;
  Health health_;
  Statistics statistics_;
  Hooks admin_hooks_;
  HandlePtr admin_;
  HandlePtr uncommitted_;  // the same, and sees what is not committed yet
  std::mutex questioners_mutex_;
  std::map<GroupId, HandlePtr> questioners_;
  std::atomic<std::int64_t> last_look_ms_{0};
};

// Waits for the answer of an administrative request on `queue`.
Result<EventPtr> wait_for_answer(rd_kafka_queue_t& queue, std::string_view what);
AdminOptionsPtr admin_options(rd_kafka_t& handle, rd_kafka_admin_op_t operation,
                              Milliseconds patience = kRequestMax);

}  // namespace millrace::log_kafka::internal
