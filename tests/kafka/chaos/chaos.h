// Kafka's transactions_test in terms of this program: producers and scorers that are killed over
// and over, on three brokers that come and go, while rows flow from two partitions to three.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "env/random.h"
#include "kafka/chaos/actor.h"
#include "kafka/chaos/broker_faults.h"
#include "kafka/chaos/committed_reader.h"
#include "kafka/chaos/plan.h"
#include "kafka/chaos/rows.h"
#include "kafka/cluster.h"
#include "kafka/proxy.h"
#include "kafka/telco.h"

namespace millrace::kafka_testing {

// One run, on a cluster of its own; takes minutes. What to kill and when follows from the seed;
// where a process stands at that moment does not. Not thread-safe.
class Chaos {
 public:
  explicit Chaos(Plan plan);
  ~Chaos();
  Chaos(const Chaos&) = delete;
  Chaos& operator=(const Chaos&) = delete;

  Report run();

 private:
  struct Orders;  // of one phase

  std::vector<std::string> command(std::vector<std::string> words) const;
  void begin_phase(const Phase& phase);
  PhaseReport run_phase(const Phase& phase);
  void queue_kills_at_points(int times);
  bool tend(Actor& actor, std::deque<Kill>& kills, PhaseReport& report);
  void tend_all(const Phase& phase, PhaseReport& report);
  void move_members(const Phase& phase);
  void kill_some(const Phase& phase);
  void watch(PhaseReport& report);
  std::size_t outputs_seen() const;
  bool everything_is_there() const;
  bool producers_are_done() const;
  void note_end(const Actor& actor, const std::string& where);
  Topics seen(const CommittedReader& reader) const;
  PhaseReport judge_all();
  void stop_scorers();

  Plan plan_;
  env::Random random_;
  std::unique_ptr<Cluster> cluster_;
  std::vector<std::unique_ptr<Proxy>> proxies_;
  std::unique_ptr<BrokerFaults> broker_faults_;
  std::unique_ptr<Telco> telco_;
  std::unique_ptr<Rows> rows_;
  std::unique_ptr<CommittedReader> reader_;
  std::unique_ptr<Orders> orders_;
  std::vector<std::unique_ptr<Actor>> scorers_;
  Report report_;
};

}  // namespace millrace::kafka_testing
