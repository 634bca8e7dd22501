#include "model/predictor.h"

#include "base/check.h"

namespace millrace::model {
namespace {

class ReferencePredictor final : public Predictor {
 public:
  explicit ReferencePredictor(std::shared_ptr<const TreeEnsemble> ensemble)
      : ensemble_(std::move(ensemble)) {}
  std::string_view engine() const override { return "reference"; }
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

}  // namespace

std::vector<std::string> legal_engines(const TreeEnsemble&) { return {"reference"}; }

Result<std::unique_ptr<Predictor>> make_predictor(std::shared_ptr<const TreeEnsemble> ensemble,
                                                  std::string_view engine) {
  MILLRACE_TRY(ensemble->check());
  if (!engine.empty() && engine != "reference") {
    return Error(ErrorCode::kUsage, "no predictor '" + std::string(engine) + "' here");
  }
  return std::unique_ptr<Predictor>(std::make_unique<ReferencePredictor>(std::move(ensemble)));
}

}  // namespace millrace::model
