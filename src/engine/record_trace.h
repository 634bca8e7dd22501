// One record step by step, for people: what was decoded, which features came of it, what the model
// said. The answer is RecordScorer's own; the steps are made by the same parts beside it.
#pragma once

#include <memory>
#include <optional>
#include <span>
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
  // Of a reading that was taken in, where the pipeline forecasts.
  std::optional<Timestamp> step;  // its hour, by its beginning
  std::optional<double> target;   // the target's value as it came
  struct Came {
    double error = 0;  // forecast less what came
    bool covered = false;
  };
  std::optional<Came> came;  // of an earlier forecast for this hour
  // CPU time; the first record of a scorer also pays for cold caches.
  Nanoseconds decode_cpu{0};  // features included
  Nanoseconds predict_cpu{0};
  Nanoseconds encode_cpu{0};
};

// Where the pipeline forecasts, an answer comes of the records before: all records of one partition
// go through replay() or trace() in their order, and their keys' states are kept here.
// Not thread-safe. Lives independently of the pipeline and the model it was made from.
class RecordTracer {
 public:
  // Errors: as RecordScorer::make().
  static Result<RecordTracer> make(const spec::Pipeline& pipeline, const model::LoadedModel& model,
                                   env::Clock& clock);
  RecordTracer(RecordTracer&&) noexcept;
  RecordTracer& operator=(RecordTracer&&) noexcept;
  ~RecordTracer();

  enum class Detail { kAnswer, kAll };  // without or with features and margin
  RecordTrace trace(const log::Record& record, Detail detail = Detail::kAll);
  // Records that were before, for what they leave in the state of their keys. Nothing where the
  // pipeline predicts a label.
  void replay(std::span<const log::Record> records);

 private:
  struct State;
  explicit RecordTracer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::engine
