// Keys of records by a KeyRule.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "env/random.h"
#include "ingest/key_rule.h"

namespace millrace::ingest {

// Not thread-safe.
class KeyMaker {
 public:
  // UUIDs come from a generator seeded by the system.
  explicit KeyMaker(KeyRule rule);

  const KeyRule& rule() const { return rule_; }
  // `field_text`: the text of the rule's field, where it is a field. `row`: the row as it came.
  // The view lives until the next call (or as long as field_text).
  std::optional<std::string_view> make(std::optional<std::string_view> field_text,
                                       std::string_view row);

 private:
  std::string_view uuid();

  KeyRule rule_;
  env::Random random_;
  std::string text_;
};

}  // namespace millrace::ingest
