// What the raw fields of the training data look like, kept in the manifest for drift and for
// people.
#pragma once

#include "data/schema.h"
#include "features/transform.h"
#include "json/fwd.h"

namespace millrace::train {

// Steps between the quantiles of a field: 0, 5, ..., 100 %.
inline constexpr int kQuantileSteps = 20;

// One object a field: numbers and booleans {type, count, missing, mean, std, min, max, quantiles
// [21]}, categories {type, count, missing, levels {level: count}}. `count` are the values that are
// there; std is of the population; quantiles interpolate linearly. Without a value, mean to
// quantiles are left out. Texts, times, and fields marked pii are left out, for nothing of theirs
// should be in a manifest.
json::Value feature_statistics(const data::Schema& schema, const features::CellTable& table);

}  // namespace millrace::train
