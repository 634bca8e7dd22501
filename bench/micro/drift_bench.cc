// CPU time of drift: a record of 13 and of 132 columns into the monitor (windows of 10,000 records,
// their comparison included), ns a column; and what a commit every 1,000 records adds to it: a
// checkpoint, and the state as bytes. One line of JSON a figure.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "drift/monitor.h"
#include "drift/reference_builder.h"
#include "env/clock.h"
#include "env/random.h"

namespace millrace::drift {
namespace {

constexpr std::size_t kRecords = 50'000;
constexpr std::size_t kCommit = 1'000;  // records
constexpr std::size_t kRounds = 9;

void print(const std::string& name, const char* unit, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::printf(
      "{\"bench\":\"drift\",\"figure\":\"%s\",\"unit\":\"%s\",\"median\":%.2f,\"min\":%.2f}\n",
      name.c_str(), unit, values[values.size() / 2], values.front());
}

enum class Commits { kNone, kKept, kSaved };

class Monitoring {
 public:
  explicit Monitoring(std::size_t columns) {
    env::Random random(1);
    rows_.assign(kRecords, std::vector<double>(columns));
    for (auto& row : rows_) {
      for (double& value : row) value = random.normal();
    }
    ReferenceOptions options;
    options.window = {WindowSpec::Kind::kRecords, Milliseconds(0), kWindow};
    std::vector<ColumnSpec> specs;
    for (std::size_t i = 0; i < columns; ++i) specs.push_back({"c" + std::to_string(i), "", {}});
    ReferenceBuilder builder(specs, options);
    for (const auto& row : rows_) builder.add(Timestamp(0), row);
    auto built = builder.build();
    CHECK(built.has_value());
    reference_ = std::make_shared<const Reference>(std::move(*built));
  }

  // CPU ns a record.
  double run(Commits commits) {
    DriftMonitor monitor(reference_, {});
    DriftMonitor kept = monitor;
    std::size_t saved = 0;
    const Nanoseconds before = env::thread_cpu_time();
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      monitor.observe(
          {Timestamp(0), PartitionId(0), Offset(static_cast<std::int64_t>(i)), rows_[i], 0});
      if (commits == Commits::kNone || (i + 1) % kCommit != 0) continue;
      monitor.settle();
      kept = monitor;
      if (commits == Commits::kSaved) saved += monitor.save().size();
    }
    const Nanoseconds took = env::thread_cpu_time() - before;
    CHECK(monitor.counts().windows == kRecords / kWindow);
    CHECK((saved > 0) == (commits == Commits::kSaved));
    return static_cast<double>(took.count()) / static_cast<double>(rows_.size());
  }

 private:
  static constexpr std::size_t kWindow = 10'000;
  std::vector<std::vector<double>> rows_;
  std::shared_ptr<const Reference> reference_;
};

void bench_monitor(std::size_t columns) {
  Monitoring monitoring(columns);
  std::vector<double> observed;
  std::vector<double> kept;
  std::vector<double> saved;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const double plain = monitoring.run(Commits::kNone);
    observed.push_back(plain / static_cast<double>(columns));
    kept.push_back((monitoring.run(Commits::kKept) - plain) * kCommit / 1e3);
    saved.push_back((monitoring.run(Commits::kSaved) - plain) * kCommit / 1e3);
  }
  const std::string of = "_of_" + std::to_string(columns) + "_columns";
  print("observe_one" + of, "ns a record and column", observed);
  print("checkpoint" + of, "us a commit", kept);
  print("checkpoint_and_save" + of, "us a commit", saved);
}

}  // namespace
}  // namespace millrace::drift

int main() {
  millrace::drift::bench_monitor(13);
  millrace::drift::bench_monitor(132);
  return 0;
}
