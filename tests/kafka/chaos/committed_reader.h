// Reads topics as a consumer with isolation.level=read_committed does, through librdkafka and
// nothing of the program: the eyes of a checker that is not the product.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kafka/chaos/oracle.h"

namespace millrace::kafka_testing {

// Follows all partitions of its topics from their first message. Not thread-safe. Brokers that are
// away for a while are waited for; what is not there fails a CHECK when it is made.
class CommittedReader {
 public:
  CommittedReader(const std::string& bootstrap, const std::vector<std::string>& topics);
  ~CommittedReader();
  CommittedReader(const CommittedReader&) = delete;
  CommittedReader& operator=(const CommittedReader&) = delete;

  // Takes what has arrived; waits at most `wait_ms` for the first message.
  void take(int wait_ms);
  // Reads up to what the brokers have, which takes that no transaction is open; false when that did
  // not happen in `seconds`. Nobody may write meanwhile.
  bool read_to_the_end(double seconds);
  const std::vector<Seen>& seen(const std::string& topic) const { return seen_.at(topic); }

 private:
  struct Close {
    void operator()(rd_kafka_t* handle) const;
  };
  using Handle = std::unique_ptr<rd_kafka_t, Close>;
  using Place = std::pair<std::string, std::int32_t>;

  static Handle make_handle(const std::string& bootstrap, const char* isolation);
  // Also makes the handle know who leads them.
  static std::vector<std::int32_t> partitions_of(rd_kafka_t* handle, const std::string& name);
  void on_message(const rd_kafka_message_t& message);
  bool is_at_the_end() const;

  Handle committed_;
  Handle uncommitted_;  // is only asked where partitions end
  std::map<std::string, std::vector<Seen>> seen_;
  std::map<Place, std::int64_t> next_;        // behind the last message seen
  std::map<Place, std::int64_t> read_up_to_;  // the end that was reached, -1: not yet
};

}  // namespace millrace::kafka_testing
