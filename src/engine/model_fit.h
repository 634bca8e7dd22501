// Whether a model is one for a pipeline, and how its answers are to be read.
#pragma once

#include "base/result.h"
#include "features/transform.h"
#include "model/registry.h"
#include "spec/pipeline.h"

namespace millrace::engine {

// What scoring needs of a model beside its trees.
struct ModelFit {
  features::Transform transform;  // the model's, for cells of the pipeline's schema
  // The pipeline's positive level is not the one the model was trained for.
  bool inverted = false;

  // The model's probability as one of the pipeline's positive level.
  double of_positive(double probability) const { return inverted ? 1 - probability : probability; }
};

// Errors: kBadModel, with what to do, when the model's features are not the pipeline's (operators,
// types and levels of the fields they read, fingerprint, columns) or it predicts something else.
Result<ModelFit> fit_model_to(const spec::Pipeline& pipeline, const model::LoadedModel& model);

}  // namespace millrace::engine
