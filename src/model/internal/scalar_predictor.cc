#include "model/internal/scalar_predictor.h"

#include <algorithm>

#include "base/check.h"

namespace millrace::model::internal {
namespace {

// Rows that go through a tree together: few enough for the first cache, enough to pay for loading
// the tree.
constexpr std::size_t kBlockRows = 64;

class ScalarPredictor final : public Predictor {
 public:
  explicit ScalarPredictor(std::shared_ptr<const Forest> forest)
      : features_(forest->ensemble->features), scorer_(std::move(forest)) {}
  std::string_view engine() const override { return "scalar"; }
  std::size_t features() const override { return features_; }
  void predict(const data::FeatureBatch& batch, std::span<float> out) override {
    CHECK(batch.columns() == features_);
    CHECK(out.size() == batch.rows());
    scorer_.score(batch.data(), out);
  }

 private:
  std::size_t features_;
  ScalarScorer scorer_;
};

}  // namespace

ScalarScorer::ScalarScorer(std::shared_ptr<const Forest> forest)
    : forest_(std::move(forest)), rows_(kBlockRows * forest_->columns.size()) {}

void ScalarScorer::score(const double* rows, std::span<float> out) {
  const TreeEnsemble& ensemble = *forest_->ensemble;
  const std::size_t width = forest_->columns.size();
  while (!out.empty()) {
    const std::size_t count = std::min(kBlockRows, out.size());
    for (std::size_t r = 0; r < count; ++r) {
      forest_->columns.fill_row(rows + r * ensemble.features, rows_.data() + r * width);
      out[r] = ensemble.base_margin;
    }
    for (std::size_t t = 0; t < forest_->scalar.trees(); ++t) {
      forest_->scalar.add(t, rows_.data(), width, count, out.data());
    }
    for (std::size_t r = 0; r < count; ++r) out[r] = apply_link(ensemble.link, out[r]);
    rows += count * ensemble.features;
    out = out.subspan(count);
  }
}

std::unique_ptr<Predictor> make_scalar_predictor(std::shared_ptr<const Forest> forest) {
  return std::make_unique<ScalarPredictor>(std::move(forest));
}

}  // namespace millrace::model::internal
