// Models on disk: <home>/models/<pipeline>/<version>/ with model.json, manifest.json, canary.json,
// and the file `current` naming the version in use. docs/formats/model.md is the contract.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "env/file.h"
#include "json/json.h"
#include "model/parameters.h"
#include "model/tree_ensemble.h"

namespace millrace::model {

// manifest.json. What the model needs to be used honestly; metrics are JSON because their set
// grows.
struct Manifest {
  std::string pipeline;
  std::string version;  // "<n>-<8 hex>", hex of the model file's digest
  Timestamp created;
  std::string program_version;
  std::string algorithm;  // "gradient_boosting"
  TrainingParameters parameters;
  std::string label;                      // label field
  std::vector<std::string> label_values;  // the last is positive
  double threshold = 0.5;
  std::vector<std::string> features;  // column names, in order
  std::string feature_fingerprint;    // features::Transform::fingerprint()
  json::Value transform;              // features::Transform::to_json()
  json::Value
      schema;  // fields the model reads, as in pipeline.yaml, for people and mismatch messages
  json::Value
      feature_statistics;  // per raw field: mean, std, min, max, missing, quantiles or level counts
  json::Value feature_importances;  // [{feature, gain}], the largest first
  json::Value metrics_holdout;      // measured before the refit
  json::Value metrics_train;
  // Of a forecaster: target, horizon, predict, coverage, half_width, step_ms; null of others.
  json::Value forecast;
  // drift::Reference::to_json(); null where nothing is watched.
  json::Value drift_reference;
  std::uint64_t rows_trained = 0;
  std::uint64_t rows_holdout = 0;
  std::string data_digest;    // SHA-256 of the training file
  std::string model_digest;   // SHA-256 of model.json
  std::string canary_digest;  // SHA-256 of canary.json
};

// manifest.json as a document, its own digest included.
json::Value to_json(const Manifest& manifest);

// Rows with the answers the model must give, checked at every load.
struct Canary {
  std::vector<std::vector<double>> rows;
  std::vector<float> probabilities;
};

struct LoadedModel {
  Manifest manifest;
  std::shared_ptr<const TreeEnsemble> ensemble;
};

struct ModelEntry {
  std::string version;
  bool current = false;
  Manifest manifest;    // as far as it could be read
  std::string problem;  // why the manifest could not be read, or ""
};

// Holds no state but the folder's name: thread-safe, and safe between processes (save() takes the
// lock file <pipeline>/.lock; everything else that changes is one atomic rename).
class Registry {
 public:
  // `folder`: <home>/models. Nothing is created before something is saved.
  explicit Registry(env::Path folder) : folder_(std::move(folder)) {}

  // Writes a new version (number = highest + 1) atomically: a crash leaves no half version. Fills
  // version, digests. The new version is not made current. Errors: kInternal when the ensemble does
  // not give the canary's answers bit for bit; kLockHeld when another save lasts longer than 10 s;
  // kUsage for a pipeline name that is none; those of env/file.h.
  Result<Manifest> save(Manifest manifest, const TreeEnsemble& ensemble,
                        const Canary& canary) const;
  // `version` empty: the current one; a unique prefix such as "3" is enough. Checks digests,
  // structure, canary rows, and says what is wrong with renamed pickle, joblib, ONNX or UBJSON
  // files. Errors: kNoModel, kBadModel.
  Result<LoadedModel> load(const std::string& pipeline, const std::string& version = {}) const;
  // A model folder anywhere (--model-path); a file is refused with what it seems to be.
  Result<LoadedModel> load_folder(const env::Path& folder) const;
  // All versions by number; none is no error. An unreadable manifest is an entry with `problem`.
  Result<std::vector<ModelEntry>> list(const std::string& pipeline) const;
  // Names of pipelines with at least one version, sorted.
  Result<std::vector<std::string>> pipelines() const;
  // Errors: kNoModel when none is current, or the current one is gone.
  Result<std::string> current(const std::string& pipeline) const;
  // Makes `version` (or a unique prefix) current, atomically; returns its full name. A version that
  // does not load is refused.
  Result<std::string> promote(const std::string& pipeline, const std::string& version) const;

 private:
  Result<std::string> resolve(const std::string& pipeline, const std::string& version) const;
  env::Path folder_;
};

}  // namespace millrace::model
