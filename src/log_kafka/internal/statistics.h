// What the clients of a log count about their connections.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"

namespace millrace::log_kafka::internal {

// Thread-safe.
class Statistics {
 public:
  // `text` is librdkafka's JSON (its STATISTICS.md); what cannot be read is passed over.
  void take(const std::string& client, std::string_view text);
  std::vector<log::ClientStatistics> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, log::ClientStatistics> by_client_;
};

// Nothing where `text` is no such JSON.
std::optional<log::ClientStatistics> read_statistics(std::string_view text);

}  // namespace millrace::log_kafka::internal
