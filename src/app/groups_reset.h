// Moving a consumer group to other positions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/session.h"
#include "base/result.h"

namespace millrace::app {

struct GroupsResetOptions {
  std::string group;
  std::optional<std::string> to;
  std::optional<std::string> topic;
  std::optional<std::int64_t> partition;
  bool dry_run = false;
};

// The positions before and after as a table; changes nothing in a dry run. Errors: kUsage, kNoInput
// (no such group), kTryAgain while the group has members.
Result<int> reset_group(Session& session, const GroupsResetOptions& options);

}  // namespace millrace::app
