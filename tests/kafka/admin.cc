#include "kafka/admin.h"

#include <gtest/gtest.h>

#include <array>

#include "base/check.h"

namespace millrace::kafka_testing {
namespace {

constexpr int kAnswerMs = 60'000;
constexpr int kRequestMs = 30'000;

void expect_no_errors(const rd_kafka_topic_result_t* const* results, std::size_t count,
                      const std::string& what) {
  for (std::size_t i = 0; i < count; ++i) {
    const char* reason = rd_kafka_topic_result_error_string(results[i]);
    EXPECT_EQ(rd_kafka_topic_result_error(results[i]), RD_KAFKA_RESP_ERR_NO_ERROR)
        << what << ": " << (reason != nullptr ? reason : "");
  }
}

}  // namespace

Admin::Admin(const std::string& bootstrap) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 256> reason{};
  CHECK(rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), reason.data(),
                          reason.size()) == RD_KAFKA_CONF_OK);
  handle_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size()));
  CHECK(handle_ != nullptr);
}

Admin::Owned<rd_kafka_event_t> Admin::answer(rd_kafka_queue_t* queue,
                                             const std::string& what) const {
  Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue, kAnswerMs));
  if (!event) {
    ADD_FAILURE() << what << ": no answer";
  } else if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    ADD_FAILURE() << what << ": " << rd_kafka_event_error_string(event.get());
    event.reset();
  }
  return event;
}

Admin::Owned<rd_kafka_AdminOptions_t> Admin::options(rd_kafka_admin_op_t operation) const {
  Owned<rd_kafka_AdminOptions_t> made(rd_kafka_AdminOptions_new(handle_.get(), operation));
  std::array<char, 256> reason{};
  CHECK(rd_kafka_AdminOptions_set_request_timeout(made.get(), kRequestMs, reason.data(),
                                                  reason.size()) == RD_KAFKA_RESP_ERR_NO_ERROR);
  return made;
}

void Admin::create_topic(const std::string& name, int partitions,
                         const std::map<std::string, std::string>& settings) const {
  const std::string what = "create topic " + name;
  std::array<char, 256> reason{};
  rd_kafka_NewTopic_t* topic =
      rd_kafka_NewTopic_new(name.c_str(), partitions, 1, reason.data(), reason.size());
  CHECK(topic != nullptr);
  for (const auto& [key, value] : settings)
    rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_.get()));
  const auto with = options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_CreateTopics(handle_.get(), &topic, 1, with.get(), queue.get());
  rd_kafka_NewTopic_destroy(topic);
  const auto event = answer(queue.get(), what);
  if (!event) return;
  std::size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  expect_no_errors(results, count, what);
}

void Admin::delete_topic(const std::string& name) const {
  const std::string what = "delete topic " + name;
  rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(name.c_str());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_.get()));
  const auto with = options(RD_KAFKA_ADMIN_OP_DELETETOPICS);
  rd_kafka_DeleteTopics(handle_.get(), &topic, 1, with.get(), queue.get());
  rd_kafka_DeleteTopic_destroy(topic);
  const auto event = answer(queue.get(), what);
  if (!event) return;
  std::size_t count = 0;
  const auto* results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  expect_no_errors(results, count, what);
}

void Admin::add_partitions(const std::string& topic, int partitions) const {
  const std::string what = "add partitions to " + topic;
  std::array<char, 256> reason{};
  rd_kafka_NewPartitions_t* more = rd_kafka_NewPartitions_new(
      topic.c_str(), static_cast<std::size_t>(partitions), reason.data(), reason.size());
  CHECK(more != nullptr);
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_.get()));
  const auto with = options(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
  rd_kafka_CreatePartitions(handle_.get(), &more, 1, with.get(), queue.get());
  rd_kafka_NewPartitions_destroy(more);
  const auto event = answer(queue.get(), what);
  if (!event) return;
  std::size_t count = 0;
  const auto* results = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event.get()), &count);
  expect_no_errors(results, count, what);
}

void Admin::configure_topic(const std::string& name,
                            const std::map<std::string, std::string>& settings) const {
  const std::string what = "configure " + name;
  rd_kafka_ConfigResource_t* request =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str());
  for (const auto& [key, value] : settings)
    rd_kafka_ConfigResource_set_config(request, key.c_str(), value.c_str());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_.get()));
  const auto with = options(RD_KAFKA_ADMIN_OP_ALTERCONFIGS);
  rd_kafka_AlterConfigs(handle_.get(), &request, 1, with.get(), queue.get());
  rd_kafka_ConfigResource_destroy(request);
  const auto event = answer(queue.get(), what);
  if (!event) return;
  std::size_t count = 0;
  const auto* const* resources = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(event.get()), &count);
  ASSERT_EQ(count, 1U);
  EXPECT_EQ(rd_kafka_ConfigResource_error(resources[0]), RD_KAFKA_RESP_ERR_NO_ERROR) << what;
}

void Admin::delete_records(const std::string& topic, int partition, std::int64_t offset) const {
  const std::string what = "delete records of " + topic;
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = offset;
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list);
  rd_kafka_topic_partition_list_destroy(list);
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_.get()));
  const auto with = options(RD_KAFKA_ADMIN_OP_DELETERECORDS);
  rd_kafka_DeleteRecords(handle_.get(), &request, 1, with.get(), queue.get());
  rd_kafka_DeleteRecords_destroy(request);
  const auto event = answer(queue.get(), what);
  if (!event) return;
  const auto* done =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  EXPECT_EQ(done->elems[0].err, RD_KAFKA_RESP_ERR_NO_ERROR)
      << what << ": " << rd_kafka_err2str(done->elems[0].err);
}

std::int64_t Admin::end_of(const std::string& topic, int partition) const {
  std::int64_t low = 0;
  std::int64_t high = 0;
  EXPECT_EQ(rd_kafka_query_watermark_offsets(handle_.get(), topic.c_str(), partition, &low, &high,
                                             kRequestMs),
            RD_KAFKA_RESP_ERR_NO_ERROR);
  return high;
}

std::int64_t Admin::begin_of(const std::string& topic, int partition) const {
  std::int64_t low = 0;
  std::int64_t high = 0;
  EXPECT_EQ(rd_kafka_query_watermark_offsets(handle_.get(), topic.c_str(), partition, &low, &high,
                                             kRequestMs),
            RD_KAFKA_RESP_ERR_NO_ERROR);
  return low;
}

void Admin::allow(const std::string& user, rd_kafka_ResourceType_t resource,
                  const std::string& prefix, rd_kafka_AclOperation_t operation) const {
  const std::string what = "allow " + user;
  std::array<char, 256> reason{};
  rd_kafka_AclBinding_t* binding = rd_kafka_AclBinding_new(
      resource, prefix.c_str(), RD_KAFKA_RESOURCE_PATTERN_PREFIXED, ("User:" + user).c_str(), "*",
      operation, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, reason.data(), reason.size());
  CHECK(binding != nullptr);
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_.get()));
  const auto with = options(RD_KAFKA_ADMIN_OP_CREATEACLS);
  rd_kafka_CreateAcls(handle_.get(), &binding, 1, with.get(), queue.get());
  rd_kafka_AclBinding_destroy(binding);
  const auto event = answer(queue.get(), what);
  if (!event) return;
  std::size_t count = 0;
  const auto* results =
      rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* error = rd_kafka_acl_result_error(results[i]);
    EXPECT_EQ(error, nullptr) << what << ": " << rd_kafka_error_string(error);
  }
}

}  // namespace millrace::kafka_testing
