#include "log_kafka/internal/statistics.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "json/json.h"

namespace millrace::log_kafka::internal {
namespace {

std::int64_t number(const json::Value& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

std::uint64_t count(const json::Value& object, const char* name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number(object, name), 0));
}

// The members of the object `name`, none where there is no such object.
json::Value members(const json::Value& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : json::Value::object();
}

void add_broker(const json::Value& broker, log::ClientStatistics& sum) {
  if (!broker.is_object()) return;
  constexpr double kMicrosecondsPerSecond = 1e6;
  sum.request_timeouts += count(broker, "req_timeouts");
  const std::int64_t id = number(broker, "nodeid");
  const json::Value round_trip = members(broker, "rtt");
  // Connections for the bootstrap and for coordinators have no id of a broker.
  if (id < 0 || id > INT32_MAX || number(round_trip, "cnt") == 0) return;
  sum.round_trips[static_cast<std::int32_t>(id)] = {
      static_cast<double>(number(round_trip, "p50")) / kMicrosecondsPerSecond,
      static_cast<double>(number(round_trip, "p99")) / kMicrosecondsPerSecond};
}

}  // namespace

std::optional<log::ClientStatistics> read_statistics(std::string_view text) {
  const auto read = json::parse(text, "statistics of the Kafka client");
  if (!read || !read->is_object()) return std::nullopt;
  log::ClientStatistics sum;
  sum.requests = count(*read, "tx");
  sum.bytes_sent = count(*read, "tx_bytes");
  sum.bytes_received = count(*read, "rx_bytes");
  sum.queued_messages = count(*read, "msg_cnt");
  const json::Value brokers = members(*read, "brokers");
  const json::Value topics = members(*read, "topics");
  for (const json::Value& broker : brokers) add_broker(broker, sum);
  for (const json::Value& topic : topics) {
    const json::Value partitions = members(topic, "partitions");
    for (const json::Value& partition : partitions) {
      sum.queued_messages += count(partition, "fetchq_cnt");
    }
  }
  return sum;
}

void Statistics::take(const std::string& client, std::string_view text) {
  auto read = read_statistics(text);
  if (!read) return;
  read->client = client;
  const std::lock_guard lock(mutex_);
  by_client_.insert_or_assign(client, std::move(*read));
}

std::vector<log::ClientStatistics> Statistics::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<log::ClientStatistics> every;
  for (const auto& [client, statistics] : by_client_) every.push_back(statistics);
  return every;
}

}  // namespace millrace::log_kafka::internal
