// XGBoost's C API behind owning handles and Results. The only header that sees it, for this module
// and its tests.
#pragma once

#include <xgboost/c_api.h>

#include <memory>
#include <span>
#include <string>
#include <type_traits>

#include "base/result.h"
#include "data/feature_batch.h"

namespace millrace::train::internal {

struct FreeMatrix {
  void operator()(DMatrixHandle handle) const { XGDMatrixFree(handle); }
};
struct FreeBooster {
  void operator()(BoosterHandle handle) const { XGBoosterFree(handle); }
};
using Matrix = std::unique_ptr<std::remove_pointer_t<DMatrixHandle>, FreeMatrix>;
using Booster = std::unique_ptr<std::remove_pointer_t<BoosterHandle>, FreeBooster>;

// The Status of a call: kInternal with XGBoost's own words (its first line, without the trace).
Status checked(int code);

// `batch` as XGBoost's matrix: floats, NaN = missing.
Result<Matrix> make_matrix(const data::FeatureBatch& batch);

// The model as {"format": "json"}.
Result<std::string> model_json(const Booster& booster);

}  // namespace millrace::train::internal
