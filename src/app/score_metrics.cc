#include "app/score_metrics.h"

#include <chrono>

#include "data/record_error.h"

namespace millrace::app {
namespace {

using telemetry::Metric;

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

std::vector<std::string> labels_of(const log::TopicPartition& source) {
  return {source.topic.value(), std::to_string(source.partition.value())};
}

// The reference's error type of a code's text.
std::string type_of(const std::string& code) {
  for (const data::RecordCode known : data::kAllRecordCodes) {
    if (data::to_string(known) == code) {
      return std::string(data::to_string(data::type_of(known)));
    }
  }
  return std::string(data::to_string(data::ErrorType::kUnknown));
}

}  // namespace

ScoreMetrics::ScoreMetrics(Monitoring& monitoring, const spec::Pipeline& pipeline,
                           env::Clock& clock)
    : monitoring_(monitoring),
      metrics_(monitoring.metrics()),
      clock_(clock),
      topic_(pipeline.input.topic.name.value()),
      consumed_(metrics_.counter(Metric::kMessagesConsumed, {topic_})),
      skipped_(metrics_.counter(Metric::kMessagesSkipped, {topic_})),
      commits_(metrics_.counter(Metric::kCommits)),
      aborted_(metrics_.counter(Metric::kCommitsAborted)),
      rebalances_(metrics_.counter(Metric::kRebalances)),
      succeeded_(metrics_.counter(Metric::kReferenceProcessed, {"success", topic_})),
      failed_(metrics_.counter(Metric::kReferenceProcessed, {"failed", topic_})),
      latency_(metrics_.histogram(Metric::kScoringLatency)),
      commit_(metrics_.histogram(Metric::kCommitDuration)),
      probability_(pipeline.forecast ? telemetry::Histogram()
                                     : metrics_.histogram(Metric::kProbability)),
      validation_(metrics_.histogram(Metric::kReferenceLatency, {"validation"})),
      transformation_(metrics_.histogram(Metric::kReferenceLatency, {"transformation"})),
      inference_(metrics_.histogram(Metric::kReferenceLatency, {"inference"})),
      total_(metrics_.histogram(Metric::kReferenceLatency, {"total"})),
      last_commit_(metrics_.gauge(Metric::kLastCommit)),
      forecasts_(forecasts_of(metrics_, pipeline)) {
  const std::vector<std::string> labels =
      pipeline.forecast ? std::vector<std::string>{}
                        : pipeline.schema.field(*pipeline.schema.label()).values;
  for (const std::string& label : labels) {
    labels_[label] = metrics_.counter(Metric::kMessagesPredicted, {topic_, label});
  }
}

ScoreMetrics::Forecasts ScoreMetrics::forecasts_of(telemetry::MetricRegistry& metrics,
                                                   const spec::Pipeline& pipeline) {
  Forecasts out;
  if (!pipeline.forecast) return out;
  const std::vector<std::string> target = {pipeline.forecast->target};
  out.made = metrics.counter(Metric::kForecasts, target);
  out.warming_up = metrics.counter(Metric::kWarmingUp, target);
  out.compared = metrics.counter(Metric::kForecastsCompared, target);
  out.covered = metrics.counter(Metric::kForecastsCovered, target);
  out.error = metrics.counter(Metric::kForecastError, target);
  metrics.gauge(Metric::kForecastCoverageAim, target).set(pipeline.forecast->coverage);
  out.newest = metrics.gauge(Metric::kForecastTime, target);
  out.state_keys = metrics.gauge(Metric::kStateKeys);
  out.state_bytes = metrics.gauge(Metric::kStateBytes);
  out.state_records = metrics.counter(Metric::kStateRecords);
  out.state_written = metrics.counter(Metric::kStateWritten);
  out.reference_readings = metrics.counter(Metric::kReferenceReadings);
  out.reference_failed = metrics.counter(Metric::kReferenceReadingsFailed);
  out.reference_predictions = metrics.counter(Metric::kReferencePredictions);
  out.reference_errors = metrics.counter(Metric::kReferencePredictionErrors);
  out.reference_latency = metrics.summary(Metric::kReferencePredictionLatency);
  return out;
}

void ScoreMetrics::on_started() { monitoring_.readiness().started(); }

void ScoreMetrics::on_scored(const log::TopicPartition& /*source*/,
                             std::span<const log::Record> /*records*/,
                             const engine::ScoredBatch& batch) {
  const std::uint64_t records = batch.records.size();
  if (records == 0) return;
  constexpr double kMsPerSecond = 1000;
  const auto share = static_cast<double>(records);
  latency_.observe(batch.latency_ms / kMsPerSecond, records);
  total_.observe(batch.latency_ms / kMsPerSecond, records);
  forecasts_.reference_latency.observe(batch.latency_ms / kMsPerSecond, records);
  validation_.observe(seconds(batch.decode_cpu) / share, records);
  inference_.observe(seconds(batch.predict_cpu) / share, records);
  transformation_.observe(seconds(batch.encode_cpu) / share, records);
}

void ScoreMetrics::on_committed(const data::RunSummary& all, Nanoseconds took) {
  constexpr double kMsPerSecond = 1000;
  consumed_.raise_to(static_cast<double>(all.consumed));
  succeeded_.raise_to(static_cast<double>(all.predicted));
  failed_.raise_to(static_cast<double>(all.dead_lettered));
  skipped_.raise_to(static_cast<double>(all.skipped_by_retention));
  commits_.raise_to(static_cast<double>(all.commits));
  commit_.observe(seconds(took));
  last_commit_.set(static_cast<double>(clock_.now().value()) / kMsPerSecond);
  for (const auto& [label, count] : all.by_label) {
    labels_[label].raise_to(static_cast<double>(count));
  }
  for (const auto& [stage, cpu_ns] : all.stage_cpu_ns) {
    const auto [found, is_new] = stages_.try_emplace(stage);
    if (is_new) found->second = metrics_.counter(Metric::kStageCpu, {stage});
    found->second.raise_to(seconds(Nanoseconds(cpu_ns)));
  }
  count_dead_letters(all);
  count_probabilities(all);
  if (all.forecast_target) count_forecasts(all);
}

void ScoreMetrics::count_forecasts(const data::RunSummary& all) {
  const data::RunSummary::Forecasts& f = all.forecasts;
  const auto made = static_cast<double>(all.predicted - f.warming_up);
  const auto compared = static_cast<double>(f.compared);
  const auto covered = static_cast<double>(f.covered);
  const auto set_aside = static_cast<double>(all.dead_lettered);
  forecasts_.made.raise_to(made);
  forecasts_.warming_up.raise_to(static_cast<double>(f.warming_up));
  forecasts_.compared.raise_to(compared);
  forecasts_.covered.raise_to(covered);
  forecasts_.error.raise_to(f.absolute_error);
  constexpr double kMsPerSecond = 1000;
  if (f.newest) forecasts_.newest.set(static_cast<double>(f.newest->value()) / kMsPerSecond);
  if (f.compared > 0) {  // before that they are missing, which no alert takes for a good value
    const std::vector<std::string> target = {*all.forecast_target};
    metrics_.gauge(Metric::kForecastMae, target).set(f.absolute_error / compared);
    metrics_.gauge(Metric::kForecastBias, target).set(f.error / compared);
    metrics_.gauge(Metric::kForecastCoverage, target).set(covered / compared);
  }
  forecasts_.reference_readings.raise_to(static_cast<double>(all.predicted));
  forecasts_.reference_failed.raise_to(set_aside);
  forecasts_.reference_predictions.raise_to(made);
  forecasts_.reference_errors.raise_to(set_aside);
}

void ScoreMetrics::on_state(const engine::StateKeeper& state) {
  const engine::StateKeeper::Figures figures = state.figures();
  forecasts_.state_keys.set(static_cast<double>(figures.keys));
  forecasts_.state_bytes.set(static_cast<double>(figures.bytes));
  forecasts_.state_records.raise_to(static_cast<double>(figures.records));
  forecasts_.state_written.raise_to(static_cast<double>(figures.written));
}

void ScoreMetrics::count_dead_letters(const data::RunSummary& all) {
  for (const auto& [code, count] : all.dead_letters_by_code) {
    const auto [found, is_new] = codes_.try_emplace(code);
    Code& counters = found->second;
    if (is_new) {
      counters.ours = metrics_.counter(Metric::kMessagesDeadLettered, {topic_, code});
      counters.reference = metrics_.counter(Metric::kReferenceFailed, {type_of(code), topic_});
    }
    const auto more = static_cast<double>(count - counters.counted);
    counters.ours.add(more);
    counters.reference.add(more);
    counters.counted = count;
  }
}

// The summary's bins take a value on a boundary up, Prometheus' buckets down: such a value counts
// one bucket too high, which nobody will see.
void ScoreMetrics::count_probabilities(const data::RunSummary& all) {
  decltype(bins_) more{};
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    more.at(i) = all.probability_histogram.at(i) - bins_.at(i);
  }
  probability_.observe_counts(more, all.probability_sum - probability_sum_);
  bins_ = all.probability_histogram;
  probability_sum_ = all.probability_sum;
}

