#include "model/predictor.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "env/clock.h"
#include "env/random.h"
#include "model/internal/predictors.h"

namespace millrace::model {
namespace {

constexpr std::string_view kReference = "reference";
constexpr std::string_view kScalar = "scalar";
// Rows of the timing, about those of an ordinary batch, and how long each engine may take.
constexpr std::size_t kTimingRows = 512;
constexpr Nanoseconds kTimingMax = std::chrono::microseconds(600);

class ReferencePredictor final : public Predictor {
 public:
  explicit ReferencePredictor(std::shared_ptr<const TreeEnsemble> ensemble)
      : ensemble_(std::move(ensemble)) {}
  std::string_view engine() const override { return kReference; }
  std::size_t features() const override { return ensemble_->features; }
  void predict(const data::FeatureBatch& batch, std::span<float> out) override {
    CHECK(batch.columns() == ensemble_->features);
    CHECK(out.size() == batch.rows());
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = apply_link(ensemble_->link, predict_margin_reference(*ensemble_, batch.row(i)));
    }
  }

 private:
  std::shared_ptr<const TreeEnsemble> ensemble_;
};

std::size_t thresholds_max(const TreeEnsemble& ensemble) {
  return internal::Ranking(ensemble, internal::ColumnMap(ensemble)).largest();
}

// Whether `engine` is `wanted` or of that family ("avx2" stands for "avx2-u8" and "avx2-f32").
bool is_wanted(std::string_view engine, std::string_view wanted) {
  return wanted.empty() || engine == wanted ||
         (engine.starts_with(wanted) && engine.substr(wanted.size()).starts_with('-'));
}

// Rows that take every path: thresholds of the ensemble plus noise.
data::FeatureBatch timing_rows(const TreeEnsemble& ensemble) {
  env::Random random(1);
  std::vector<float> around(ensemble.features, 0.0F);
  data::FeatureBatch batch(ensemble.features);
  for (std::size_t i = 0; i < kTimingRows; ++i) {
    if (!ensemble.trees.empty()) {
      for (const TreeNode& node : ensemble.trees[i % ensemble.trees.size()].nodes) {
        if (!node.is_leaf() && random.below(2) == 0) around[node.feature] = node.value;
      }
    }
    std::copy(around.begin(), around.end(), batch.add_row().begin());
  }
  return batch;
}

// The best of a few runs, stopped after kTimingMax.
Nanoseconds time_of(Predictor& predictor, const data::FeatureBatch& batch, std::span<float> out) {
  env::Clock& clock = env::real_clock();
  const SteadyTime start = clock.steady();
  SteadyTime before = start;
  Nanoseconds best = Nanoseconds::max();
  do {
    predictor.predict(batch, out);
    const SteadyTime after = clock.steady();
    best = std::min(best, Nanoseconds(after - before));
    before = after;
  } while (before - start < kTimingMax);
  return best;
}

std::unique_ptr<Predictor> fastest(std::vector<std::unique_ptr<Predictor>> predictors,
                                   const TreeEnsemble& ensemble) {
  if (predictors.size() == 1) return std::move(predictors.front());
  const data::FeatureBatch batch = timing_rows(ensemble);
  std::vector<float> out(batch.rows());
  std::unique_ptr<Predictor> best;
  Nanoseconds best_time = Nanoseconds::max();
  for (std::unique_ptr<Predictor>& predictor : predictors) {
    const Nanoseconds time = time_of(*predictor, batch, out);
    if (time < best_time) {
      best_time = time;
      best = std::move(predictor);
    }
  }
  return best;
}

}  // namespace

std::vector<std::string> legal_engines(const TreeEnsemble& ensemble) {
  std::vector<std::string> engines = {std::string(kReference), std::string(kScalar)};
  for (const internal::Kernel* kernel : internal::legal_kernels(thresholds_max(ensemble))) {
    engines.emplace_back(kernel->name);
  }
  return engines;
}

Result<std::unique_ptr<Predictor>> make_predictor(std::shared_ptr<const TreeEnsemble> ensemble,
                                                  std::string_view engine) {
  MILLRACE_TRY(ensemble->check());
  if (engine == kReference) {
    return std::unique_ptr<Predictor>(std::make_unique<ReferencePredictor>(std::move(ensemble)));
  }
  const auto forest = std::make_shared<const internal::Forest>(ensemble);
  std::vector<std::unique_ptr<Predictor>> predictors;
  if (is_wanted(kScalar, engine)) predictors.push_back(internal::make_scalar_predictor(forest));
  for (const internal::Kernel* kernel : internal::legal_kernels(forest->ranking.largest())) {
    if (is_wanted(kernel->name, engine)) {
      predictors.push_back(internal::make_vector_predictor(forest, *kernel));
    }
  }
  if (predictors.empty()) {
    std::string legal;
    for (const std::string& name : legal_engines(*ensemble)) legal += " " + name;
    return Error(ErrorCode::kUsage, "no predictor '" + std::string(engine) +
                                        "' for this model on this CPU; there are:" + legal);
  }
  return fastest(std::move(predictors), *ensemble);
}

}  // namespace millrace::model
