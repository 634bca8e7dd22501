// What a flag or a variable of the environment has set, for `explain`.
#pragma once

#include <vector>

#include "app/command_line.h"
#include "app/session.h"

namespace millrace::app {

// The flags of every command that change what a run does, with the log that comes of them. Secrets
// are masked.
std::vector<SettingRow> settings_of(Session& session, const CommandLine& line);

}  // namespace millrace::app
