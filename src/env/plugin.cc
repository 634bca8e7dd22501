#include "env/plugin.h"

#include <dlfcn.h>

#include <array>
#include <filesystem>
#include <string>
#include <system_error>

namespace millrace::env {

Result<Path> program_folder() {
  std::error_code error;
  const Path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return errno_error("cannot read", "/proc/self/exe", error.value());
  return program.parent_path();
}

Result<void*> load_plugin(std::string_view name, const char* symbol) {
  MILLRACE_ASSIGN(const Path folder, program_folder());
  const std::array<Path, 3> places = {folder, folder / "../lib", folder / "../lib/millrace"};
  for (const Path& place : places) {
    const Path file = place / name;
    std::error_code ignored;  // then it is not there
    if (!std::filesystem::is_regular_file(file, ignored)) continue;
    // Libraries of others start threads and keep memory: they are never unloaded.
    void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
      return Error(ErrorCode::kInternal, "cannot load " + file.string() + ": " + ::dlerror());
    }
    void* const found = ::dlsym(library, symbol);
    if (found == nullptr) {
      return Error(ErrorCode::kInternal,
                   file.string() + " is no plugin of this program: it has no " + symbol);
    }
    return found;
  }
  return Error(ErrorCode::kNoInput, std::string(name) + " is not beside the program (looked in " +
                                        folder.string() + " and ../lib)");
}

}  // namespace millrace::env
