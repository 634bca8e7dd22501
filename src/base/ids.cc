#include "base/ids.h"

#include <algorithm>

namespace millrace {

bool is_legal_topic_name(std::string_view name) {
  constexpr std::size_t kLengthMax = 249;
  if (name.empty() || name.size() > kLengthMax || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace millrace
