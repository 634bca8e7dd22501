#include "kafka/chaos/committed_reader.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "integration/program.h"

namespace millrace::kafka_testing {
namespace {

constexpr int kRequestMs = 5'000;
constexpr double kTopicSeconds = 60;
constexpr int kTakeMax = 10'000;

void set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
  std::array<char, 256> reason{};
  CHECK(rd_kafka_conf_set(conf, name, value.c_str(), reason.data(), reason.size()) ==
        RD_KAFKA_CONF_OK);
}

}  // namespace

void CommittedReader::Close::operator()(rd_kafka_t* handle) const {
  rd_kafka_consumer_close(handle);
  rd_kafka_destroy(handle);
}

CommittedReader::Handle CommittedReader::make_handle(const std::string& bootstrap,
                                                     const char* isolation) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", bootstrap);
  set(conf, "group.id", "checker");  // asked for by the library, never joined
  set(conf, "isolation.level", isolation);
  set(conf, "enable.auto.commit", "false");
  set(conf, "enable.partition.eof", "true");
  // Where a broker did not answer in time the library begins anew, and on_message() passes over
  // what it has seen; with "error" it would stop reading the partition.
  set(conf, "auto.offset.reset", "earliest");
  set(conf, "check.crcs", "true");
  set(conf, "reconnect.backoff.max.ms", "1000");
  set(conf, "log_level", "2");
  std::array<char, 256> reason{};
  Handle handle(rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason.data(), reason.size()));
  CHECK(handle != nullptr);
  rd_kafka_poll_set_consumer(handle.get());
  return handle;
}

CommittedReader::CommittedReader(const std::string& bootstrap,
                                 const std::vector<std::string>& topics)
    : committed_(make_handle(bootstrap, "read_committed")),
      uncommitted_(make_handle(bootstrap, "read_uncommitted")) {
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(8);
  for (const std::string& topic : topics) {
    seen_[topic];
    std::vector<std::int32_t> partitions;
    CHECK(integration::eventually(
        [&] {
          partitions = partitions_of(committed_.get(), topic);
          return !partitions.empty();
        },
        kTopicSeconds));
    for (const std::int32_t partition : partitions) {
      read_up_to_[{topic, partition}] = -1;
      rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    }
  }
  CHECK(rd_kafka_assign(committed_.get(), list) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_topic_partition_list_destroy(list);
}

CommittedReader::~CommittedReader() = default;

std::vector<std::int32_t> CommittedReader::partitions_of(rd_kafka_t* handle,
                                                         const std::string& name) {
  rd_kafka_topic_t* topic = rd_kafka_topic_new(handle, name.c_str(), nullptr);
  const rd_kafka_metadata_t* answer = nullptr;
  const auto error = rd_kafka_metadata(handle, 0, topic, &answer, kRequestMs);
  rd_kafka_topic_destroy(topic);
  std::vector<std::int32_t> partitions;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return partitions;
  if (answer->topic_cnt == 1 && answer->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    for (int i = 0; i < answer->topics[0].partition_cnt; ++i)
      partitions.push_back(answer->topics[0].partitions[i].id);
  }
  rd_kafka_metadata_destroy(answer);
  return partitions;
}

void CommittedReader::on_message(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr) return;
  const std::string topic = rd_kafka_topic_name(message.rkt);
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    read_up_to_[{topic, message.partition}] = message.offset;
    return;
  }
  // Brokers come and go; the library reads on by itself.
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  std::int64_t& next = next_[{topic, message.partition}];
  if (message.offset < next) return;
  next = message.offset + 1;
  Seen seen;
  seen.partition = message.partition;
  seen.offset = message.offset;
  seen.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  seen.key.assign(static_cast<const char*>(message.key), message.key_len);
  seen_.at(topic).push_back(std::move(seen));
}

void CommittedReader::take(int wait_ms) {
  for (int i = 0; i < kTakeMax; ++i) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(committed_.get(), i == 0 ? wait_ms : 0);
    if (message == nullptr) return;
    on_message(*message);
    rd_kafka_message_destroy(message);
  }
}

bool CommittedReader::is_at_the_end() const {
  for (const auto& [place, up_to] : read_up_to_) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    const auto error = rd_kafka_query_watermark_offsets(uncommitted_.get(), place.first.c_str(),
                                                        place.second, &low, &high, kRequestMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      partitions_of(uncommitted_.get(), place.first);  // leaders move
      return false;
    }
    if (up_to < high) return false;
  }
  return true;
}

bool CommittedReader::read_to_the_end(double seconds) {
  return integration::eventually(
      [this] {
        take(100);
        return is_at_the_end();
      },
      seconds);
}

}  // namespace millrace::kafka_testing