// Windows close seldom: handles are looked up each time.
void ScoreMetrics::on_drift(const drift::DriftMonitor& drift) {
  const std::vector<drift::ReferenceColumn>& columns = drift.reference().columns;
  for (const drift::Reading& reading : drift.readings()) {
    const std::string& feature = columns[reading.column].profile.column.name;
    const std::string statistic(to_string(reading.statistic));
    metrics_.gauge(Metric::kDriftStatistic, {feature, statistic}).set(reading.value);
  }
  bool any = false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool drifting = drift.is_drifting(i);
    any = any || drifting;
    metrics_.gauge(Metric::kDriftAlert, {columns[i].profile.column.name}).set(drifting ? 1 : 0);
  }
  metrics_.gauge(Metric::kReferenceDrift).set(any ? 1 : 0);
  const drift::MonitorCounts& counts = drift.counts();
  metrics_.counter(Metric::kDriftAlerts, {"raised"}).raise_to(static_cast<double>(counts.raised));
  metrics_.counter(Metric::kDriftAlerts, {"cleared"}).raise_to(static_cast<double>(counts.cleared));
  metrics_.counter(Metric::kDriftWindows).raise_to(static_cast<double>(counts.windows));
}

void ScoreMetrics::on_aborted() { aborted_.add(); }

void ScoreMetrics::on_rebalance() { rebalances_.add(); }

void ScoreMetrics::on_lag(const std::map<log::TopicPartition, std::int64_t>& lag) {
  for (const auto& [source, before] : lag_) {
    if (lag.contains(source)) continue;
    metrics_.remove(Metric::kConsumerLag, labels_of(source));
    metrics_.remove(Metric::kReferenceLag, labels_of(source));
  }
  for (const auto& [source, messages] : lag) {
    metrics_.gauge(Metric::kConsumerLag, labels_of(source)).set(static_cast<double>(messages));
    metrics_.gauge(Metric::kReferenceLag, labels_of(source)).set(static_cast<double>(messages));
  }
  lag_ = lag;
}

void ScoreMetrics::on_waiting(const Error& trouble) {
  aborted_.add();
  monitoring_.readiness().waiting(trouble);
}

void ScoreMetrics::on_going_on() { monitoring_.readiness().going_on(); }

}  // namespace millrace::app
