// What happens to the brokers and the network of a run of chaos, one after the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "env/random.h"
#include "kafka/chaos/plan.h"
#include "kafka/cluster.h"
#include "kafka/proxy.h"

namespace millrace::kafka_testing {

// inflict() may run on a thread of its own, while nobody else uses the cluster; give_up() may be
// called from another one.
class BrokerFaults {
 public:
  BrokerFaults(Cluster& cluster, std::vector<std::unique_ptr<Proxy>>& proxies, std::uint64_t seed)
      : cluster_(&cluster), proxies_(&proxies), random_(seed) {}

  static bool inflicts(Fault fault);
  // Does it `times` times, each broker in its turn, and leaves all well; how often it did.
  int inflict(Fault fault, int times);
  // No further ones: inflict() returns when the present one is over.
  void give_up() { given_up_ = true; }

 private:
  void once(Fault fault);
  void wait(double seconds_min, double seconds_max);

  Cluster* cluster_;
  std::vector<std::unique_ptr<Proxy>>* proxies_;
  env::Random random_;
  std::atomic<bool> given_up_{false};
  int turn_ = 0;
};

}  // namespace millrace::kafka_testing
