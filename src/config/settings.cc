#include "config/settings.h"

#include <algorithm>
#include <set>

namespace millrace::config {

Environment environment_from(const char* const* entries) {
  Environment environment;
  for (; entries != nullptr && *entries != nullptr; ++entries) {
    const std::string_view entry = *entries;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return environment;
}

std::string environment_name(std::string_view flag) {
  flag.remove_prefix(std::min(flag.find_first_not_of('-'), flag.size()));
  std::string name(kEnvironmentPrefix);
  for (const char c : flag) {
    const bool lower = c >= 'a' && c <= 'z';
    name += c == '-' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::vector<std::string> unknown_variables(const Environment& environment,
                                           std::span<const Setting> settings,
                                           std::span<const std::string_view> others) {
  std::set<std::string, std::less<>> known(others.begin(), others.end());
  for (const Setting& setting : settings) known.insert(environment_name(setting.flag));
  std::vector<std::string> unknown;
  for (const auto& [name, value] : environment) {
    if (name.compare(0, kEnvironmentPrefix.size(), kEnvironmentPrefix) != 0) continue;
    if (known.find(name) == known.end()) unknown.push_back(name);
  }
  return unknown;
}

}  // namespace millrace::config
