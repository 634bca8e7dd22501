#include "ingest/key_rule.h"

namespace millrace::ingest {

Result<KeyRule> parse_key_rule(std::string_view text) {
  if (text == "uuid") return KeyRule{KeyRule::Kind::kUuid, ""};
  if (text == "hash") return KeyRule{KeyRule::Kind::kHash, ""};
  if (text == "none") return KeyRule{KeyRule::Kind::kNone, ""};
  constexpr std::string_view kConstant = "constant:";
  if (text.starts_with(kConstant)) {
    return KeyRule{KeyRule::Kind::kConstant, std::string(text.substr(kConstant.size()))};
  }
  constexpr std::string_view kField = "field:";
  if (text.starts_with(kField)) text.remove_prefix(kField.size());
  if (text.empty()) {
    return Error(ErrorCode::kUsage,
                 "A key is uuid, hash, none, constant:TEXT, or the name of a field.");
  }
  return KeyRule{KeyRule::Kind::kField, std::string(text)};
}

}  // namespace millrace::ingest
