#include "env/stop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "base/check.h"

namespace millrace::env {
namespace {
std::atomic<StopToken*> listening{nullptr};
}  // namespace

void on_stop_signal(int number) {
  const int saved = errno;
  StopToken* token = listening.load();
  if (token == nullptr || token->requested_.exchange(true)) ::_exit(128 + number);
  token->signal_.store(number);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(token->event_, &one, sizeof one);
  errno = saved;
}

StopToken::StopToken() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(event_ >= 0); }

StopToken::~StopToken() {
  StopToken* self = this;
  listening.compare_exchange_strong(self, nullptr);
  ::close(event_);
}

void StopToken::request() {
  requested_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(event_, &one, sizeof one);
}

void StopToken::listen_to_signals() {
  listening.store(this);
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  CHECK(::sigaction(SIGINT, &action, nullptr) == 0);
  CHECK(::sigaction(SIGTERM, &action, nullptr) == 0);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  CHECK(::sigaction(SIGPIPE, &ignore, nullptr) == 0);
}

}  // namespace millrace::env
