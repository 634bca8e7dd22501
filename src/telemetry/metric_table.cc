#include "telemetry/metric_table.h"

#include <array>

#include "base/check.h"

namespace millrace::telemetry {
namespace {

using Name = std::string_view;
using Bound = double;

constexpr std::array kVersion{Name("version")};
constexpr std::array kRun{Name("command"), Name("pipeline"), Name("mode"), Name("group"),
                          Name("log")};
constexpr std::array kModel{Name("pipeline"), Name("model_version"), Name("predictor")};
constexpr std::array kTopic{Name("topic")};
constexpr std::array kTopicLabel{Name("topic"), Name("label")};
constexpr std::array kTopicCode{Name("topic"), Name("code")};
constexpr std::array kFeature{Name("feature")};
constexpr std::array kFeatureStatistic{Name("feature"), Name("statistic")};
constexpr std::array kTarget{Name("target")};
constexpr std::array kState{Name("state")};
constexpr std::array kStage{Name("stage")};
constexpr std::array kTopicPartition{Name("topic"), Name("partition")};
constexpr std::array kClient{Name("client")};
constexpr std::array kClientBroker{Name("client"), Name("broker"), Name("quantile")};
constexpr std::array kRequest{Name("route"), Name("method"), Name("status")};
constexpr std::array kRoute{Name("route")};
constexpr std::array kStatusTopic{Name("status"), Name("topic")};
constexpr std::array kErrorTopic{Name("error_type"), Name("topic")};
constexpr std::array kOperation{Name("operation")};
constexpr std::array kConsumer{Name("version"), Name("mode"), Name("broker"),
                               Name("consumer_group"), Name("model_backend")};

constexpr std::array kLatencyBounds{Bound(0.0005), 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
                                    0.1,           0.2,   0.5,   1.0,   2.0,  5.0,  10.0};
// Equal to the bins of RunSummary::probability_histogram.
constexpr std::array kProbabilityBounds{Bound(0.05), 0.1,  0.15, 0.2,  0.25, 0.3,  0.35,
                                        0.4,         0.45, 0.5,  0.55, 0.6,  0.65, 0.7,
                                        0.75,        0.8,  0.85, 0.9,  0.95, 1.0};
// The defaults of the Python client, which the reference uses.
constexpr std::array kReferenceBounds{Bound(0.005), 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                      0.5,          0.75, 1.0,   2.5,  5.0,   7.5, 10.0};

constexpr std::size_t kPartitionSeriesMax = 1024;
constexpr std::size_t kBrokerSeriesMax = 512;
constexpr std::size_t kDriftFeaturesMax = 512;
constexpr std::size_t kDriftSeriesMax = 6 * kDriftFeaturesMax;
constexpr auto kReference = MetricNames::kReference;

// clang-format off
constexpr std::array kTable{
MetricRow{Metric::kBuildInfo, "millrace_build_info", MetricKind::kGauge,
          "Always 1; the labels say which program this is", kVersion, {}, "all", ""},
MetricRow{Metric::kRunInfo, "millrace_run_info", MetricKind::kGauge,
          "Always 1; the labels say what is running", kRun, {}, "all", "kafka_consumer_info"},
MetricRow{Metric::kReady, "millrace_ready", MetricKind::kGauge,
          "1 while /ready answers 200", {}, {}, "all", ""},
MetricRow{Metric::kLogReachable, "millrace_log_reachable", MetricKind::kGauge,
          "1 while the log can be read and written", {}, {}, "all",
          "kafka_consumer_broker_connected"},
MetricRow{Metric::kModelLoaded, "millrace_model_loaded", MetricKind::kGauge,
          "1 while a model is loaded and its folder is readable", {}, {}, "score",
          "kafka_consumer_model_loaded"},
MetricRow{Metric::kModelInfo, "millrace_model_info", MetricKind::kGauge,
          "Always 1; the labels say which model scores", kModel, {}, "score", ""},
MetricRow{Metric::kMessagesConsumed, "millrace_messages_consumed_total", MetricKind::kCounter,
          "Messages consumed, as far as their results are committed", kTopic, {}, "score",
          "kafka_messages_processed_total"},
MetricRow{Metric::kMessagesPredicted, "millrace_messages_predicted_total", MetricKind::kCounter,
          "Predictions committed, by predicted label", kTopicLabel, {}, "score",
          "kafka_messages_processed_total{status=\"success\"}"},
MetricRow{Metric::kMessagesDeadLettered, "millrace_messages_dead_lettered_total",
          MetricKind::kCounter, "Dead letters committed, by the code of their first error",
          kTopicCode, {}, "score", "kafka_messages_failed_total"},
MetricRow{Metric::kMessagesSkipped, "millrace_messages_skipped_total", MetricKind::kCounter,
          "Messages that retention deleted before they were read", kTopic, {}, "score, on Kafka",
          ""},
MetricRow{Metric::kCommits, "millrace_commits_total", MetricKind::kCounter,
          "Transactions committed", {}, {}, "score", ""},
MetricRow{Metric::kCommitsAborted, "millrace_commits_aborted_total", MetricKind::kCounter,
          "Transactions given up and done again", {}, {}, "score", ""},
MetricRow{Metric::kRebalances, "millrace_rebalances_total", MetricKind::kCounter,
          "Times that partitions went to another member of the group", {}, {}, "score", ""},
MetricRow{Metric::kScoringLatency, "millrace_scoring_latency_seconds", MetricKind::kHistogram,
          "Arrival of a message's batch to the end of its scoring, one count a message", {},
          kLatencyBounds, "score", "kafka_processing_latency_seconds{operation=\"total\"}"},
MetricRow{Metric::kCommitDuration, "millrace_commit_duration_seconds", MetricKind::kHistogram,
          "Request of a commit to its outcome", {}, kLatencyBounds, "score", ""},
MetricRow{Metric::kLastCommit, "millrace_last_commit_timestamp_seconds", MetricKind::kGauge,
          "When the last transaction was committed, in seconds since 1970", {}, {},
          "score, produce, sink", ""},
MetricRow{Metric::kStageCpu, "millrace_stage_cpu_seconds_total", MetricKind::kCounter,
          "CPU time of committed work by stage: poll, decode (with checks and features), predict, "
          "encode, append, commit", kStage, {}, "score", ""},
MetricRow{Metric::kConsumerLag, "millrace_consumer_lag_messages", MetricKind::kGauge,
          "Messages between the committed position and the end, of the partitions held here",
          kTopicPartition, {}, "score, sink", "kafka_consumer_lag", MetricNames::kMillrace,
          kPartitionSeriesMax},
MetricRow{Metric::kProbability, "millrace_prediction_probability_ratio", MetricKind::kHistogram,
          "Predicted probability of the positive label, one count a prediction", {},
          kProbabilityBounds, "score", ""},
MetricRow{Metric::kForecasts, "millrace_forecasts_total", MetricKind::kCounter,
          "Forecasts committed; readings of keys that are still warming up have none", kTarget, {},
          "score, of forecasts", "predictions_total"},
MetricRow{Metric::kWarmingUp, "millrace_forecast_warming_up_total", MetricKind::kCounter,
          "Readings committed without a forecast: their key is too young, or the target missing",
          kTarget, {}, "score, of forecasts", ""},
MetricRow{Metric::kForecastsCompared, "millrace_forecasts_compared_total", MetricKind::kCounter,
          "Forecasts whose actual value came, as far as that is committed", kTarget, {},
          "score, of forecasts", ""},
MetricRow{Metric::kForecastsCovered, "millrace_forecasts_covered_total", MetricKind::kCounter,
          "Of those, the ones whose actual value was within their interval", kTarget, {},
          "score, of forecasts", ""},
MetricRow{Metric::kForecastError, "millrace_forecast_absolute_error_total", MetricKind::kCounter,
          "Sum of the absolute errors of compared forecasts, in the target's unit: its rate by "
          "that of millrace_forecasts_compared_total is the MAE of late",
          kTarget, {}, "score, of forecasts", ""},
MetricRow{Metric::kForecastMae, "millrace_forecast_mae", MetricKind::kGauge,
          "Mean absolute error of the forecasts compared since the start, in the target's unit",
          kTarget, {}, "score, of forecasts", ""},
MetricRow{Metric::kForecastBias, "millrace_forecast_bias", MetricKind::kGauge,
          "Mean of forecast less actual value of the same; above 0: forecasts are too high",
          kTarget, {}, "score, of forecasts", ""},
MetricRow{Metric::kForecastCoverage, "millrace_forecast_coverage_ratio", MetricKind::kGauge,
          "Share of the same whose actual value was within their interval", kTarget, {},
          "score, of forecasts", ""},
MetricRow{Metric::kForecastCoverageAim, "millrace_forecast_coverage_aim_ratio", MetricKind::kGauge,
          "The share that the intervals are made for", kTarget, {}, "score, of forecasts", ""},
MetricRow{Metric::kForecastTime, "millrace_forecast_reading_timestamp_seconds", MetricKind::kGauge,
          "Event time of the newest reading committed, in seconds since 1970", kTarget, {},
          "score, of forecasts", ""},
MetricRow{Metric::kStateKeys, "millrace_state_keys", MetricKind::kGauge,
          "Keys with state, of the partitions held here", {}, {}, "score, of forecasts", ""},
MetricRow{Metric::kStateBytes, "millrace_state_bytes", MetricKind::kGauge,
          "Bytes of their values in memory", {}, {}, "score, of forecasts", ""},
MetricRow{Metric::kStateRecords, "millrace_state_records_total", MetricKind::kCounter,
          "Records of state committed to the changelog topic", {}, {}, "score, of forecasts", ""},
MetricRow{Metric::kStateWritten, "millrace_state_written_bytes_total", MetricKind::kCounter,
          "Bytes of their keys and values", {}, {}, "score, of forecasts", ""},
MetricRow{Metric::kDriftStatistic, "millrace_drift_statistic", MetricKind::kGauge,
          "Of the last judged window beside the training data; NaN where it cannot be told",
          kFeatureStatistic, {}, "score, with drift", "", MetricNames::kMillrace, kDriftSeriesMax},
MetricRow{Metric::kDriftAlert, "millrace_drift_alert", MetricKind::kGauge,
          "1 while a drift alert of the feature is raised", kFeature, {}, "score, with drift",
          "feature_drift_alert", MetricNames::kMillrace, kDriftFeaturesMax},
MetricRow{Metric::kDriftAlerts, "millrace_drift_alerts_total", MetricKind::kCounter,
          "Drift alerts committed, by state raised or cleared", kState, {}, "score, with drift", ""},
MetricRow{Metric::kDriftWindows, "millrace_drift_windows_total", MetricKind::kCounter,
          "Windows compared with the training data, as far as that is committed", {}, {}, "score, with drift",
          ""},
MetricRow{Metric::kProduceRowsSent, "millrace_produce_rows_sent_total", MetricKind::kCounter,
          "Rows committed to the topic", kTopic, {}, "produce", ""},
MetricRow{Metric::kProduceBadRows, "millrace_produce_bad_rows_total", MetricKind::kCounter,
          "Rows skipped because they are bad", kTopic, {}, "produce", ""},
MetricRow{Metric::kProduceBytesSent, "millrace_produce_sent_bytes_total", MetricKind::kCounter,
          "Bytes of keys and values committed to the topic", kTopic, {}, "produce", ""},
MetricRow{Metric::kProduceCommitDuration, "millrace_produce_commit_duration_seconds",
          MetricKind::kHistogram, "Duration of a commit of rows", {}, kLatencyBounds, "produce",
          ""},
MetricRow{Metric::kProduceRate, "millrace_produce_rows_per_second", MetricKind::kGauge,
          "Rows sent a second, over the whole run", kTopic, {}, "produce", ""},
MetricRow{Metric::kReplayed, "millrace_dead_letters_replayed_total", MetricKind::kCounter,
          "Dead letters put back, as far as that is committed", kTopic, {}, "dlq replay", ""},
MetricRow{Metric::kSinkRows, "millrace_sink_rows_total", MetricKind::kCounter,
          "Records in Parquet files whose positions are committed", kTopic, {}, "sink", ""},
MetricRow{Metric::kSinkFiles, "millrace_sink_files_total", MetricKind::kCounter,
          "Parquet files whose positions are committed", kTopic, {}, "sink", ""},
MetricRow{Metric::kSinkBytes, "millrace_sink_written_bytes_total", MetricKind::kCounter,
          "Bytes of Parquet files whose positions are committed", kTopic, {}, "sink", ""},
MetricRow{Metric::kSinkCommitDuration, "millrace_sink_commit_duration_seconds",
          MetricKind::kHistogram, "Request of a commit of positions to its outcome", {},
          kLatencyBounds, "sink", ""},
MetricRow{Metric::kSinkAborted, "millrace_sink_commits_aborted_total", MetricKind::kCounter,
          "Commits of positions that failed, whose records are written again", {}, {},
          "sink, on Kafka", ""},
MetricRow{Metric::kClientRequests, "millrace_log_client_requests_total", MetricKind::kCounter,
          "Requests to brokers", kClient, {}, "all, on Kafka", ""},
MetricRow{Metric::kClientRequestTimeouts, "millrace_log_client_request_timeouts_total",
          MetricKind::kCounter, "Requests that no broker answered in time", kClient, {},
          "all, on Kafka", ""},
MetricRow{Metric::kClientSentBytes, "millrace_log_client_sent_bytes_total", MetricKind::kCounter,
          "Bytes sent to brokers, compressed", kClient, {}, "all, on Kafka", ""},
MetricRow{Metric::kClientReceivedBytes, "millrace_log_client_received_bytes_total",
          MetricKind::kCounter, "Bytes received from brokers, compressed", kClient, {},
          "all, on Kafka", ""},
MetricRow{Metric::kClientQueued, "millrace_log_client_queued_messages", MetricKind::kGauge,
          "Messages fetched and not handed out yet (consumer), or not acknowledged yet (producer)",
          kClient, {}, "all, on Kafka", ""},
MetricRow{Metric::kClientRoundTrip, "millrace_log_client_round_trip_seconds", MetricKind::kGauge,
          "Request to answer of late, by broker id, quantile 0.5 and 0.99", kClientBroker, {},
          "all, on Kafka", "", MetricNames::kMillrace, kBrokerSeriesMax},
MetricRow{Metric::kHttpRequests, "millrace_http_requests_total", MetricKind::kCounter,
          "Requests answered, by route (the template, or \"none\"), method and status",
          kRequest, {}, "all", ""},
MetricRow{Metric::kHttpRequestDuration, "millrace_http_request_duration_seconds",
          MetricKind::kHistogram, "Whole request received to its answer being ready", kRoute,
          kLatencyBounds, "all", ""},
MetricRow{Metric::kHttpConnections, "millrace_http_connections", MetricKind::kGauge,
          "Connections open now", {}, {}, "all", ""},
MetricRow{Metric::kHttpConnectionsRefused, "millrace_http_connections_refused_total",
          MetricKind::kCounter, "Connections above the limits, answered with 503 or closed", {}, {},
          "all", ""},
MetricRow{Metric::kProcessCpu, "process_cpu_seconds_total", MetricKind::kCounter,
          "CPU time of the process, user and system", {}, {}, "all", ""},
MetricRow{Metric::kProcessResident, "process_resident_memory_bytes", MetricKind::kGauge,
          "Resident memory of the process", {}, {}, "all", ""},
MetricRow{Metric::kProcessOpenFds, "process_open_fds", MetricKind::kGauge,
          "Open file descriptors", {}, {}, "all", ""},
MetricRow{Metric::kProcessMaxFds, "process_max_fds", MetricKind::kGauge,
          "File descriptors the process may open", {}, {}, "all", ""},
MetricRow{Metric::kProcessThreads, "process_threads", MetricKind::kGauge,
          "Threads of the process", {}, {}, "all", ""},
MetricRow{Metric::kProcessStart, "process_start_time_seconds", MetricKind::kGauge,
          "When monitoring began, in seconds since 1970", {}, {}, "all", ""},
MetricRow{Metric::kReferenceProcessed, "kafka_messages_processed_total", MetricKind::kCounter,
          "Messages processed, status success or failed", kStatusTopic, {}, "score", "",
          kReference},
MetricRow{Metric::kReferenceFailed, "kafka_messages_failed_total", MetricKind::kCounter,
          "Dead letters by the reference's four error types", kErrorTopic, {}, "score", "",
          kReference},
MetricRow{Metric::kReferenceLatency, "kafka_processing_latency_seconds", MetricKind::kHistogram,
          "Seconds a message, operation validation (decoding, checks and features: one pass here), "
          "transformation (the message out), inference, total (with the wait in the batch)",
          kOperation, kReferenceBounds, "score", "", kReference},
MetricRow{Metric::kReferenceLag, "kafka_consumer_lag", MetricKind::kGauge,
          "As millrace_consumer_lag_messages", kTopicPartition, {}, "score", "", kReference,
          kPartitionSeriesMax},
MetricRow{Metric::kReferenceModelLoaded, "kafka_consumer_model_loaded", MetricKind::kGauge,
          "As millrace_model_loaded", {}, {}, "score", "", kReference},
MetricRow{Metric::kReferenceBrokerConnected, "kafka_consumer_broker_connected", MetricKind::kGauge,
          "As millrace_log_reachable", {}, {}, "score", "", kReference},
MetricRow{Metric::kReferenceInfo, "kafka_consumer_info", MetricKind::kGauge,
          "Always 1; the labels say what is running", kConsumer, {}, "score", "", kReference},
MetricRow{Metric::kReferenceDrift, "feature_drift_alert", MetricKind::kGauge,
          "1 while any drift alert is raised", {}, {}, "score, with drift", "", kReference},
MetricRow{Metric::kReferenceReadings, "air_quality_messages_processed_total", MetricKind::kCounter,
          "Readings taken in, as far as that is committed", {}, {}, "score, of forecasts", "",
          kReference},
MetricRow{Metric::kReferenceReadingsFailed, "air_quality_messages_failed_total",
          MetricKind::kCounter, "Readings set aside as dead letters", {}, {},
          "score, of forecasts", "", kReference},
MetricRow{Metric::kReferencePredictions, "predictions_total", MetricKind::kCounter,
          "As millrace_forecasts_total", {}, {}, "score, of forecasts", "", kReference},
MetricRow{Metric::kReferencePredictionErrors, "prediction_errors_total", MetricKind::kCounter,
          "Readings that no forecast could be made of because they are bad", {}, {},
          "score, of forecasts", "", kReference},
MetricRow{Metric::kReferencePredictionLatency, "prediction_latency_seconds", MetricKind::kSummary,
          "Arrival of a reading's batch to the end of its scoring, one count a reading", {}, {},
          "score, of forecasts", "", kReference},
};
// clang-format on

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable.at(i).metric) != i) return false;
  }
  return true;
}
static_assert(in_order(), "row i describes Metric(i)");
static_assert(kTable.back().metric == Metric::kReferencePredictionLatency,
              "every metric has a row");

