// The producer on Kafka: rows and, where it is resumable, the number of the next one, in one
// transaction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "env/file.h"
#include "log/log.h"
#include "log_kafka/internal/client.h"
#include "log_kafka/internal/sender.h"

namespace millrace::log_kafka::internal {

// Keeps what was appended until it is committed: an aborted transaction is sent again.
class KafkaProducer final : public log::Producer {
 public:
  static Result<std::unique_ptr<log::Producer>> open(Client& client,
                                                     const log::ProducerOptions& options);

  Result<log::TopicHandle> open_topic(const TopicName& topic) override;
  Status append(log::TopicHandle topic, const log::NewRecord& record) override;
  Result<std::optional<RowNumber>> position() override;
  Status commit(RowNumber next_row) override;

 private:
  struct Pending {
    log::TopicHandle topic;
    log::NewRecord record;  // views into arena_
    std::size_t first_header = 0;
    std::size_t headers = 0;
  };

  KafkaProducer(Client& client, log::ProducerOptions options, env::FileLock lock);
  void remember(log::TopicHandle topic, const log::NewRecord& record);
  Status append_again();

  Client* client_;
  log::ProducerOptions options_;
  env::FileLock lock_;
  GroupId group_;
  log::TopicPartition marker_;  // whose position is the number of the next row
  GroupMetadataPtr membership_;
  std::unique_ptr<Sender> sender_;
  Arena arena_;
  std::vector<Pending> pending_;
  std::vector<log::Header> headers_;
  bool resend_ = false;  // what is pending has to be appended again
};

}  // namespace millrace::log_kafka::internal
