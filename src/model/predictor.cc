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
constexpr Nanoseconds kTimingMax = std::chrono::microseconds(500);
// Nodes of the trees that are timed.
constexpr std::size_t kTimingNodes = 12'000;

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

// The first trees, enough to tell engines apart without building every engine in full.
std::shared_ptr<const TreeEnsemble> sample_of(const std::shared_ptr<const TreeEnsemble>& ensemble) {
  std::size_t nodes = 0;
  std::size_t trees = 0;
  while (trees < ensemble->trees.size() && nodes < kTimingNodes) {
    nodes += ensemble->trees[trees++].nodes.size();
  }
  if (trees == ensemble->trees.size()) return ensemble;
  auto sample = std::make_shared<TreeEnsemble>();
  sample->features = ensemble->features;
  sample->link = ensemble->link;
  sample->base_margin = ensemble->base_margin;
  sample->trees.assign(ensemble->trees.begin(),
                       ensemble->trees.begin() + static_cast<std::ptrdiff_t>(trees));
  return sample;
}

using SharedForest = std::shared_ptr<const internal::Forest>;

// An engine of internal/: its name and what makes it.
struct Engine {
  std::string_view name;
  const internal::Kernel* kernel;  // nullptr: scalar
  std::unique_ptr<Predictor> make(const SharedForest& forest) const {
    if (kernel == nullptr) return internal::make_scalar_predictor(forest);
    return internal::make_vector_predictor(forest, *kernel);
  }
};

std::vector<Engine> fast_engines() {
  std::vector<Engine> engines = {{kScalar, nullptr}};
  for (const internal::Kernel* kernel : internal::legal_kernels()) {
    engines.push_back({kernel->name, kernel});
  }
  return engines;
}

const Engine& fastest(const std::vector<Engine>& engines,
                      const std::shared_ptr<const TreeEnsemble>& ensemble) {
  if (engines.size() == 1) return engines.front();
  const auto forest = std::make_shared<const internal::Forest>(sample_of(ensemble));
  const data::FeatureBatch batch = timing_rows(*forest->ensemble);
  std::vector<float> out(batch.rows());
  const Engine* best = nullptr;
  Nanoseconds best_time = Nanoseconds::max();
  for (const Engine& engine : engines) {
    const auto predictor = engine.make(forest);
    const Nanoseconds time = time_of(*predictor, batch, out);
    if (best == nullptr || time < best_time) {
      best_time = time;
      best = &engine;
    }
  }
  return *best;
}

}  // namespace

std::vector<std::string> legal_engines(const TreeEnsemble&) {
  std::vector<std::string> names = {std::string(kReference)};
  for (const Engine& engine : fast_engines()) names.emplace_back(engine.name);
  return names;
}

Result<std::unique_ptr<Predictor>> make_predictor(std::shared_ptr<const TreeEnsemble> ensemble,
                                                  std::string_view engine) {
  MILLRACE_TRY(ensemble->check());
  if (engine == kReference) {
    return std::unique_ptr<Predictor>(std::make_unique<ReferencePredictor>(std::move(ensemble)));
  }
  std::vector<Engine> engines = fast_engines();
  std::erase_if(engines, [&](const Engine& one) { return !is_wanted(one.name, engine); });
  if (engines.empty()) {
    std::string legal;
    for (const std::string& name : legal_engines(*ensemble)) legal += " " + name;
    return Error(ErrorCode::kUsage, "no predictor '" + std::string(engine) +
                                        "' for this model on this CPU; there are:" + legal);
  }
  const Engine chosen = fastest(engines, ensemble);
  return chosen.make(std::make_shared<const internal::Forest>(std::move(ensemble)));
}

}  // namespace millrace::model
