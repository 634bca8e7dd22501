#include "kafka/chaos/broker_faults.h"

#include "integration/program.h"

namespace millrace::kafka_testing {

namespace {

constexpr std::chrono::milliseconds kLatency{200};
constexpr std::chrono::milliseconds kNoLatency{0};

}  // namespace

bool BrokerFaults::inflicts(Fault fault) {
  switch (fault) {
    case Fault::kBounceClean:
    case Fault::kBounceHard:
    case Fault::kLatency:
    case Fault::kStall:
    case Fault::kCut:
    case Fault::kRefuse:
      return true;
    default:
      return false;
  }
}

void BrokerFaults::wait(double seconds_min, double seconds_max) {
  const double seconds = seconds_min + (seconds_max - seconds_min) * random_.uniform();
  integration::eventually([this] { return given_up_.load(); }, seconds);
}

int BrokerFaults::inflict(Fault fault, int times) {
  given_up_ = false;
  int done = 0;
  for (; done < times; ++done) {
    wait(0.5, 2.0);
    if (given_up_) break;
    once(fault);
    ++turn_;
  }
  return done;
}

void BrokerFaults::once(Fault fault) {
  const int at = turn_ % cluster_->nodes();
  Proxy& network = *proxies_->at(static_cast<std::size_t>(at));
  switch (fault) {
    case Fault::kBounceClean:
      cluster_->stop(at + 1);
      wait(0.5, 2.0);
      cluster_->start(at + 1);
      break;
    case Fault::kBounceHard:
      cluster_->stop_hard(at + 1);
      wait(0.5, 2.0);
      cluster_->start(at + 1);
      break;
    case Fault::kLatency:
      for (const auto& proxy : *proxies_) proxy->delay(kLatency);
      wait(8, 12);
      for (const auto& proxy : *proxies_) proxy->delay(kNoLatency);
      break;
    case Fault::kStall:
      network.stall(Direction::kToClient);
      if (turn_ % 2 == 1) network.stall(Direction::kToServer);
      wait(2, 8);
      network.cut();  // what waited never arrives
      network.heal();
      break;
    case Fault::kCut:
      network.cut();
      break;
    case Fault::kRefuse:
      network.refuse();
      wait(2, 6);
      network.heal();
      break;
    default:
      break;
  }
}

}  // namespace millrace::kafka_testing
