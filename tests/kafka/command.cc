#include "kafka/command.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>

#include "base/check.h"

namespace millrace::kafka_testing {

CommandResult run_command(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "re");
  CHECK(pipe != nullptr);
  CommandResult result;
  std::array<char, 65536> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), size);
  }
  const int status = ::pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

std::string quote(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace millrace::kafka_testing
