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

Structure scan_structure(std::string_view text, const Structure& limits) {
  Structure found;
  std::size_t depth = 0;
  bool in_word = false;  // a number, true, false, null, or what has no place in JSON
  for (std::size_t at = 0; at < text.size() && found.tokens <= limits.tokens; ++at) {
    const char c = text[at];
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    const bool mark =
        c == '"' || c == '{' || c == '[' || c == '}' || c == ']' || c == ':' || c == ',';
    if (mark || (!space && !in_word)) ++found.tokens;
    in_word = !mark && !space;
    switch (c) {
      case '"':
        at = behind_string(text, at);
        break;
      case '{':
      case '[':
        found.depth = std::max(found.depth, ++depth);
        if (depth > limits.depth) return found;
        break;
      case '}':
      case ']':
        if (depth > 0) --depth;
        break;
      case ':':
        if (++found.fields > limits.fields) return found;
        break;
      default:
        break;
    }
  }
  return found;
}

}  // namespace millrace::codec::internal
