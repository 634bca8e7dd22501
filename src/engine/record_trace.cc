#include "engine/record_trace.h"

#include "codec/record_decoder.h"
#include "features/transform.h"

namespace millrace::engine {

struct RecordTracer::State {
  State(const spec::Pipeline& from, RecordScorer made, codec::RecordDecoder record_decoder,
        features::Transform fitted, std::shared_ptr<const model::TreeEnsemble> trees,
        env::Clock& time)
      : pipeline(from),
        scorer(std::move(made)),
        decoder(std::move(record_decoder)),
        transform(std::move(fitted)),
        ensemble(std::move(trees)),
        clock(time),
        cells(from.schema.size()) {}

  spec::Pipeline pipeline;
  RecordScorer scorer;
  codec::RecordDecoder decoder;
  features::Transform transform;
  std::shared_ptr<const model::TreeEnsemble> ensemble;
  env::Clock& clock;
  std::vector<data::Cell> cells;
  ScoredBatch scored;

  void trace_fields(RecordTrace& out) const;
  void trace_features(RecordTrace& out) const;
};

void RecordTracer::State::trace_fields(RecordTrace& out) const {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const data::Field& field = pipeline.schema.field(i);
    const data::Cell& cell = cells[i];
    TracedField traced{field.name, field.type, cell.state, 0, std::string(cell.text)};
    if (cell.state == data::CellState::kNumber) traced.number = cell.number;
    out.fields.push_back(std::move(traced));
  }
}

void RecordTracer::State::trace_features(RecordTrace& out) const {
  std::vector<double> row(transform.columns());
  data::RecordErrors errors;
  if (!transform.apply(cells, row, errors)) return;
  for (std::size_t i = 0; i < row.size(); ++i) {
    out.features.emplace_back(transform.names()[i], row[i]);
  }
  out.margin = model::predict_margin_reference(*ensemble, row);
}

Result<RecordTracer> RecordTracer::make(const spec::Pipeline& pipeline,
                                        const model::LoadedModel& model, env::Clock& clock) {
  ScorerOptions options;
  options.predictor = "reference";  // the others are equal to it, and only one record is scored
  MILLRACE_ASSIGN(RecordScorer scorer, RecordScorer::make(pipeline, model, clock, options));
  MILLRACE_ASSIGN(codec::RecordDecoder decoder,
                  codec::RecordDecoder::make(pipeline.schema, codec::Purpose::kScoring,
                                             pipeline.input.decode_limits()));
  // That it fits the pipeline, the scorer has checked.
  MILLRACE_ASSIGN(features::Transform transform,
                  features::Transform::from_json(model.manifest.transform, pipeline.schema));
  return RecordTracer(std::make_unique<State>(pipeline, std::move(scorer), std::move(decoder),
                                              std::move(transform), model.ensemble, clock));
}

RecordTracer::RecordTracer(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordTracer::RecordTracer(RecordTracer&&) noexcept = default;
RecordTracer& RecordTracer::operator=(RecordTracer&&) noexcept = default;
RecordTracer::~RecordTracer() = default;

RecordTrace RecordTracer::trace(const log::Record& record) {
  State& state = *state_;
  RecordTrace out;
  state.scorer.score({&record, 1}, state.clock.steady(), state.scored);
  const ScoredRecord& scored = state.scored.records.front();
  out.outcome = scored.outcome;
  out.decode_cpu = state.scored.decode_cpu;
  out.predict_cpu = state.scored.predict_cpu;
  out.encode_cpu = state.scored.encode_cpu;
  if (scored.outcome == Outcome::kDeadLetter) out.errors = state.scored.errors[scored.errors];
  if (scored.outcome == Outcome::kPredicted) {
    out.probability = scored.probability;
    const std::size_t positive = state.pipeline.positive_code();
    const data::Field& label = state.pipeline.schema.field(*state.pipeline.schema.label());
    out.label = label.values.at(scored.positive ? positive : 1 - positive);
    out.message = scored.message;
  }
  if (!record.value) return out;
  data::RecordErrors errors;
  state.cells.assign(state.cells.size(), data::Cell::missing());
  const bool decoded = state.decoder.decode(*record.value, state.cells, errors);
  state.trace_fields(out);
  if (decoded) state.trace_features(out);
  return out;
}

}  // namespace millrace::engine
