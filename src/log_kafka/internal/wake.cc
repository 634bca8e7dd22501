#include "log_kafka/internal/wake.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"

namespace millrace::log_kafka::internal {
namespace {

// What needs no news is looked at this often: timers, brokers that are back.
constexpr Milliseconds kLookAfter{200};

}  // namespace

Wake::Wake() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(event_ >= 0); }

Wake::~Wake() { ::close(event_); }

void Wake::notify() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(event_, &one, sizeof one);
}

void Wake::interrupt() {
  interrupted_ = true;
  notify();
}

Wake::Woken Wake::wait(SteadyTime until, env::Clock& clock) {
  const SteadyTime now = clock.steady();
  const auto left =
      std::clamp<SteadyTime::duration>(until - now, SteadyTime::duration::zero(), kLookAfter);
  timespec timeout{};
  timeout.tv_nsec = std::chrono::duration_cast<Nanoseconds>(left).count();
  std::array<pollfd, 2> watched{{{event_, POLLIN, 0}, {watched_, POLLIN, 0}}};
  if (::ppoll(watched.data(), watched.size(), &timeout, nullptr) <= 0) return Woken::kNews;
  if (watched[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t ignored = ::read(event_, &count, sizeof count);
  }
  return watched[1].revents != 0 || interrupted_ ? Woken::kAsked : Woken::kNews;
}

}  // namespace millrace::log_kafka::internal
