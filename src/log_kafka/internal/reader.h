// Reads partitions of one topic on Kafka without a group.
#pragma once

#include <memory>
#include <vector>

#include "log/log.h"
#include "log_kafka/internal/client.h"
#include "log_kafka/internal/feed.h"
#include "log_kafka/internal/fetch_wake.h"
#include "log_kafka/internal/wake.h"

namespace millrace::log_kafka::internal {

class KafkaReader final : public log::Reader {
 public:
  static Result<std::unique_ptr<log::Reader>> open(Client& client,
                                                   const log::ReaderOptions& options);
  ~KafkaReader() override;

  Result<std::optional<log::Batch>> next(SteadyTime until) override;
  bool at_end() const override;

 private:
  struct Partition {
    Feed feed;
    Offset end;
    bool started = false;
  };

  KafkaReader(Client& client, log::ReaderOptions options);
  Status start(Partition& partition);
  Result<std::optional<log::Batch>> take(Partition& partition);
  static bool done(const Partition& partition);

  Client* client_;
  log::ReaderOptions options_;
  Wake wake_;
  Client::Hooks hooks_;
  HandlePtr handle_;
  TopicPtr topic_;
  std::vector<Partition> partitions_;
  std::size_t turn_ = 0;
  FetchWake fetch_wake_;
};

}  // namespace millrace::log_kafka::internal
