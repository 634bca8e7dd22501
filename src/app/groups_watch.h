// A consumer group looked at again and again.
#pragma once

#include <cstdint>
#include <string>

#include "app/session.h"
#include "base/result.h"

namespace millrace::app {

// Positions, consumer lag and, from the second look on, records in and out a second of each
// partition, until told to stop. On no terminal each look follows the one before; with --json it is
// a line. Errors: kNoInput (no such group), and what the log returns.
Result<int> watch_group(Session& session, const std::string& group, Milliseconds interval);

}  // namespace millrace::app
