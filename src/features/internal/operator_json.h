// Operators as they stand in a model's manifest, in the words of pipeline files.
#pragma once

#include "base/result.h"
#include "features/operator.h"
#include "json/fwd.h"

namespace millrace::features::internal {

json::Value operator_to_json(const Operator& op);
// Errors: kBadModel.
Result<Operator> operator_from_json(const json::Value& value);

}  // namespace millrace::features::internal
