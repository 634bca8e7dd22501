// Values that fitting finds for one numeric field.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "features/internal/plan.h"

namespace millrace::features::internal {

struct Fitted {
  std::optional<double> fill;   // with impute
  std::optional<double> mean;   // with standardize, and `scale` too
  std::optional<double> scale;  // never 0
};

// `values`: the field's numbers in the rows of training, missing ones left out (`missing` of them),
// in any order: the result does not depend on it. Errors: kBadData naming `field`.
Result<Fitted> fit_number(const PlanEntry& entry, const std::string& field,
                          std::vector<double> values, std::size_t missing);

}  // namespace millrace::features::internal
