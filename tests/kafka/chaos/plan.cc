#include "kafka/chaos/plan.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace millrace::kafka_testing {
namespace {

constexpr std::size_t kListedMax = 20;

std::string line(const PhaseReport& phase) {
  const Verdict& v = phase.verdict;
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(),
                "| %s | %d | %d | %zu | %zu | %zu | %zu | %zu | %zu | %zu | %.1f s | %.0f s |\n",
                phase.name.c_str(), phase.faults, phase.kills, v.inputs, v.outputs, v.dead_letters,
                v.missing, v.twice, v.out_of_order, v.wrong, phase.longest_pause_s, phase.seconds);
  return text.data();
}

std::string list(const std::string& what, const std::vector<std::size_t>& rows) {
  if (rows.empty()) return "";
  std::string text = "* " + what + ":";
  for (std::size_t i = 0; i < std::min(rows.size(), kListedMax); ++i)
    text += " " + std::to_string(rows[i]);
  return text + (rows.size() > kListedMax ? " ...\n" : "\n");
}

// Where to look for what was broken.
std::string details(const PhaseReport& phase) {
  std::string text = list("rows that are not on the input topic", phase.verdict.not_on_input) +
                     list("rows without an output", phase.verdict.without_output);
  for (const std::string& command : phase.still_busy) text += "* still busy: " + command + "\n";
  if (!phase.finished) text += "* not finished in time\n";
  return text.empty() ? "" : "\n" + phase.name + ":\n\n" + text;
}

}  // namespace

int Plan::rows() const {
  int sum = 0;
  for (const Phase& phase : phases) sum += phase.rows;
  return sum;
}

Plan short_plan(std::uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  plan.phase_seconds_max = 150;
  plan.phases = {
      {"killed at points and at random", Fault::kKillAtPoints, 1, 3'000, 500, 2},
      {"a broker stopped in order, kills meanwhile", Fault::kBounceClean, 1, 1'500, 300, 2},
      {"a broker killed, kills meanwhile", Fault::kBounceHard, 1, 1'500, 300, 2},
      {"network: one broker's answers lost for a while", Fault::kStall, 3, 2'000, 100, 0},
  };
  return plan;
}

Plan long_plan(std::uint64_t seed, int rows) {
  Plan plan;
  plan.seed = seed;
  const auto share = [rows](int percent) { return rows / 100 * percent; };
  plan.phases = {
      {"no fault", Fault::kNone, 0, share(5), 2'000, 0},
      {"killed at every named point", Fault::kKillAtPoints, 20, share(30), 150, 0},
      {"killed at any time", Fault::kKillAtRandom, 0, share(15), 150, 1},
      {"brokers stopped in order in turn, kills meanwhile", Fault::kBounceClean, 6, share(10), 150,
       3},
      {"brokers killed in turn, kills meanwhile", Fault::kBounceHard, 6, share(10), 100, 3},
      {"a third scorer comes and goes", Fault::kMembersReturn, 30, share(6), 50, 0},
      {"other scorers come and go", Fault::kMembersChange, 30, share(6), 50, 0},
      {"network: 200 ms each way", Fault::kLatency, 3, share(4), 100, 0},
      {"network: one broker's answers lost for a while", Fault::kStall, 6, share(5), 80, 0},
      {"network: connections cut", Fault::kCut, 20, share(4), 100, 0},
      {"network: one broker out of reach for a while", Fault::kRefuse, 6, share(5), 100, 0},
  };
  return plan;
}

bool Report::good() const {
  const auto well = [](const PhaseReport& phase) { return phase.finished && phase.verdict.good(); };
  return crashes == 0 && phases.size() == plan.phases.size() &&
         std::all_of(phases.begin(), phases.end(), well) && well(all);
}

std::string Report::text() const {
  std::string text = "Apache Kafka " + plan.version + ", seed " + std::to_string(plan.seed) + ", " +
                     std::to_string(plan.rows()) + " rows\n\n";
  text +=
      "| phase | faults | kills -9 | inputs | outputs | dead letters | missing | twice | out of "
      "order | wrong | longest pause | time |\n";
  text += "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  for (const PhaseReport& phase : phases) text += line(phase);
  text += line(all);
  text += "\n| killed at | times |\n|---|--:|\n";
  for (const auto& [point, times] : kills_at)
    text += "| `" + point + "` | " + std::to_string(times) + " |\n";
  for (const PhaseReport& phase : phases) text += details(phase);
  text += details(all);
  if (!ended_themselves.empty()) text += "\nEnded though nobody killed them:\n\n";
  for (const std::string& end : ended_themselves) text += "* " + end + "\n";
  return text;
}

}  // namespace millrace::kafka_testing
