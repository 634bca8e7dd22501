// Scores rows with a ScalarForest, block by block.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/internal/predictors.h"

namespace millrace::model::internal {

// Not thread-safe: owns scratch rows.
class ScalarScorer {
 public:
  explicit ScalarScorer(std::shared_ptr<const Forest> forest);
  // Scores out.size() rows of `features` doubles from `rows` on.
  void score(const double* rows, std::span<float> out);

 private:
  std::shared_ptr<const Forest> forest_;
  std::vector<float> rows_;
};

}  // namespace millrace::model::internal
