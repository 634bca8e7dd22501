// What an administrator of the brokers does while the program runs, through librdkafka and nothing
// of the program.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace millrace::kafka_testing {

// Not thread-safe. What does not work fails the running test with the brokers' words.
class Admin {
 public:
  explicit Admin(const std::string& bootstrap);

  void create_topic(const std::string& name, int partitions,
                    const std::map<std::string, std::string>& settings = {}) const;
  // Sets what is named and leaves what else was set to its default.
  void configure_topic(const std::string& name,
                       const std::map<std::string, std::string>& settings) const;
  void delete_topic(const std::string& name) const;
  // Up to so many.
  void add_partitions(const std::string& topic, int partitions) const;
  // As retention does: what lies before `offset` is gone.
  void delete_records(const std::string& topic, int partition, std::int64_t offset) const;
  // Offset behind the last message of a partition, and of the first one that is kept.
  std::int64_t end_of(const std::string& topic, int partition) const;
  std::int64_t begin_of(const std::string& topic, int partition) const;

  // `user` may do `operation` to resources whose names begin with `prefix`.
  void allow(const std::string& user, rd_kafka_ResourceType_t resource, const std::string& prefix,
             rd_kafka_AclOperation_t operation) const;

 private:
  struct Destroy {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
    void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
    void operator()(rd_kafka_AdminOptions_t* o) const { rd_kafka_AdminOptions_destroy(o); }
  };
  template <class T>
  using Owned = std::unique_ptr<T, Destroy>;

  // Waits for the answer on `queue` and looks for errors in it.
  Owned<rd_kafka_event_t> answer(rd_kafka_queue_t* queue, const std::string& what) const;
  Owned<rd_kafka_AdminOptions_t> options(rd_kafka_admin_op_t operation) const;

  Owned<rd_kafka_t> handle_;
};

}  // namespace millrace::kafka_testing
