// The program's version.
#pragma once

#include <string>

namespace millrace::app {

inline constexpr const char* kVersion = "0.1.0";

// "millrace 0.1.0".
inline std::string version_line() { return std::string("millrace ") + kVersion; }

}  // namespace millrace::app
