// The fast predictors; make_predictor (../predictor.h) chooses among them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "model/internal/lanes.h"
#include "model/internal/packed_forest.h"
#include "model/internal/scalar_forest.h"
#include "model/predictor.h"

namespace millrace::model::internal {

// What the predictors of one ensemble share; immutable.
struct Forest {
  explicit Forest(std::shared_ptr<const TreeEnsemble> source)
      : ensemble(std::move(source)),
        columns(*ensemble),
        scalar(*ensemble, columns),
        ranking(*ensemble) {}
  std::shared_ptr<const TreeEnsemble> ensemble;
  ColumnMap columns;
  ScalarForest scalar;
  Ranking ranking;
};

// Kernels that this CPU can run; every one can hold every ensemble.
std::vector<const Kernel*> legal_kernels();

std::unique_ptr<Predictor> make_scalar_predictor(std::shared_ptr<const Forest> forest);
// `kernel` is one of legal_kernels().
std::unique_ptr<Predictor> make_vector_predictor(std::shared_ptr<const Forest> forest,
                                                 const Kernel& kernel);

}  // namespace millrace::model::internal
