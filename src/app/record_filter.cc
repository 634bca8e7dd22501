#include "app/record_filter.h"

#include <algorithm>

#include "base/text.h"
#include "json/json.h"

namespace millrace::app {
namespace {

std::vector<std::string> split_path(std::string_view text) {
  std::vector<std::string> path;
  while (true) {
    const std::size_t dot = text.find('.');
    path.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return path;
    text.remove_prefix(dot + 1);
  }
}

// A text as it is; anything else as JSON, so that 0.50 finds 0.5 and null finds null.
bool equals(const json::Value& value, const std::string& text) {
  if (value.is_string()) return value.get_ref<const std::string&>() == text;
  const auto wanted = json::parse(text, "value");
  return wanted && *wanted == value;
}

}  // namespace

Result<RecordFilter> RecordFilter::make(std::optional<std::string> key,
                                        const std::vector<std::string>& where) {
  RecordFilter filter;
  filter.key_ = std::move(key);
  for (const std::string& text : where) {
    const std::size_t equal = text.find('=');
    if (equal == std::string::npos || equal == 0) {
      return Error(ErrorCode::kUsage, "--where '" + printable(text) + "' is not FIELD=VALUE");
    }
    filter.conditions_.push_back(
        {split_path(std::string_view(text).substr(0, equal)), text.substr(equal + 1)});
  }
  return filter;
}

bool RecordFilter::matches(const log::Record& record) const {
  if (key_ && (!record.key || *record.key != *key_)) return false;
  if (conditions_.empty()) return true;
  if (!record.value) return false;
  const auto message = json::parse(*record.value, "record");
  if (!message) return false;
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    const json::Value* at = &*message;
    for (const std::string& name : condition.path) {
      if (!at->is_object()) return false;
      const auto found = at->find(name);
      if (found == at->end()) return false;
      at = &*found;
    }
    return equals(*at, condition.text);
  });
}

}  // namespace millrace::app
