#include "log_kafka/internal/health.h"

namespace millrace::log_kafka::internal {

void Health::up() {
  const std::lock_guard lock(mutex_);
  down_.reset();
}

void Health::down(const Error& why) {
  const std::lock_guard lock(mutex_);
  // The first reason says more than what follows from it.
  if (!down_ || why.code() != ErrorCode::kUnavailable) down_ = why;
}

Status Health::status() const {
  const std::lock_guard lock(mutex_);
  if (down_) return *down_;
  return {};
}

}  // namespace millrace::log_kafka::internal
