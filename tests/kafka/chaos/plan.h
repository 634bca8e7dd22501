// What a run of chaos does, and what came of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kafka/chaos/oracle.h"

namespace millrace::kafka_testing {

enum class Fault {
  kNone,
  kKillAtPoints,   // every named crash point of producers and scorers, `times` each
  kKillAtRandom,   // any process
  kBounceClean,    // the brokers in turn: stopped in order and started
  kBounceHard,     // kill -9 instead
  kMembersReturn,  // one more scorer joins and leaves: the same member each time
  kMembersChange,  // the same with several others in turn
  kLatency,        // 200 ms each way
  kStall,          // answers of one broker are lost for seconds
  kCut,            // all connections of one broker are reset
  kRefuse,         // one broker cannot be reached for seconds
};

struct Phase {
  std::string name;
  Fault fault = Fault::kNone;
  int times = 0;
  int rows = 0;
  int rows_per_second = 1'000;  // of all producers
  // Besides the fault, some process is killed about this often; 0: none is.
  double seconds_between_kills = 0;
};

struct Plan {
  std::uint64_t seed = 1;
  std::string version = "3.9.1";
  int scorers = 2;
  int producers = 2;
  std::vector<Phase> phases;
  double phase_seconds_max = 600;

  int rows() const;
};

// Some 6,000 rows: enough of everything for a test.
Plan short_plan(std::uint64_t seed);
// All of it, `rows` in all.
Plan long_plan(std::uint64_t seed, int rows);

struct PhaseReport {
  std::string name;
  int faults = 0;  // how often it happened
  int kills = 0;   // of processes, by -9
  Verdict verdict;
  double longest_pause_s = 0;  // without an output while inputs waited
  double seconds = 0;
  bool finished = false;                // in time, with everything there
  std::vector<std::string> still_busy;  // producers that were not done then
};

struct Report {
  Plan plan;
  std::vector<PhaseReport> phases;
  PhaseReport all;                            // judged again at the end, everything read anew
  std::map<std::string, int> kills_at;        // of each named point
  std::vector<std::string> ended_themselves;  // processes that nobody had killed: exit code, why
  int crashes = 0;                            // of them: scorers, which never may, and by a signal

  bool good() const;
  // As tables of Markdown.
  std::string text() const;
};

}  // namespace millrace::kafka_testing
