// What operators mean for a schema, before any data: which fields are read, which columns come out
// and in which order. check(), fit() and from_json() share it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/schema.h"
#include "features/operator.h"

namespace millrace::features::internal {

enum class PlanKind : std::uint8_t { kNumber, kOneHot, kOrdinal };

// One field's part in the features. Entries stand in the order of first mention, and so do columns.
struct PlanEntry {
  PlanKind kind = PlanKind::kNumber;
  std::size_t field = 0;  // index in the schema
  std::size_t column = 0;
  std::size_t columns = 1;       // 0 is possible: one level, dropped
  std::optional<Impute> impute;  // of a number; its `fields` are empty
  bool standardize = false;      // of a number
  std::size_t dropped = 0;       // of one_hot: leading levels without a column
  Unknown unknown = Unknown::kIgnore;
};

struct Plan {
  std::vector<PlanEntry> entries;
  std::vector<std::string> names;  // of the columns
};

// Errors: kConfig; every problem of the operators is named, one a line.
Result<Plan> make_plan(const std::vector<Operator>& operators, const data::Schema& schema);

// "impute", "one_hot", ... as in a pipeline file.
std::string operator_name(const Operator& op);
const std::vector<std::string>& fields_of(const Operator& op);

}  // namespace millrace::features::internal
