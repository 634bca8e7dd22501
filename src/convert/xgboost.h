// XGBoost's JSON models to ours, exactly: the same thresholds, leaves and base margin in float.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/tree_ensemble.h"

namespace millrace::convert {

// Largest document that is read. The parsed form takes several times as much memory.
inline constexpr std::size_t kXgboostJsonBytesMax = std::size_t{512} << 20;

// Reads what XGBoost saves with {"format": "json"}: booster gbtree, objective binary:logistic or
// reg:squarederror, one output. Deleted nodes are left out and the rest renumbered, children after
// their parents. The structure is checked in full, so any bytes may come.
// Errors: kBadModel naming what is wrong, or what is not supported (dart, gblinear, multiclass,
// several targets, categorical splits, other objectives); kLimitExceeded.
Result<model::TreeEnsemble> tree_ensemble_from_xgboost_json(std::string_view json);

}  // namespace millrace::convert