std::string list_of(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += "`" + std::string(word) + "`";
  }
  return text;
}

std::string number(double value) {
  std::string text = std::to_string(value);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

void add_rows(std::string& page, MetricNames names) {
  page +=
      "\n| metric | kind | labels | what it says | set by |\n"
      "|---|---|---|---|---|\n";
  for (const MetricRow& row : kTable) {
    if (row.names != names) continue;
    page += "| `" + std::string(row.name) + "` | " + std::string(to_string(row.kind)) + " | " +
            list_of(row.labels) + " | " + std::string(row.help);
    if (!row.reference_name.empty()) page += " (`" + std::string(row.reference_name) + "`)";
    page += " | " + std::string(row.commands) + " |\n";
  }
}

void add_buckets(std::string& page) {
  page += "\n## Buckets\n\n| metric | upper bounds |\n|---|---|\n";
  for (const MetricRow& row : kTable) {
    if (row.buckets.empty()) continue;
    page += "| `" + std::string(row.name) + "` |";
    for (const double bound : row.buckets) page += " " + number(bound);
    page += " |\n";
  }
}

}  // namespace

std::span<const MetricRow> metric_table() { return kTable; }

const MetricRow& row_of(Metric metric) {
  const auto index = static_cast<std::size_t>(metric);
  CHECK(index < kTable.size());
  return kTable.at(index);
}

std::string_view to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      return "histogram";
    case MetricKind::kSummary:
      break;
  }
  return "summary";
}

std::string metrics_reference() {
  std::string page =
      "# Metrics\n\n"
      "Made from the program (`millrace reference metrics`); a test holds the two together.\n\n"
      "With `--metrics-port PORT` a long-running command serves `/metrics` in Prometheus' text "
      "format,\nbeside `/health`, `/live` and `/ready`. `--metrics-names` chooses between the two "
      "tables, or shows\nboth. Behind a metric of ours, in brackets, stands the reference's that "
      "says the same.\n\n"
      "A metric has at most " +
      std::to_string(kSeriesMaxDefault) + " series (" + std::to_string(kPartitionSeriesMax) +
      " where a partition is a label); more become one series with `other` in\nevery label.\n\n"
      "## Ours (`--metrics-names millrace`, the default)\n";
  add_rows(page, MetricNames::kMillrace);
  page += "\n## The reference's (`--metrics-names reference`)\n";
  add_rows(page, MetricNames::kReference);
  add_buckets(page);
  return page;
}

}  // namespace millrace::telemetry
