#include "log_sqlite/internal/waiter.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"

namespace millrace::log_sqlite::internal {

Waiter::Waiter(LogFile& log)
    : clock_(&log.clock()),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  CHECK(event_ >= 0);
  if (inotify_ >= 0 && ::inotify_add_watch(inotify_, log.news_file().c_str(), IN_MODIFY) < 0) {
    ::close(inotify_);
    inotify_ = -1;
  }
}

Waiter::~Waiter() {
  ::close(event_);
  if (inotify_ >= 0) ::close(inotify_);
}

Waiter::Woken Waiter::wait(SteadyTime until) {
  const SteadyTime now = clock_->steady();
  const Milliseconds slice = inotify_ >= 0 ? kLookAfter : kLookWithoutInotify;
  const SteadyTime stop = until < now + slice ? until : now + slice;
  // A clock moved by hand does not move while the kernel waits.
  const bool real = clock_ == &env::real_clock();
  const auto left = std::max(stop - now, SteadyTime::duration::zero());
  std::array<pollfd, 3> watched{{{event_, POLLIN, 0}, {inotify_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  timespec timeout{};
  if (real) {
    timeout.tv_sec = seconds.count();
    timeout.tv_nsec = std::chrono::duration_cast<Nanoseconds>(left - seconds).count();
  }
  // Negative descriptors are passed over. EINTR is a reason to look as well.
  const int ready = ::ppoll(watched.data(), watched.size(), &timeout, nullptr);
  if (ready > 0) {
    if (watched[1].revents != 0) {
      alignas(inotify_event) std::array<char, 4096> drained{};
      while (::read(inotify_, drained.data(), drained.size()) > 0) {
      }
    }
    if (watched[0].revents != 0) drain_event();
    return interrupted_.load() || watched[2].revents != 0 ? Woken::kAsked : Woken::kLook;
  }
  if (!real) clock_->sleep_until(stop);
  return Woken::kLook;
}

void Waiter::interrupt() {
  interrupted_.store(true);
  notify();
}

void Waiter::notify() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(event_, &one, sizeof one);
}

bool Waiter::take_interrupt() {
  if (!interrupted_.load(std::memory_order_relaxed)) return false;
  return interrupted_.exchange(false);
}

void Waiter::drain_event() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t ignored = ::read(event_, &count, sizeof count);
}

}  // namespace millrace::log_sqlite::internal
