// Whether the brokers could be reached of late.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"

namespace millrace::log_kafka::internal {

// Told by the client's threads, asked by any. Thread-safe.
class Health {
 public:
  void up();
  void down(const Error& why);
  Status status() const;

 private:
  mutable std::mutex mutex_;
  std::optional<Error> down_;
};

}  // namespace millrace::log_kafka::internal
