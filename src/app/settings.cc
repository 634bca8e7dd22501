#include "app/settings.h"

#include <algorithm>
#include <string>

namespace millrace::app {
namespace {

bool is_secret(const std::string& property) {
  for (const char* part : {"password", "secret", "token", "oauth"}) {
    if (property.find(part) != std::string::npos) return true;
  }
  return false;
}

// Passwords of librdkafka properties (a=b, c=d) and of URLs (kafka://user:password@host) as ***.
std::string masked(const SettingRow& row) {
  if (row.flag == "-X") {
    std::string out;
    std::size_t start = 0;
    while (start < row.value.size()) {
      const std::size_t end = std::min(row.value.find(", ", start), row.value.size());
      const std::string property = row.value.substr(start, end - start);
      const std::size_t equal = property.find('=');
      const bool hide = equal != std::string::npos && is_secret(property.substr(0, equal));
      out += (out.empty() ? "" : ", ") + (hide ? property.substr(0, equal) + "=***" : property);
      start = end + 2;
    }
    return out;
  }
  const std::size_t at = row.value.find('@');
  const std::size_t host = row.value.find("://");
  if (at == std::string::npos || host == std::string::npos) return row.value;
  const std::size_t colon = row.value.find(':', host + 3);
  if (colon == std::string::npos || colon > at) return row.value;
  return row.value.substr(0, colon + 1) + "***" + row.value.substr(at);
}

}  // namespace

std::vector<SettingRow> settings_of(Session& session, const CommandLine& line) {
  std::vector<SettingRow> rows;
  for (SettingRow row : line.settings()) {
    if (row.flag == "--json" || row.flag == "--quiet" || row.flag == "--verbose") continue;
    row.value = masked(row);
    const auto file = session.log_file();
    if (row.flag == "--log" && row.value.empty() && file) row.value = "sqlite:" + file->string();
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace millrace::app
