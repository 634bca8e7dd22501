// Where the key of a produced record comes from.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::ingest {

struct KeyRule {
  enum class Kind {
    kField,     // the text of the field `text`; blank or absent: null key
    kUuid,      // a random UUID (version 4) a record
    kConstant,  // `text` for every record
    kHash,      // 16 hex digits of a hash of the row, so that equal rows meet in a partition
    kNone,      // null keys: partitions take turns
  } kind = Kind::kNone;
  std::string text;
};

// `--key`: "uuid", "hash", "none", "constant:TEXT", "field:NAME", or just the name of a field.
// Errors: kUsage for an empty name.
Result<KeyRule> parse_key_rule(std::string_view text);

}  // namespace millrace::ingest
