#include "ingest/internal/yaml_values.h"

#include <algorithm>

#include "base/text.h"
#include "config/scalars.h"

namespace millrace::ingest {

Error at(const config::Position& where, const std::string& message) {
  return Error(ErrorCode::kConfig, where.to_string() + ": " + message);
}

Result<double> number_of(const config::Node& node) {
  if (node.kind == config::NodeKind::kText && !node.quoted) {
    if (auto number = config::parse_number(node.text)) return *number;
  }
  return at(node.where, "expected a number");
}

Status expect(const config::Node& node, config::NodeKind kind, const std::string& what) {
  if (node.kind == kind) return {};
  return at(node.where, "expected " + what);
}

Status allow_keys(const config::Node& map, const std::vector<std::string>& allowed) {
  for (const config::MapEntry& entry : map.entries) {
    if (std::find(allowed.begin(), allowed.end(), entry.key) == allowed.end()) {
      return at(entry.key_where,
                "unknown key '" + printable(entry.key) + "'" + did_you_mean(entry.key, allowed));
    }
  }
  return {};
}

Status read_number(const config::Node& node, const char* key, double& value) {
  const config::MapEntry* const entry = node.find(key);
  if (entry == nullptr) return {};
  MILLRACE_ASSIGN(value, number_of(*entry->value));
  return {};
}

Status check_bounds(const config::Node& node, double noise, double min, double max) {
  if (noise < 0) return at(node.where, "noise must not be negative");
  if (min > max) return at(node.where, "min is above max");
  return {};
}

}  // namespace millrace::ingest
