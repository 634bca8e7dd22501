// CHECK(condition): a programmer error ends the process with file and line, in every build.
// For failures that can happen in correct programs return an Error instead.
#pragma once

namespace millrace {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace millrace

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) [[unlikely]] {                            \
      ::millrace::check_failed(#condition, __FILE__, __LINE__); \
    }                                                           \
  } while (false)
