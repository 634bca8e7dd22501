#include "log_kafka/kafka_log.h"

#include <utility>

#include "log_kafka/internal/admin.h"
#include "log_kafka/internal/client.h"
#include "log_kafka/internal/consumer.h"
#include "log_kafka/internal/producer.h"
#include "log_kafka/internal/properties.h"
#include "log_kafka/internal/reader.h"

namespace millrace::log_kafka {
namespace {

constexpr std::string_view kScheme = "kafka://";

class KafkaLog final : public log::Log {
 public:
  explicit KafkaLog(std::unique_ptr<internal::Client> client)
      : client_(std::move(client)), admin_(*client_) {}

  std::string url() const override { return std::string(kScheme) + client_->options().brokers; }
  log::Capabilities capabilities() const override {
    return {.transactions = true, .brokers = true, .dense_offsets = false, .embedded = false};
  }
  Status reachable() const override { return client_->health().status(); }
  std::vector<log::ClientStatistics> statistics() const override {
    return client_->statistics().all();
  }
  log::Admin& admin() override { return admin_; }
  Result<std::unique_ptr<log::Consumer>> open_consumer(
      const log::ConsumerOptions& options) override {
    return internal::KafkaConsumer::open(*client_, options);
  }
  Result<std::unique_ptr<log::Reader>> open_reader(const log::ReaderOptions& options) override {
    return internal::KafkaReader::open(*client_, options);
  }
  Result<std::unique_ptr<log::Producer>> open_producer(
      const log::ProducerOptions& options) override {
    return internal::KafkaProducer::open(*client_, options);
  }

 private:
  std::unique_ptr<internal::Client> client_;
  internal::KafkaAdmin admin_;
};

}  // namespace

Result<std::string> brokers_of_url(std::string_view url, std::string_view default_brokers) {
  if (!url.starts_with(kScheme)) {
    return Error(ErrorCode::kUsage,
                 "'" + std::string(url) + "' is no Kafka log: use kafka://HOST:PORT[,HOST:PORT]");
  }
  url.remove_prefix(kScheme.size());
  while (url.ends_with('/')) url.remove_suffix(1);
  if (url.empty()) url = default_brokers;
  if (url.empty()) {
    return Error(ErrorCode::kUsage,
                 "kafka:// names no broker: use kafka://HOST:PORT, or set KAFKA_BOOTSTRAP_SERVERS");
  }
  if (url.find_first_of("/ @") != std::string_view::npos) {
    return Error(ErrorCode::kUsage, "'" + std::string(url) +
                                        "' are no brokers: use HOST:PORT[,HOST:PORT]; users and "
                                        "passwords are properties (-X sasl.username=...)");
  }
  return std::string(url);
}

Result<std::vector<Property>> explain_properties(const KafkaLogOptions& options) {
  MILLRACE_ASSIGN(std::vector<Property> properties, internal::resolve(options));
  for (Property& property : properties) {
    if (internal::is_secret(property.name)) property.value = "***";
  }
  return properties;
}

bool is_secret(std::string_view property) { return internal::is_secret(property); }

Result<std::unique_ptr<log::Log>> open_kafka_log(const KafkaLogOptions& options, env::Clock& clock,
                                                 telemetry::Logger& logger) {
  MILLRACE_ASSIGN(auto client, internal::Client::open(options, clock, logger));
  return std::unique_ptr<log::Log>(std::make_unique<KafkaLog>(std::move(client)));
}

}  // namespace millrace::log_kafka
