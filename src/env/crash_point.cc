#include "env/crash_point.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include "base/check.h"

namespace millrace::env {
namespace {

constexpr std::array<std::string_view, 23> kNames = {"produce.before_checkpoint",
                                                     "produce.after_append",
                                                     "produce.after_commit",
                                                     "produce.after_checkpoint",
                                                     "score.after_poll",
                                                     "score.after_score",
                                                     "score.after_append",
                                                     "score.before_commit",
                                                     "score.after_commit",
                                                     "sink.after_poll",
                                                     "sink.in_file",
                                                     "sink.before_rename",
                                                     "sink.after_rename",
                                                     "sink.before_commit",
                                                     "sink.after_commit",
                                                     "log.in_transaction",
                                                     "log.before_log_commit",
                                                     "log.after_log_commit",
                                                     "log.in_init",
                                                     "log.before_positions",
                                                     "log.after_positions",
                                                     "tune.before_trial_kept",
                                                     "tune.after_trial_kept"};

struct Armed {
  std::string_view name;
  int at = 0;
};

Armed read_environment() {
  const char* text = std::getenv("MILLRACE_CRASH_POINT");
  if (text == nullptr) return {};
  const std::string_view whole(text);
  const std::size_t colon = whole.rfind(':');
  Armed armed{whole.substr(0, colon), 1};
  if (colon != std::string_view::npos) {
    std::from_chars(whole.data() + colon + 1, whole.data() + whole.size(), armed.at);
  }
  return armed;
}

}  // namespace

void crash_point(std::string_view name) {
  static const Armed armed = read_environment();
  if (armed.at == 0 || armed.name != name) [[likely]]
    return;
  CHECK(std::find(kNames.begin(), kNames.end(), name) != kNames.end());
  static std::atomic<int> reached{0};
  if (reached.fetch_add(1) + 1 == armed.at) ::kill(::getpid(), SIGKILL);
}

std::span<const std::string_view> crash_point_names() { return kNames; }

}  // namespace millrace::env
