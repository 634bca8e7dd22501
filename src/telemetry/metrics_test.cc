#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <locale>
#include <set>
#include <vector>

namespace millrace::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

MetricRegistry ours() { return MetricRegistry({MetricNames::kMillrace}); }

bool is_snake_case(std::string_view name) {
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

TEST(MetricTable, NamesFollowPrometheus) {
  std::set<std::string_view> names;
  for (const MetricRow& row : metric_table()) {
    EXPECT_TRUE(is_snake_case(row.name)) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.kind == MetricKind::kCounter, row.name.ends_with("_total")) << row.name;
    EXPECT_EQ(row.kind == MetricKind::kHistogram, !row.buckets.empty()) << row.name;
    EXPECT_TRUE(std::is_sorted(row.buckets.begin(), row.buckets.end())) << row.name;
    EXPECT_FALSE(row.help.empty() || row.help.ends_with('.')) << row.name;
    for (const std::string_view label : row.labels) {
      EXPECT_TRUE(is_snake_case(label)) << row.name;
      EXPECT_NE(label, "le") << row.name;
    }
    if (row.names == MetricNames::kMillrace) {
      EXPECT_TRUE(row.name.starts_with("millrace_") || row.name.starts_with("process_"))
          << row.name;
    }
  }
}

TEST(MetricTable, TheReferencesHaveTheirMetrics) {
  std::set<std::string_view> names;
  for (const MetricRow& row : metric_table()) {
    if (row.names == MetricNames::kReference) names.insert(row.name);
  }
  EXPECT_THAT(
      names,
      ::testing::UnorderedElementsAre(
          "kafka_messages_processed_total", "kafka_messages_failed_total",
          "kafka_processing_latency_seconds", "kafka_consumer_lag", "kafka_consumer_model_loaded",
          "kafka_consumer_broker_connected", "kafka_consumer_info", "feature_drift_alert",
          "air_quality_messages_processed_total", "air_quality_messages_failed_total",
          "predictions_total", "prediction_errors_total", "prediction_latency_seconds"));
}

TEST(MetricTable, PageNamesEveryMetric) {
  const std::string page = metrics_reference();
  for (const MetricRow& row : metric_table()) {
    EXPECT_THAT(page, HasSubstr("| `" + std::string(row.name) + "` |"));
  }
}

TEST(MetricRegistry, CountersGaugesAndHistogramsAreTold) {
  MetricRegistry metrics = ours();
  metrics.counter(Metric::kMessagesConsumed, {"in"}).add(3);
  metrics.gauge(Metric::kLogReachable).set(1);
  metrics.histogram(Metric::kCommitDuration).observe(0.003);
  metrics.histogram(Metric::kCommitDuration).observe(100, 2);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("# TYPE millrace_messages_consumed_total counter\n"
                              "millrace_messages_consumed_total{topic=\"in\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE millrace_log_reachable gauge\nmillrace_log_reachable 1\n"));
  EXPECT_THAT(text, HasSubstr("millrace_commit_duration_seconds_bucket{le=\"0.002\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("millrace_commit_duration_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("millrace_commit_duration_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("millrace_commit_duration_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("millrace_commit_duration_seconds_sum 200.003"));
}

TEST(MetricRegistry, AValueOnABoundBelongsBelowIt) {
  MetricRegistry metrics = ours();
  metrics.histogram(Metric::kCommitDuration).observe(0.005);
  EXPECT_THAT(metrics.text(), HasSubstr("_bucket{le=\"0.005\"} 1\n"));
}

TEST(MetricRegistry, CountsByBucketAreAdded) {
  MetricRegistry metrics = ours();
  const std::vector<std::uint64_t> counts = {1, 0, 2};
  metrics.histogram(Metric::kProbability).observe_counts(counts, 0.3);
  metrics.histogram(Metric::kProbability).observe_counts(counts, 0.3);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"0.1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ratio_count 6\n"));
}

TEST(MetricRegistry, ASummaryHasCountAndSum) {
  MetricRegistry metrics({MetricNames::kReference});
  EXPECT_THAT(metrics.text(), Not(HasSubstr("prediction_latency_seconds")));
  metrics.summary(Metric::kReferencePredictionLatency).observe(0.25, 2);
  metrics.summary(Metric::kReferencePredictionLatency).observe(1, 1);
  EXPECT_THAT(metrics.text(), HasSubstr("# TYPE prediction_latency_seconds summary\n"
                                        "prediction_latency_seconds_count 3\n"
                                        "prediction_latency_seconds_sum 1.5\n"));
  MetricRegistry others = ours();
  others.summary(Metric::kReferencePredictionLatency).observe(1, 1);
  EXPECT_THAT(others.text(), Not(HasSubstr("prediction_latency_seconds")));
}

