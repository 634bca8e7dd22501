// Counting, making series and telling them at the same time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "telemetry/metrics.h"

namespace millrace::telemetry {
namespace {

TEST(MetricThreads, CountsOfManyThreadsAddUpWhileTheyAreTold) {
  MetricRegistry metrics({MetricNames::kMillrace});
  watch_process(metrics, 0);
  constexpr int kThreads = 4;
  constexpr int kTimes = 1000;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&metrics, t] {
      const Histogram commits = metrics.histogram(Metric::kCommitDuration);
      const std::string partition = std::to_string(t);
      for (int i = 0; i < kTimes; ++i) {
        metrics.counter(Metric::kCommits).add();
        commits.observe(0.01, 3);
        metrics.gauge(Metric::kConsumerLag, {"in", partition}).set(i);
        if (i % 100 == 0) metrics.remove(Metric::kConsumerLag, {"in", partition});
      }
    });
  }
  constexpr int kTellings = 20;
  for (int i = 0; i < kTellings; ++i) {
    EXPECT_THAT(metrics.text(), ::testing::HasSubstr("process_threads"));
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.counter(Metric::kCommits).value(), kThreads * kTimes);
  EXPECT_THAT(metrics.text(), ::testing::HasSubstr("millrace_commit_duration_seconds_count 12000"));
}

}  // namespace
}  // namespace millrace::telemetry
