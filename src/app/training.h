// Training and saving a model: shared by `train` and `demo`.
#pragma once

#include <string>

#include "app/session.h"
#include "base/result.h"
#include "engine/labelled_table.h"
#include "eval/splits.h"
#include "model/registry.h"
#include "train/trainer.h"

namespace millrace::app {

enum class Promote { kYes, kNo };

struct TrainingOutcome {
  model::Manifest manifest;
  std::vector<engine::BadLine> bad;
  std::uint64_t bad_rows = 0;
  bool current = false;
  double duration_s = 0;
};

// What a manifest keeps of the schema: each field's type and levels, for people and for messages.
json::Value schema_json(const data::Schema& schema);
// SHA-256 of the file; words for standard input.
Result<std::string> digest_of(const std::string& data);

// The split that the pipeline asks for, over the rows of the table.
Result<eval::Split> split_of(const spec::Pipeline& pipeline, const engine::LabelledTable& table);

// What the pipeline asks for, on a split of the table. References must outlive the input.
train::TrainingInput training_input(const spec::Pipeline& pipeline,
                                    const engine::LabelledTable& table, const eval::Split& split,
                                    train::TrainingProgress progress);

// What a training made, to be kept.
struct Trained {
  model::Manifest manifest;
  const model::TreeEnsemble& ensemble;
  const model::Canary& canary;
  const std::vector<engine::BadLine>& bad;
  std::uint64_t bad_rows = 0;
  SteadyTime started;
};
// Saves it as a new version, and makes that the current one where asked for. Errors: those of the
// file `data`, whose digest is kept, and of the registry.
Result<TrainingOutcome> save_trained(Session& session, const std::string& data, Promote promote,
                                     Trained trained);

// Reads the file, measures on the hold-out, refits on all rows, saves. Errors: those of its parts.
Result<TrainingOutcome> run_training(Session& session, const spec::Pipeline& pipeline,
                                     const std::string& data, Promote promote);

// "AUC 0.8471, PR-AUC 0.6716, ..." of a metrics object (train/measure.h), a line a figure.
std::string describe_metrics(const json::Value& metrics);

std::string describe(const TrainingOutcome& outcome);

}  // namespace millrace::app
