// Every metric of the program as data: name, kind, help, labels, buckets. The registry
// (telemetry/metrics.h) is made from this table, and so is docs/reference/metrics.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace millrace::telemetry {

enum class MetricKind : std::uint8_t { kCounter, kGauge, kHistogram, kSummary };

// Whose names: ours, or those of the Python systems that millrace replaces, for dashboards and
// alerts that exist already.
enum class MetricNames : std::uint8_t { kMillrace, kReference };

// In the order of the page. Ours first.
enum class Metric : std::uint8_t {
  kBuildInfo,
  kRunInfo,
  kReady,
  kLogReachable,
  kModelLoaded,
  kModelInfo,
  kMessagesConsumed,
  kMessagesPredicted,
  kMessagesDeadLettered,
  kMessagesSkipped,
  kCommits,
  kCommitsAborted,
  kRebalances,
  kScoringLatency,
  kCommitDuration,
  kLastCommit,
  kStageCpu,
  kConsumerLag,
  kProbability,
  kForecasts,
  kWarmingUp,
  kForecastsCompared,
  kForecastsCovered,
  kForecastError,
  kForecastMae,
  kForecastBias,
  kForecastCoverage,
  kForecastCoverageAim,
  kForecastTime,
  kStateKeys,
  kStateBytes,
  kStateRecords,
  kStateWritten,
  kDriftStatistic,
  kDriftAlert,
  kDriftAlerts,
  kDriftWindows,
  kProduceRowsSent,
  kProduceBadRows,
  kProduceBytesSent,
  kProduceCommitDuration,
  kProduceRate,
  kReplayed,
  kSinkRows,
  kSinkFiles,
  kSinkBytes,
  kSinkCommitDuration,
  kSinkAborted,
  kClientRequests,
  kClientRequestTimeouts,
  kClientSentBytes,
  kClientReceivedBytes,
  kClientQueued,
  kClientRoundTrip,
  kHttpRequests,
  kHttpRequestDuration,
  kHttpConnections,
  kHttpConnectionsRefused,
  kProcessCpu,
  kProcessResident,
  kProcessOpenFds,
  kProcessMaxFds,
  kProcessThreads,
  kProcessStart,
  kReferenceProcessed,
  kReferenceFailed,
  kReferenceLatency,
  kReferenceLag,
  kReferenceModelLoaded,
  kReferenceBrokerConnected,
  kReferenceInfo,
  kReferenceDrift,
  kReferenceReadings,
  kReferenceReadingsFailed,
  kReferencePredictions,
  kReferencePredictionErrors,
  kReferencePredictionLatency,
};

// Sets of label values (series) a metric may have; one more becomes "other" in every label.
inline constexpr std::size_t kSeriesMaxDefault = 128;

struct MetricRow {
  Metric metric;
  std::string_view name;
  MetricKind kind;
  std::string_view help;                     // one sentence, without a full stop
  std::span<const std::string_view> labels;  // names
  std::span<const double> buckets;           // upper bounds of a histogram, rising
  std::string_view commands;                 // which set it
  std::string_view reference_name;  // the reference's metric that says the same, "" where none does
  MetricNames names = MetricNames::kMillrace;
  std::size_t series_max = kSeriesMaxDefault;
};

// Row i describes Metric(i).
std::span<const MetricRow> metric_table();
const MetricRow& row_of(Metric metric);
std::string_view to_string(MetricKind kind);

// docs/reference/metrics.md, as a whole.
std::string metrics_reference();

}  // namespace millrace::telemetry
