// Fast evaluation of a model, proved equal to the reference.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/feature_batch.h"
#include "model/tree_ensemble.h"

namespace millrace::model {

// Scores rows. Not thread-safe (it owns scratch memory); make one a thread.
class Predictor {
 public:
  virtual ~Predictor() = default;
  virtual std::string_view engine() const = 0;  // "reference", "scalar", "avx2", "avx512"
  virtual std::size_t features() const = 0;
  // Probabilities (or values, with an identity link) of all rows, in order; out.size() ==
  // batch.rows(). Every engine gives bit-identical results.
  virtual void predict(const data::FeatureBatch& batch, std::span<float> out) = 0;
};

// Engines that are legal for this ensemble on this CPU, "reference" always among them.
std::vector<std::string> legal_engines(const TreeEnsemble& ensemble);

// `engine` empty: times each legal engine briefly and keeps the fastest; MILLRACE_PREDICTOR-style
// choices come as a name. Errors: kUsage for a name that is not legal here.
Result<std::unique_ptr<Predictor>> make_predictor(std::shared_ptr<const TreeEnsemble> ensemble,
                                                  std::string_view engine = {});

}  // namespace millrace::model