TEST(MetricRegistry, RaisingACounterNeverLowersIt) {
  MetricRegistry metrics = ours();
  const Counter counter = metrics.counter(Metric::kCommits);
  counter.raise_to(5);
  counter.raise_to(3);
  EXPECT_EQ(counter.value(), 5);
}

TEST(MetricRegistry, TheSameLabelsAreTheSameSeries) {
  MetricRegistry metrics = ours();
  metrics.counter(Metric::kMessagesConsumed, {"in"}).add();
  metrics.counter(Metric::kMessagesConsumed, {"in"}).add();
  EXPECT_EQ(metrics.counter(Metric::kMessagesConsumed, {"in"}).value(), 2);
}

TEST(MetricRegistry, SeriesAboveTheLimitBecomeOther) {
  MetricRegistry metrics = ours();
  constexpr int kMany = 10'000;
  for (int i = 0; i < kMany; ++i) {
    metrics.counter(Metric::kMessagesDeadLettered, {"in", "code" + std::to_string(i)}).add();
  }
  const std::string text = metrics.text();
  std::size_t series = 0;
  std::size_t at = 0;
  while ((at = text.find("\nmillrace_messages_dead_lettered_total{", at)) != std::string::npos) {
    ++series;
    ++at;
  }
  EXPECT_EQ(series, kSeriesMaxDefault);
  EXPECT_EQ(metrics.counter(Metric::kMessagesDeadLettered, {"other", "other"}).value(),
            kMany - static_cast<int>(kSeriesMaxDefault) + 1);
}

TEST(MetricRegistry, NamesThatAreNotShownDoNothing) {
  MetricRegistry metrics({MetricNames::kReference});
  metrics.counter(Metric::kCommits).add();
  metrics.counter(Metric::kReferenceFailed, {"parse_error", "in"}).add();
  EXPECT_THAT(metrics.text(), Not(HasSubstr("millrace_")));
  EXPECT_THAT(metrics.text(),
              HasSubstr("kafka_messages_failed_total{error_type=\"parse_error\",topic=\"in\"} 1"));
}

TEST(MetricRegistry, RemovedSeriesIsNoLongerTold) {
  MetricRegistry metrics = ours();
  metrics.gauge(Metric::kConsumerLag, {"in", "0"}).set(7);
  metrics.gauge(Metric::kConsumerLag, {"in", "1"}).set(8);
  metrics.remove(Metric::kConsumerLag, {"in", "0"});
  EXPECT_THAT(metrics.text(), Not(HasSubstr("partition=\"0\"")));
  EXPECT_THAT(metrics.text(), HasSubstr("partition=\"1\",topic=\"in\"} 8"));
}

TEST(MetricRegistry, LabelValuesAreEscaped) {
  MetricRegistry metrics = ours();
  metrics.counter(Metric::kMessagesConsumed, {"a\"b\\c\nd"}).add();
  EXPECT_THAT(metrics.text(), HasSubstr(R"({topic="a\"b\\c\nd"} 1)"));
}

TEST(MetricRegistry, NumbersHaveAPointInEveryLocale) {
  class Comma final : public std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale(), new Comma));
  MetricRegistry metrics = ours();
  metrics.gauge(Metric::kProduceRate, {"in"}).set(1.5);
  EXPECT_THAT(metrics.text(), HasSubstr("} 1.5\n"));
  std::locale::global(before);
}

TEST(MetricRegistry, AHandleOfNoRegistryDoesNothing) {
  Counter().add();
  Gauge().set(1);
  Histogram().observe(1);
  Summary().observe(1, 1);
  EXPECT_EQ(Counter().value(), 0);
}

TEST(ProcessMetrics, TellWhatTheProcessUses) {
  MetricRegistry metrics = ours();
  watch_process(metrics, 1.7e9);
  EXPECT_THAT(metrics.text(), HasSubstr("process_start_time_seconds 1700000000"));
  EXPECT_GT(metrics.counter(Metric::kProcessCpu).value(), 0);
  EXPECT_GT(metrics.gauge(Metric::kProcessResident).value(), 1e6);
  EXPECT_GT(metrics.gauge(Metric::kProcessOpenFds).value(), 2);
  EXPECT_GT(metrics.gauge(Metric::kProcessMaxFds).value(), 2);
  EXPECT_GE(metrics.gauge(Metric::kProcessThreads).value(), 1);
}

}  // namespace
}  // namespace millrace::telemetry
