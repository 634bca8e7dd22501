// Small JSON documents: manifests, checkpoints, reports, --json output. Records are codec's
// business. Heavy to include (nlohmann/json.hpp); headers use json/fwd.h.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "json/fwd.h"

namespace millrace::json {

// Parses one document. `where` (a file name) starts every message. Errors: kBadData with line and
// column; nesting deeper than 100, duplicate keys and more than 64 MiB are refused.
Result<Value> parse(std::string_view text, std::string_view where);

// One line, UTF-8; invalid UTF-8 in strings becomes U+FFFD; NaN and infinities become null.
std::string to_line(const Value& value);
// Indented by two spaces, with a newline at the end, for files that people read.
std::string to_pretty(const Value& value);

// Typed access with errors that name the path: get<double>(manifest, "metrics.auc") style lookups
// of one level. Errors: kBadData "missing 'key'" or "'key' is not a ...".
template <class T>
Result<T> get(const Value& object, std::string_view key) {
  const auto found = object.find(std::string(key));
  if (!object.is_object() || found == object.end()) {
    return Error(ErrorCode::kBadData, "missing '" + std::string(key) + "'");
  }
  try {
    return found->template get<T>();
  } catch (const Value::exception&) {
    return Error(ErrorCode::kBadData, "'" + std::string(key) + "' is of the wrong type");
  }
}

}  // namespace millrace::json
