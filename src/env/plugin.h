// Parts of the program that lie beside it as shared libraries and are loaded on first use.
#pragma once

#include <string_view>

#include "base/result.h"
#include "env/file.h"

namespace millrace::env {

// The function `symbol` of the library `name` ("millrace_x.so"), looked for in the program's own
// folder, in ../lib and in ../lib/millrace beside it, and nowhere else. The library stays loaded
// for the life of the process; a second call costs a look-up. Thread-safe. Errors: kNoInput where
// the library is in none of these folders; kInternal with the linker's words where it does not
// load or lacks the symbol.
Result<void*> load_plugin(std::string_view name, const char* symbol);

// The folder that holds the running program.
Result<Path> program_folder();

}  // namespace millrace::env
