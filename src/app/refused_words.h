// Words of the command line that are known and refused: planned for a later version, or gone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::app {

// Why `path` is no command of this version ("serve", "model import"); nothing for a word that no
// version knows.
std::optional<std::string> refused_command(std::string_view path);

// The same for a flag, "--horizon", of any command.
std::optional<std::string> refused_flag(std::string_view flag);

}  // namespace millrace::app
