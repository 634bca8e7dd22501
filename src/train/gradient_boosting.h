// Gradient boosted trees by XGBoost's histogram method.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "data/feature_batch.h"
#include "model/parameters.h"
#include "model/tree_ensemble.h"

namespace millrace::train {

// Called after each tree with trees done and trees wanted; false stops the training.
using Progress = std::function<bool(std::uint32_t, std::uint32_t)>;

struct BoostedModel {
  model::TreeEnsemble ensemble;
  std::vector<double> gains;  // a column's share of all splits' gain, 0 to 1; they sum to 1, or
                              // are all 0 when nothing was split
};

// Whether every parameter is in the range that model/parameters.h states. Errors: kConfig.
Status check_parameters(const model::TrainingParameters& parameters);

// Trains on all rows of `batch`. `labels`: 0 or 1, one a row; `weights`: > 0, one a row, or empty
// (all 1). With balanced classes a row's weight is multiplied by rows / (2 * rows of its class).
// One thread, so that the model depends on data, parameters and seed, never on the machine's cores.
// Errors: kConfig for parameters; kBadData for no rows, one class only, infinite features, unsound
// weights; kInterrupted when `progress` stops it; kInternal with XGBoost's words.
Result<BoostedModel> train_gradient_boosting(const model::TrainingParameters& parameters,
                                             const data::FeatureBatch& batch,
                                             std::span<const int> labels,
                                             std::span<const double> weights = {},
                                             const Progress& progress = {});

// The same for numbers: parameters.loss of `targets`, finite, one a row, in any unit. Trees begin
// at the targets' mean (median for an absolute loss). Errors: as above; kBadData for a target that
// is not finite.
Result<BoostedModel> train_regression(const model::TrainingParameters& parameters,
                                      const data::FeatureBatch& batch,
                                      std::span<const double> targets,
                                      const Progress& progress = {});

}  // namespace millrace::train
