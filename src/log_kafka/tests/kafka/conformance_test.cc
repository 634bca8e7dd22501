// The log interface's conformance suite on real brokers.
#include "log/testing/conformance.h"

#include <memory>
#include <string>

#include "env/clock.h"
#include "env/file.h"
#include "env/random.h"
#include "kafka/cluster.h"
#include "log_kafka/kafka_log.h"
#include "telemetry/logger.h"

namespace millrace::log::testing {
namespace {

// Brokers are shared by all tests: names carry a prefix of each test's own.
class KafkaUnderTest final : public LogUnderTest {
 public:
  KafkaUnderTest()
      : cluster_(kafka_testing::Cluster::shared()),
        home_(*env::TemporaryFolder::make("kafka_home")),
        prefix_("t" + env::random_hex(6) + ".") {
    open();
  }
  Log& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    open();
  }
  std::string prefix() const override { return prefix_; }
  Milliseconds session_timeout() const override { return Milliseconds(3'000); }

 private:
  void open() {
    auto opened = log_kafka::open_kafka_log(
        {.brokers = cluster_->bootstrap(), .properties = {}, .home = home_.path()},
        env::real_clock(), logger_);
    if (!opened) ADD_FAILURE() << opened.error().message();
    log_ = std::move(*opened);
  }

  std::unique_ptr<kafka_testing::Cluster> cluster_;
  env::TemporaryFolder home_;
  std::string prefix_;
  telemetry::Logger logger_{telemetry::Level::kWarning};
  std::unique_ptr<Log> log_;
};

const LogFactory kKafka{"Kafka", [] { return std::make_unique<KafkaUnderTest>(); }};

INSTANTIATE_TEST_SUITE_P(Log, LogConformance, ::testing::Values(kKafka), name_of_log);

}  // namespace
}  // namespace millrace::log::testing
