// Scoring on Kafka beside a librdkafka pass-through with the same guarantee: read, check the CRC,
// write as many bytes as a prediction has to another topic, commit both in one transaction every
// 100 ms; no parsing, no model. The pairs run in turns, after a correctness gate. One line of JSON
// a figure.
//
//   kafka_job_bench BINARY BOOTSTRAP [MESSAGES=1000000] [PAIRS=5]      (works in $TMPDIR)
#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "kafka_run.h"

namespace millrace {
namespace {

// Commits are due by time alone, as in the pass-through.
constexpr const char* kEvery100Ms = "commit.records=1000000";

// Scores all messages as a new group onto a new topic.
Cost score(const Setting& setting, const std::string& name, const std::string& delivery) {
  const env::Path out = setting.home / "score.json";
  const Cost cost =
      run_program(setting,
                  {"score", "telco-churn", "--mode", "batch", "--json", "--no-report", "--set",
                   "input.topic=" + setting.topic("in"), "--set",
                   "output.topic=" + setting.topic(name), "--set", "group=" + setting.prefix + name,
                   "--set", "delivery=" + delivery, "--set", kEvery100Ms},
                  out);
  const json::Value result = last_line(out);
  CHECK(result["consumed"] == setting.messages && result["predicted"] == setting.messages);
  return cost;
}

void bench(const Setting& setting) {
  const env::Path out = setting.home / "out.json";
  const auto n = static_cast<double>(setting.messages);
  train(setting);
  const Cost produced =
      run_program(setting,
                  {"produce", "telco-churn", "--count", std::to_string(setting.messages), "--json",
                   "--set", "input.topic=" + setting.topic("in")},
                  out);
  CHECK(last_line(out)["sent"] == setting.messages);
  print("kafka_produce_cpu_ns_per_row", produced.cpu_s * 1e9 / n, "ns");
  run_program(
      setting,
      {"topics", "create", "telco-churn", "--set", "output.topic=" + setting.topic("through")},
      out);
  std::vector<double> ours;
  std::vector<double> through;
  std::vector<double> ratios;
  std::vector<double> guarantee;
  double peak = 0;
  for (int i = 0; i < setting.pairs; ++i) {
    const std::string turn = std::to_string(i);
    const Cost a = score(setting, "exactly" + turn, "exactly_once");
    const Cost b = Child([&] {
                     pass_through(setting, setting.topic("in"), setting.topic("through"),
                                  setting.prefix + "through" + turn);
                   }).wait();
    const Cost c = score(setting, "atleast" + turn, "at_least_once");
    ours.push_back(a.cpu_s * 1e9 / n);
    through.push_back(b.cpu_s * 1e9 / n);
    ratios.push_back(a.cpu_s / b.cpu_s);
    guarantee.push_back(c.wall_s / a.wall_s);
    peak = std::max(peak, a.peak_mb);
    print("kafka_score_messages_per_s", n / a.wall_s, "1/s");
  }
  print("kafka_score_cpu_ns_per_message", median(ours), "ns");
  print("kafka_pass_through_cpu_ns_per_message", median(through), "ns");
  print("kafka_score_to_pass_through_cpu", median(ratios), "ratio");
  print("kafka_score_to_pass_through_cpu_min", *std::min_element(ratios.begin(), ratios.end()),
        "ratio");
  print("kafka_score_to_pass_through_cpu_max", *std::max_element(ratios.begin(), ratios.end()),
        "ratio");
  print("kafka_exactly_once_to_at_least_once_rate", median(guarantee), "ratio");
  print("kafka_score_peak_mb", peak, "MB");
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  auto folder = millrace::env::TemporaryFolder::make("millrace_bench");
  CHECK(folder.has_value());
  millrace::bench(millrace::setting_of(argc, argv, folder->path()));
  return 0;
}
