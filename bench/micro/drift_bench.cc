// CPU time of drift: a value into a quantile sketch, and a record of 13 columns into the monitor
// (bins, sums and sketch of each; windows of 10,000 records, their comparison included). One line
// of JSON a figure.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/check.h"
#include "drift/monitor.h"
#include "drift/reference_builder.h"
#include "env/clock.h"
#include "env/random.h"

namespace millrace::drift {
namespace {

constexpr std::size_t kColumns = 13;
constexpr std::size_t kRecords = 100'000;
constexpr std::size_t kRounds = 9;

void print(const char* name, std::vector<double> ns) {
  std::sort(ns.begin(), ns.end());
  std::printf("{\"bench\":\"%s\",\"median_ns\":%.1f,\"min_ns\":%.1f}\n", name, ns[ns.size() / 2],
              ns.front());
}

void bench_sketch() {
  env::Random random(1);
  std::vector<double> values(kRecords * 10);
  for (double& value : values) value = random.normal();
  std::vector<double> ns;
  for (std::size_t round = 0; round < kRounds; ++round) {
    QuantileSketch sketch;
    const Nanoseconds before = env::thread_cpu_time();
    for (const double value : values) sketch.add(value);
    const Nanoseconds took = env::thread_cpu_time() - before;
    CHECK(sketch.count() == values.size());
    ns.push_back(static_cast<double>(took.count()) / static_cast<double>(values.size()));
  }
  print("drift_sketch_add", ns);
}

void bench_monitor() {
  env::Random random(1);
  std::vector<std::vector<double>> rows(kRecords, std::vector<double>(kColumns));
  for (auto& row : rows) {
    for (double& value : row) value = random.normal();
  }
  ReferenceOptions options;
  options.window = {WindowSpec::Kind::kRecords, Milliseconds(0), 10'000};
  std::vector<ColumnSpec> columns;
  for (std::size_t i = 0; i < kColumns; ++i) columns.push_back({"c" + std::to_string(i), "", {}});
  ReferenceBuilder builder(columns, options);
  for (const auto& row : rows) builder.add(Timestamp(0), row);
  auto built = builder.build();
  CHECK(built.has_value());
  const auto reference = std::make_shared<const Reference>(std::move(*built));
  std::vector<double> ns;
  for (std::size_t round = 0; round < kRounds; ++round) {
    DriftMonitor monitor(reference, {});
    const Nanoseconds before = env::thread_cpu_time();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      monitor.observe(
          {Timestamp(0), PartitionId(0), Offset(static_cast<std::int64_t>(i)), rows[i], 0});
    }
    const Nanoseconds took = env::thread_cpu_time() - before;
    CHECK(monitor.counts().windows == kRecords / 10'000);
    ns.push_back(static_cast<double>(took.count()) / static_cast<double>(rows.size()));
  }
  print("drift_observe_13_columns", ns);
}

}  // namespace
}  // namespace millrace::drift

int main() {
  millrace::drift::bench_sketch();
  millrace::drift::bench_monitor();
  return 0;
}
