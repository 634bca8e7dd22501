// The feature operators a pipeline names, as plain data. One definition serves training, batch,
// stream and REST (features/transform.h fits and applies them).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace millrace::features {

// Numbers as they are; missing stays NaN. Produces one column a field, named as the field.
struct Numeric {
  std::vector<std::string> fields;
  bool operator==(const Numeric&) const = default;
};

enum class ImputeWith { kMedian, kMean, kConstant };
// Fills missing values of numeric fields, for the operators that follow, and yields the field as a
// column unless a later operator (standardize) takes it over. `constant` with kConstant. Median as
// NumPy's: mean of the middle two.
struct Impute {
  std::vector<std::string> fields;
  ImputeWith with = ImputeWith::kMedian;
  double constant = 0;
  bool operator==(const Impute&) const = default;
};

// (x - mean) / standard deviation (population, as scikit-learn's StandardScaler; a zero deviation
// divides by 1). Fitted after imputation. Replaces the field's column.
struct Standardize {
  std::vector<std::string> fields;
  bool operator==(const Standardize&) const = default;
};

enum class Drop { kNone, kFirst, kIfBinary };
enum class Unknown { kIgnore, kError };
// One 0/1 column a level, named "field=level", in the order of the schema's values. Missing or
// unknown levels: all zeros with kIgnore; with kError they stop training, and set the record aside
// when scoring.
struct OneHot {
  std::vector<std::string> fields;
  Drop drop = Drop::kNone;
  Unknown unknown = Unknown::kIgnore;
  bool operator==(const OneHot&) const = default;
};

// The level's position in the schema's values, as one column; missing or unknown: NaN with kIgnore.
struct Ordinal {
  std::vector<std::string> fields;
  Unknown unknown = Unknown::kIgnore;
  bool operator==(const Ordinal&) const = default;
};

using Operator = std::variant<Numeric, Impute, Standardize, OneHot, Ordinal>;

}  // namespace millrace::features
