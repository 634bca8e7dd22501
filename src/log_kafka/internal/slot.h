// The identity of a member: which of its group on this machine it is.
#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"
#include "log_kafka/internal/client.h"

namespace millrace::log_kafka::internal {

struct Slot {
  std::string member_id;  // "<group>.<host>.<place>.<slot>"
  env::FileLock lock;
};

// The lowest slot of `group` that no living process of this machine holds. kLockHeld when all
// kSlotsMax are taken.
inline constexpr int kSlotsMax = 256;
Result<Slot> take_slot(Client& client, const GroupId& group);

// Locks an id of the resumable producers. kLockHeld naming the process that has it.
Result<env::FileLock> lock_resume_id(Client& client, const std::string& id);

}  // namespace millrace::log_kafka::internal
