// The record's path without the log: decode, validate, features, predict, compose. The stream
// (engine/score_run.h), `predict` and the tests all go through this one class, so a record gets the
// same answer everywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/record_error.h"
#include "engine/keyed_state.h"
#include "env/clock.h"
#include "log/record.h"
#include "model/registry.h"
#include "spec/pipeline.h"

namespace millrace::engine {

// What became of one record.
enum class Outcome : std::uint8_t {
  kPredicted,
  kDeadLetter,
  kSkipped,  // a tombstone, where the pipeline says so
};

struct ScoredRecord {
  Outcome outcome = Outcome::kSkipped;
  bool positive = false;
  double probability = 0;     // of the positive level, rounded as published
  std::string_view message;   // JSON of the prediction
  std::string_view key_text;  // value of the output's key field, "" without one
  bool has_value = true;      // of a forecast: false while the key is too young
  Timestamp event_time;       // of a predicted record
  std::uint32_t watched = 0;  // of a predicted record: its row of ScoredBatch::watched
  double latency_ms = 0;      // the batch's arrival to this record's scoring, as published
  std::size_t errors = 0;     // index into ScoredBatch::errors of a dead letter
};

// The answers for a batch, in its order. Views live until the next score() into the same object.
struct ScoredBatch {
  std::vector<ScoredRecord> records;
  std::vector<data::RecordErrors> errors;
  double latency_ms = 0;  // the batch's arrival to the end of its scoring
  // CPU time of the calling thread.
  Nanoseconds decode_cpu{0};
  Nanoseconds predict_cpu{0};
  Nanoseconds encode_cpu{0};

  // Of forecasts whose hour came: how far off they were, and how many intervals held.
  struct Live {
    std::uint64_t forecasts = 0;
    double absolute_error = 0;
    double error = 0;  // forecast less what came
    std::uint64_t covered = 0;
  } live;
  std::uint64_t warming_up = 0;
  // The same one by one, where compare_each() was asked for.
  struct Compared {
    std::uint32_t record = 0;  // whose measurement it was held against
    double forecast = 0;
    double half_width = 0;
    double error = 0;
    bool covered = false;
  };
  std::vector<Compared> compared;

  // Of predicted records: the features that are watched for drift, row-major.
  std::vector<double> watched;

  // Level codes of the report's segment fields, row-major: records x ReportSpec::segments; -1 =
  // missing.
  std::vector<std::int16_t> segment_codes;

 private:
  friend class RecordScorer;
  Arena texts_;  // bytes that the views of ScoredRecord point into
};

struct ScorerOptions {
  std::string predictor;  // an engine's name; "" = the fastest that is exact
  // Also check every prediction message against the output's schema (`score --validate`).
  enum class Check { kInput, kInputAndOutput } check = Check::kInput;
};

// Not thread-safe: make one a thread. Lives independently of the Pipeline it was made from.
class RecordScorer {
 public:
  // Errors: kBadModel when the model's features are not the pipeline's (fingerprint, columns,
  // label), with what to do; kUsage for an unknown predictor.
  static Result<RecordScorer> make(const spec::Pipeline& pipeline, const model::LoadedModel& model,
                                   env::Clock& clock, const ScorerOptions& options = {});
  RecordScorer(RecordScorer&&) noexcept;
  RecordScorer& operator=(RecordScorer&&) noexcept;
  ~RecordScorer();

  // Scores every record; never fails, a bad record is an outcome.
  // `keys`: of the records' partition, for pipelines that forecast; nullptr for others.
  void score(std::span<const log::Record> records, SteadyTime arrived, ScoredBatch& out,
             KeyedState* keys = nullptr);

  // Columns of the model whose values go to ScoredBatch::watched; none at first.
  void watch(std::vector<std::size_t> columns);

  // Fills ScoredBatch::compared from now on, where the pipeline forecasts.
  void compare_each();

  // Doubles of state a key, and the fingerprint of what made them; 0 for pipelines without any.
  std::size_t state_doubles() const;
  std::string state_fingerprint() const;

  // The texts of some fields of one record (a top risk), as they came; "" where missing. Decodes
  // again.
  std::vector<std::string> field_texts(const log::Record& record,
                                       const std::vector<std::string>& fields);

  std::string_view predictor() const;
  const std::string& model_version() const;

 private:
  struct State;
  explicit RecordScorer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::engine
