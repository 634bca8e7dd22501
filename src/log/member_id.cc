#include "log/member_id.h"

#include <unistd.h>

#include <array>
#include <cctype>

namespace millrace::log {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "host";
  std::string text(name.data());
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') c = '-';
  }
  return text.empty() ? "host" : text;
}

std::string member_id(const GroupId& group, const std::string& place, std::int64_t slot) {
  return group.value() + "." + host_name() + "." + place + "." + std::to_string(slot);
}

}  // namespace millrace::log
