// One record step by step, for people: what was decoded, which features came of it, what the model
// said. The answer is RecordScorer's own; the steps are made by the same parts beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/cell.h"
#include "data/record_error.h"
#include "data/schema.h"
#include "engine/record_scorer.h"
#include "env/clock.h"
#include "log/record.h"
#include "model/registry.h"
#include "spec/pipeline.h"

namespace millrace::engine {

struct TracedField {
  std::string name;
  data::FieldType type = data::FieldType::kString;
  data::CellState state = data::CellState::kMissing;
  double number = 0;  // of kNumber
  std::string text;   // as it came, or the level
};

struct RecordTrace {
  std::vector<TracedField> fields;  // empty where the record could not be decoded at all
  std::vector<std::pair<std::string, double>> features;  // empty where it was set aside before
  std::optional<float> margin;  // sum of the trees, before the link; of the model's own positive
  Outcome outcome = Outcome::kSkipped;
  data::RecordErrors errors;  // of a dead letter
  double probability = 0;     // of the pipeline's positive level, as published
  std::string label;
  std::string message;  // the prediction
  // CPU time; the first record of a scorer also pays for cold caches.
  Nanoseconds decode_cpu{0};  // features included
  Nanoseconds predict_cpu{0};
  Nanoseconds encode_cpu{0};
};

// Not thread-safe. Lives independently of the pipeline and the model it was made from.
class RecordTracer {
 public:
  // Errors: as RecordScorer::make().
  static Result<RecordTracer> make(const spec::Pipeline& pipeline, const model::LoadedModel& model,
                                   env::Clock& clock);
  RecordTracer(RecordTracer&&) noexcept;
  RecordTracer& operator=(RecordTracer&&) noexcept;
  ~RecordTracer();

  RecordTrace trace(const log::Record& record);

 private:
  struct State;
  explicit RecordTracer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::engine
