#include "log_sqlite/internal/heart.h"

#include <algorithm>
#include <charconv>

#include "env/clock.h"

namespace millrace::log_sqlite::internal {
namespace {

const std::string& this_boot() {
  static const std::string id = env::boot_id();
  return id;
}

// "<boot id> <20 digits>", of constant length, so that a later one covers an earlier one.
std::string heartbeat_now() {
  std::string digits = std::to_string(env::boottime_ms());
  constexpr std::size_t kWidth = 20;
  digits.insert(0, kWidth - std::min(kWidth, digits.size()), '0');
  return this_boot() + " " + digits + "\n";
}

}  // namespace

Heart::~Heart() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Heart::Beating::~Beating() {
  if (heart_ == nullptr) return;
  const std::lock_guard lock(heart_->mutex_);
  heart_->slots_.erase(key_);
}

Result<Heart::Beating> Heart::beat(std::shared_ptr<env::FileLock> slot,
                                   Milliseconds session_timeout) {
  MILLRACE_TRY(slot->set_note(heartbeat_now()));
  const std::lock_guard lock(mutex_);
  const std::uint64_t key = next_key_++;
  slots_.emplace(key, std::move(slot));
  interval_ = std::max(Milliseconds(1), std::min(interval_, session_timeout / 4));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  wake_.notify_all();
  return Beating(*this, key);
}

void Heart::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    // A heartbeat that cannot be written is missed by the others, which is what it is for.
    for (const auto& [key, slot] : slots_) (void)slot->set_note(heartbeat_now());
    wake_.wait_for(lock, interval_);
  }
}

std::optional<std::int64_t> last_heartbeat_ms(const env::Path& slot_file) {
  constexpr std::uint64_t kBytesMax = 4096;
  auto content = env::read_file(slot_file, kBytesMax);
  if (!content) return std::nullopt;
  std::string_view text(*content);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return std::nullopt;
  text.remove_prefix(line + 1);
  const std::string& boot = this_boot();
  if (text.size() < boot.size() + 2 || text.substr(0, boot.size()) != boot) return std::nullopt;
  text.remove_prefix(boot.size() + 1);
  std::int64_t ms = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), ms).ec != std::errc()) {
    return std::nullopt;
  }
  return ms;
}

}  // namespace millrace::log_sqlite::internal
