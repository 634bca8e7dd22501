// Apache Kafka behind the log interface, through librdkafka's C API.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/clock.h"
#include "env/file.h"
#include "log/log.h"
#include "telemetry/logger.h"

namespace millrace::log_kafka {

// A property of the client library, or a reference system's name for one (security_protocol,
// ssl_cafile ...).
struct Property {
  std::string name;
  // "${file:PATH}" stands for the content of that file without its last line break.
  std::string value;
  std::string origin;  // for people: "-X", "pipeline file", "KAFKA_SECURITY_PROTOCOL", "default"
};

struct KafkaLogOptions {
  std::string brokers;               // "host:port,host:port"
  std::vector<Property> properties;  // later ones win
  // Where the identity of this place and the locks of its members lie; created when missing.
  env::Path home;
};

// "host:port,..." of "kafka://host:port,...". A URL without a host takes `default_brokers`
// (KAFKA_BOOTSTRAP_SERVERS). Errors: kUsage for what is no such URL, or names no broker.
Result<std::string> brokers_of_url(std::string_view url, std::string_view default_brokers);

// The properties in force under the library's names, secrets masked, sorted by name: what is given,
// and what millrace sets itself. Errors: kConfig for an unknown property (naming the nearest), a
// value that is none, one that millrace must set itself; kNoInput, kPermission for a "${file:...}".
Result<std::vector<Property>> explain_properties(const KafkaLogOptions& options);

// Whether the value of a property (of the library, or a reference name) must not be shown.
bool is_secret(std::string_view property);

// Durability: what a commit acknowledged is on as many brokers as the topic's settings ask for
// (acks=all). Ordering: offsets of a partition follow the order of appends of one commit, and of
// commits of one writer.
// Waits at most `kReachMax` for a broker. `clock` and `logger` must outlive the log.
// Errors: kUnavailable (no broker answers), kPermission (log-in or certificate refused), and those
// of explain_properties().
inline constexpr Milliseconds kReachMax{8'000};
Result<std::unique_ptr<log::Log>> open_kafka_log(const KafkaLogOptions& options, env::Clock& clock,
                                                 telemetry::Logger& logger);

}  // namespace millrace::log_kafka
