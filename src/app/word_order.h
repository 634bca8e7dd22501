// Flags work before and after the command: what CLI11 wants behind it is moved there.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace millrace::app {

// `words` without the program's name. Flags of a command that stand before its name, with their
// values, come out behind it; words that do not read that way are left as they are.
std::vector<std::string> flags_behind_command(const CLI::App& root,
                                              const std::vector<std::string>& words);

}  // namespace millrace::app
