// json::Value by name only, for headers.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace millrace::json {

// Keeps the order in which keys were written.
using Value = nlohmann::ordered_json;

}  // namespace millrace::json
