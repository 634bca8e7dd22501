// Runs a command line and takes what it prints.
#pragma once

#include <string>

namespace millrace::kafka_testing {

struct CommandResult {
  int exit_code = -1;  // -1 when it was killed
  std::string output;  // standard output; standard error goes to the test's own
};

// `command` is for the shell: quote() what is not known to be harmless.
CommandResult run_command(const std::string& command);
std::string quote(const std::string& text);

}  // namespace millrace::kafka_testing
