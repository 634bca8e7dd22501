// The identity of a member of a consumer group, stable over restarts.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace millrace::log {

// The machine's name in letters, digits, '-' and '_'; "host" where it has none.
std::string host_name();

// "<group>.<host>.<place>.<slot>": `place` tells apart what shares a host (log files, home
// folders), `slot` the members that live there.
std::string member_id(const GroupId& group, const std::string& place, std::int64_t slot);

}  // namespace millrace::log
