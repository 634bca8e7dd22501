// A look at a large message before anything is allocated for it.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::codec::internal {

struct Structure {
  std::size_t depth = 0;   // deepest nesting of objects and arrays
  std::size_t fields = 0;  // keys of all objects
  std::size_t tokens = 0;  // keys, values, brackets, colons and commas
};

// Counts outside strings; stops early when a count is above its limit. Meaningful for anything,
// also for what is not JSON.
Structure scan_structure(std::string_view text, const Structure& limits);

}  // namespace millrace::codec::internal
