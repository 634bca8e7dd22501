#include "engine/model_fit.h"

#include <algorithm>
#include <utility>

namespace millrace::engine {
namespace {

// What does not suit, "" when everything does.
std::string misfit_of_features(const spec::Pipeline& pipeline, const model::LoadedModel& model,
                               const features::Transform& transform) {
  const model::Manifest& manifest = model.manifest;
  if (transform.fingerprint() != manifest.feature_fingerprint) {
    return "was trained with other features than its manifest says (fingerprint " +
           transform.fingerprint() + ", manifest " + manifest.feature_fingerprint + ")";
  }
  if (transform.names() != manifest.features || transform.columns() != model.ensemble->features) {
    return "names other columns than its features make";
  }
  if (transform.operators() != pipeline.features) {
    return "was trained with other features than the pipeline has now";
  }
  return "";
}

bool predicts_the_label(const spec::Pipeline& pipeline, const model::Manifest& manifest) {
  const auto label = pipeline.schema.label();
  if (!label || pipeline.schema.field(*label).name != manifest.label) return false;
  const std::vector<std::string>& levels = pipeline.schema.field(*label).values;
  return levels.size() == manifest.label_values.size() &&
         std::is_permutation(levels.begin(), levels.end(), manifest.label_values.begin());
}

}  // namespace

Result<ModelFit> fit_model_to(const spec::Pipeline& pipeline, const model::LoadedModel& model) {
  const model::Manifest& manifest = model.manifest;
  auto transform = features::Transform::from_json(manifest.transform, pipeline.schema);
  if (!transform) return transform.error().with_context("model " + manifest.version);
  std::string misfit = misfit_of_features(pipeline, model, *transform);
  if (misfit.empty() && !predicts_the_label(pipeline, manifest)) {
    misfit = "predicts '" + manifest.label + "' with other levels than the pipeline's";
  }
  if (!misfit.empty()) {
    return Error(ErrorCode::kBadModel, "model " + manifest.version + " of pipeline '" +
                                           manifest.pipeline + "' " + misfit +
                                           "; train it again (millrace train " + pipeline.name +
                                           " --data FILE)");
  }
  const data::Field& label = pipeline.schema.field(*pipeline.schema.label());
  const std::string& positive = label.values.at(pipeline.positive_code());
  // The model's probability is that of its manifest's last level.
  return ModelFit{std::move(*transform), positive != manifest.label_values.back()};
}

}  // namespace millrace::engine
