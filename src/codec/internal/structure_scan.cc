#include "codec/internal/structure_scan.h"

#include <algorithm>

namespace millrace::codec::internal {
namespace {

// Position behind the string that starts behind the quote at `at`.
std::size_t behind_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at;
}

}  // namespace

Structure scan_structure(std::string_view text, std::size_t depth_max, std::size_t fields_max) {
  Structure found;
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
        at = behind_string(text, at);
        break;
      case '{':
      case '[':
        found.depth = std::max(found.depth, ++depth);
        if (depth > depth_max) return found;
        break;
      case '}':
      case ']':
        if (depth > 0) --depth;
        break;
      case ':':
        if (depth == 1 && ++found.fields > fields_max) return found;
        break;
      default:
        break;
    }
  }
  return found;
}

}  // namespace millrace::codec::internal
