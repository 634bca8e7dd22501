#include "log_kafka/internal/slot.h"

#include "env/digest.h"
#include "log/member_id.h"

namespace millrace::log_kafka::internal {
namespace {

// Ids are any text, file names are not. By the cluster, not by the names its brokers were given.
Result<env::Path> lock_file(Client& client, const std::string& kind, const std::string& id) {
  MILLRACE_ASSIGN(const std::string cluster, client.cluster_id());
  const std::string digest = env::sha256_hex(cluster + "\n" + id);
  return client.options().home / "locks" / (kind + "-" + digest.substr(0, 32));
}

}  // namespace

Result<Slot> take_slot(Client& client, const GroupId& group) {
  MILLRACE_ASSIGN(const std::string place, client.place());
  MILLRACE_TRY(env::make_folders(client.options().home / "locks"));
  for (int slot = 0; slot < kSlotsMax; ++slot) {
    const std::string id = log::member_id(group, place, slot);
    MILLRACE_ASSIGN(const env::Path file, lock_file(client, "member", id));
    auto lock = env::FileLock::acquire(file);
    if (!lock && lock.error().code() == ErrorCode::kLockHeld) continue;
    if (!lock) return lock.error();
    return Slot{id, std::move(*lock)};
  }
  return Error(ErrorCode::kLockHeld, "group '" + group.value() + "' has " +
                                         std::to_string(kSlotsMax) +
                                         " members on this machine already");
}

Result<env::FileLock> lock_resume_id(Client& client, const std::string& id) {
  MILLRACE_TRY(env::make_folders(client.options().home / "locks"));
  MILLRACE_ASSIGN(const env::Path file, lock_file(client, "produce", id));
  auto held = env::FileLock::acquire(file);
  if (held) return held;
  return held.error().with_context("another producer with the id '" + id + "' is at work");
}

}  // namespace millrace::log_kafka::internal
