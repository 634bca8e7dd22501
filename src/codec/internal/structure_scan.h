// A look at a large message before anything is allocated for it.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::codec::internal {

struct Structure {
  std::size_t depth = 0;   // deepest nesting of objects and arrays
  std::size_t fields = 0;  // members of the outermost object
};

// Counts brackets and colons outside strings; stops early beyond either limit. Meaningful for
// anything, also for what is not JSON.
Structure scan_structure(std::string_view text, std::size_t depth_max, std::size_t fields_max);

}  // namespace millrace::codec::internal
