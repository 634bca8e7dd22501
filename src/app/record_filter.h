// Which records of a topic are shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/record.h"

namespace millrace::app {

// All conditions must hold. A plain value.
class RecordFilter {
 public:
  // `where`: FIELD=VALUE over the record's JSON object; a dot goes into an object. Errors: kUsage.
  static Result<RecordFilter> make(std::optional<std::string> key,
                                   const std::vector<std::string>& where);

  bool matches(const log::Record& record) const;

 private:
  struct Condition {
    std::vector<std::string> path;
    std::string text;
  };
  std::optional<std::string> key_;
  std::vector<Condition> conditions_;
};

}  // namespace millrace::app
