// A series plan as JSON, for the manifest of a model.
#pragma once

#include "base/result.h"
#include "features/series_operator.h"
#include "json/fwd.h"

namespace millrace::features::internal {

// {"step_ms": ..., "operators": [...], "tracked": [...]}
json::Value plan_to_json(const SeriesPlan& plan);
// Reads the same out of an object. Errors: kBadModel.
Result<SeriesPlan> plan_from_json(const json::Value& value);

}  // namespace millrace::features::internal
