#include "json/json.h"

#include <set>
#include <vector>

namespace millrace::json {
namespace {

constexpr std::size_t kBytesMax = std::size_t{64} << 20;
constexpr int kDepthMax = 100;

// "line L, column C" of byte `at`, from 1.
std::string position(std::string_view text, std::size_t at) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i < at && i < text.size(); ++i) {
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n' ? 1 : 0;
  }
  return std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace

Result<Value> parse(std::string_view text, std::string_view where) {
  if (text.size() > kBytesMax) {
    return Error(ErrorCode::kLimitExceeded, std::string(where) + ": larger than 64 MiB");
  }
  std::vector<std::set<std::string>> keys;
  std::string refused;
  const auto watch = [&](int depth, nlohmann::detail::parse_event_t event, Value& value) {
    using Event = nlohmann::detail::parse_event_t;
    if (depth > kDepthMax) refused = "nested deeper than 100";
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end && !keys.empty()) keys.pop_back();
    if (event == Event::key && !keys.empty() &&
        !keys.back().insert(value.get<std::string>()).second) {
      refused = "duplicate key '" + value.get<std::string>() + "'";
    }
    return refused.empty();
  };
  try {
    Value value = Value::parse(text.begin(), text.end(), watch);
    if (!refused.empty()) return Error(ErrorCode::kBadData, std::string(where) + ": " + refused);
    return value;
  } catch (const Value::parse_error& error) {
    return Error(ErrorCode::kBadData, std::string(where) + ":" +
                                          position(text, error.byte == 0 ? 0 : error.byte - 1) +
                                          ": not valid JSON");
  } catch (const Value::exception& error) {
    return Error(ErrorCode::kBadData, std::string(where) + ": " + error.what());
  }
}

std::string to_line(const Value& value) {
  return value.dump(-1, ' ', false, Value::error_handler_t::replace);
}

std::string to_pretty(const Value& value) {
  return value.dump(2, ' ', false, Value::error_handler_t::replace) + "\n";
}

}  // namespace millrace::json
