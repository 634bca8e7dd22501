#include "engine/record_trace.h"

#include <numeric>
#include <utility>

#include "codec/record_decoder.h"
#include "features/transform.h"

namespace millrace::engine {

struct RecordTracer::State {
  State(const spec::Pipeline& from, RecordScorer made, codec::RecordDecoder record_decoder,
        const model::LoadedModel& model, env::Clock& time)
      : pipeline(from),
        scorer(std::move(made)),
        decoder(std::move(record_decoder)),
        ensemble(model.ensemble),
        columns(model.manifest.features),
        clock(time),
        cells(from.schema.size()) {}

  spec::Pipeline pipeline;
  RecordScorer scorer;
  codec::RecordDecoder decoder;
  std::optional<features::Transform> transform;  // of a label
  std::optional<KeyedState> keys;                // of a forecast
  std::shared_ptr<const model::TreeEnsemble> ensemble;
  std::vector<std::string> columns;
  env::Clock& clock;
  std::vector<data::Cell> cells;
  ScoredBatch scored;

  void trace_fields(RecordTrace& out) const;
  void trace_features(RecordTrace& out) const;
  void trace_label(const ScoredRecord& record, RecordTrace& out) const;
  void trace_forecast(const ScoredRecord& record, Detail detail, RecordTrace& out) const;
  void name_features(std::span<const double> row, RecordTrace& out) const;
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

void RecordTracer::State::name_features(std::span<const double> row, RecordTrace& out) const {
  for (std::size_t i = 0; i < row.size(); ++i) out.features.emplace_back(columns[i], row[i]);
  if (!ensemble->trees.empty()) out.margin = model::predict_margin_reference(*ensemble, row);
}

void RecordTracer::State::trace_features(RecordTrace& out) const {
  std::vector<double> row(transform->columns());
  data::RecordErrors errors;
  if (transform->apply(cells, row, errors)) name_features(row, out);
}

void RecordTracer::State::trace_label(const ScoredRecord& record, RecordTrace& out) const {
  out.probability = record.probability;
  const std::size_t positive = pipeline.positive_code();
  const data::Field& label = pipeline.schema.field(*pipeline.schema.label());
  out.label = label.values.at(record.positive ? positive : 1 - positive);
}

void RecordTracer::State::trace_forecast(const ScoredRecord& record, Detail detail,
                                         RecordTrace& out) const {
  out.step = record.event_time;
  const data::Cell& target = cells[*pipeline.schema.find(pipeline.forecast->target)];
  if (target.state == data::CellState::kNumber) out.target = target.number;
  if (scored.live.forecasts > 0)
    out.came = RecordTrace::Came{scored.live.error, scored.live.covered > 0};
  if (detail == Detail::kAll) name_features(scored.watched, out);
}

Result<RecordTracer> RecordTracer::make(const spec::Pipeline& pipeline,
                                        const model::LoadedModel& model, env::Clock& clock) {
  ScorerOptions options;
  options.predictor = "reference";  // the others are equal to it, and only one record is scored
  MILLRACE_ASSIGN(RecordScorer scorer, RecordScorer::make(pipeline, model, clock, options));
  MILLRACE_ASSIGN(codec::RecordDecoder decoder,
                  codec::RecordDecoder::make(pipeline.schema, codec::Purpose::kScoring,
                                             pipeline.input.decode_limits()));
  auto state =
      std::make_unique<State>(pipeline, std::move(scorer), std::move(decoder), model, clock);
  // That the model fits the pipeline, the scorer has checked.
  if (pipeline.forecast) {
    const KeyLimits limits{pipeline.series.keys_max, pipeline.series.evict_after};
    state->keys.emplace(state->scorer.state_doubles(), limits);
  } else {
    MILLRACE_ASSIGN(state->transform,
                    features::Transform::from_json(model.manifest.transform, pipeline.schema));
  }
  return RecordTracer(std::move(state));
}

RecordTracer::RecordTracer(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordTracer::RecordTracer(RecordTracer&&) noexcept = default;
RecordTracer& RecordTracer::operator=(RecordTracer&&) noexcept = default;
RecordTracer::~RecordTracer() = default;

RecordTrace RecordTracer::trace(const log::Record& record, Detail detail) {
  State& state = *state_;
  RecordTrace out;
  if (state.keys && detail == Detail::kAll) {
    std::vector<std::size_t> all(state.columns.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    state.scorer.watch(std::move(all));
  }
  state.scorer.score({&record, 1}, state.clock.steady(), state.scored,
                     state.keys ? &*state.keys : nullptr);
  state.scorer.watch({});
  const ScoredRecord& scored = state.scored.records.front();
  out.outcome = scored.outcome;
  out.decode_cpu = state.scored.decode_cpu;
  out.predict_cpu = state.scored.predict_cpu;
  out.encode_cpu = state.scored.encode_cpu;
  if (scored.outcome == Outcome::kDeadLetter) out.errors = state.scored.errors[scored.errors];
  if (scored.outcome == Outcome::kPredicted) out.message = scored.message;
  if (!record.value) return out;
  data::RecordErrors errors;
  state.cells.assign(state.cells.size(), data::Cell::missing());
  const bool decoded = state.decoder.decode(*record.value, state.cells, errors);
  state.trace_fields(out);
  if (state.keys) {
    if (scored.outcome == Outcome::kPredicted) state.trace_forecast(scored, detail, out);
    return out;
  }
  if (scored.outcome == Outcome::kPredicted) state.trace_label(scored, out);
  if (decoded) state.trace_features(out);
  return out;
}

void RecordTracer::replay(std::span<const log::Record> records) {
  State& state = *state_;
  if (!state.keys || records.empty()) return;
  state.scorer.score(records, state.clock.steady(), state.scored, &*state.keys);
  state.keys->freeze();
  state.keys->settle();
}

}  // namespace millrace::engine
