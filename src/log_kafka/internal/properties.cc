#include "log_kafka/internal/properties.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/text.h"
#include "env/file.h"

namespace millrace::log_kafka::internal {
namespace {

constexpr std::uint64_t kSecretFileMax = 64 << 10;

// The reference systems' names, and the library's.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kAliases{{
    {"bootstrap_servers", "bootstrap.servers"},
    {"security_protocol", "security.protocol"},
    {"sasl_mechanism", "sasl.mechanisms"},
    {"sasl_username", "sasl.username"},
    {"sasl_password", "sasl.password"},
    {"ssl_cafile", "ssl.ca.location"},
    {"ssl_certfile", "ssl.certificate.location"},
    {"ssl_keyfile", "ssl.key.location"},
    {"ssl_password", "ssl.key.password"},
    // The library's own second names, which it does not list.
    {"sasl.mechanism", "sasl.mechanisms"},
    {"compression.type", "compression.codec"},
    {"delivery.timeout.ms", "message.timeout.ms"},
    {"max.in.flight", "max.in.flight.requests.per.connection"},
    {"queue.buffering.max.ms", "linger.ms"},
    {"retries", "message.send.max.retries"},
}};

struct Default {
  std::string_view name;
  std::string_view value;
};
// What differs from the library's own defaults, and why:
constexpr std::array<Default, 16> kDefaults{{
    {"client.id", "millrace"},
    {"check.crcs", "true"},                // a flipped bit must not be scored
    {"socket.nagle.disable", "true"},      // small requests go out at once
    {"statistics.interval.ms", "5000"},    // for metrics
    {"socket.keepalive.enable", "true"},   // a peer that is gone is noticed
    {"socket.timeout.ms", "9000"},         // a broker that answers nothing is given up
    {"reconnect.backoff.ms", "100"},       //
    {"reconnect.backoff.max.ms", "1000"},  // a broker that is back is found within a second
    {"topic.metadata.refresh.interval.ms", "10000"},  // added partitions are taken up
    {"topic.metadata.propagation.max.ms", "3000"},    // a deleted topic is said within seconds
    {"queued.min.messages", "100000"},                // the bytes are what counts
    {"queued.max.messages.kbytes", "16384"},      // bytes fetched ahead, shared by all partitions
    {"fetch.wait.max.ms", "20"},                  // for news of an idle partition; others wait too
    {"linger.ms", "5"},                           // records of one moment are sent together
    {"queue.buffering.max.messages", "1000000"},  //
    {"queue.buffering.max.kbytes", "131072"},     // bytes appended and not yet acknowledged
}};

// Set by millrace itself: its guarantees rest on them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kOurs{{
    {"group.id", "--consumer-group"},
    {"group.instance.id", "the group, this machine and --home"},
    {"transactional.id", "the group, this machine and --home"},
    {"enable.auto.commit", "positions are committed together with the outputs"},
    {"enable.auto.offset.store", "positions are committed together with the outputs"},
    {"enable.idempotence", "the 'delivery' of the pipeline"},
    {"enable.partition.eof", "the end of a partition must be told"},
    {"isolation.level", "aborted records must not be seen"},
    {"auto.offset.reset", "--from"},
    {"partition.assignment.strategy", "equal partition numbers go to one member"},
    {"acks", "an acknowledged record must survive"},
    {"request.required.acks", "an acknowledged record must survive"},
    {"partitioner", "equal keys land where Java's clients put them"},
}};

std::string library_name(const std::string& name) {
  for (const auto& [alias, target] : kAliases) {
    if (name == alias) return std::string(target);
  }
  return name;
}

Error at(const Property& property, const std::string& message) {
  return {ErrorCode::kConfig,
          "Kafka property '" + property.name + "' (" + property.origin + ") " + message};
}

// Names to suggest; the library does not list those that have no default.
std::vector<std::string> known_names() {
  std::vector<std::string> names;
  const ConfPtr conf(rd_kafka_conf_new());
  std::size_t count = 0;
  const char** entries = rd_kafka_conf_dump(conf.get(), &count);
  for (std::size_t i = 0; i + 1 < count; i += 2) names.emplace_back(entries[i]);
  rd_kafka_conf_dump_free(entries, count);
  const TopicConfPtr topic_conf(rd_kafka_topic_conf_new());
  entries = rd_kafka_topic_conf_dump(topic_conf.get(), &count);
  for (std::size_t i = 0; i + 1 < count; i += 2) names.emplace_back(entries[i]);
  rd_kafka_conf_dump_free(entries, count);
  for (const auto& [alias, target] : kAliases) {
    names.emplace_back(alias);
    names.emplace_back(target);
  }
  return names;
}

bool is_known(const std::string& name) {
  if (library_name(name) != name) return true;
  const ConfPtr trial(rd_kafka_conf_new());
  return rd_kafka_conf_set(trial.get(), name.c_str(), "", nullptr, 0) != RD_KAFKA_CONF_UNKNOWN;
}

Result<std::string> value_of(const Property& property) {
  constexpr std::string_view kOpen = "${file:";
  const std::string& value = property.value;
  if (!value.starts_with(kOpen) || !value.ends_with('}')) return value;
  const env::Path file = value.substr(kOpen.size(), value.size() - kOpen.size() - 1);
  auto content = env::read_file(file, kSecretFileMax);
  if (!content) return content.error().with_context("Kafka property '" + property.name + "'");
  while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
  return *content;
}

}  // namespace

bool is_secret(std::string_view name) {
  return name.find("password") != std::string_view::npos ||
         name.find("secret") != std::string_view::npos ||
         name.find(".pem") != std::string_view::npos || name == "sasl.oauthbearer.config";
}

Status set(rd_kafka_conf_t& conf, const std::string& name, const std::string& value) {
  std::array<char, 512> reason{};
  const auto result =
      rd_kafka_conf_set(&conf, name.c_str(), value.c_str(), reason.data(), reason.size());
  if (result == RD_KAFKA_CONF_OK) return {};
  // The library's words repeat the value; a secret must not be seen.
  const std::string why =
      is_secret(name) ? "is not accepted" : "is not accepted: " + printable(reason.data());
  return Error(ErrorCode::kConfig, "Kafka property '" + name + "' " + why);
}

Result<std::vector<Property>> resolve(const KafkaLogOptions& options) {
  std::map<std::string, Property> resolved;
  for (const Default& one : kDefaults) {
    const std::string name(one.name);
    resolved[name] = {name, std::string(one.value), std::string(kDefaultOrigin)};
  }
  resolved["linger.ms"].origin += ", " + std::string(kLingerUnderLoadMs) + " under load";
  if (const std::string name = kFetchQueueBackoff; is_known(name))
    resolved[name] = {name, "20", std::string(kDefaultOrigin)};
  resolved["bootstrap.servers"] = {"bootstrap.servers", options.brokers, "--log"};
  for (const Property& property : options.properties) {
    if (!is_known(property.name)) {
      return at(property, "is unknown" + did_you_mean(property.name, known_names()));
    }
    const std::string name = library_name(property.name);
    if (name == "bootstrap.servers" || name == "metadata.broker.list") {
      return at(property, "is not set here: the brokers are named by --log kafka://HOST:PORT");
    }
    for (const auto& [ours, why] : kOurs) {
      if (name == ours) return at(property, "is millrace's own to set (" + std::string(why) + ")");
    }
    MILLRACE_ASSIGN(std::string value, value_of(property));
    resolved[name] = {name, std::move(value), property.origin};
  }
  std::vector<Property> list;
  const ConfPtr trial(rd_kafka_conf_new());
  for (auto& [name, property] : resolved) {
    Status accepted = set(*trial, name, property.value);
    if (!accepted) return accepted.error().with_context(property.origin);
    list.push_back(std::move(property));
  }
  return list;
}

Result<ConfPtr> make_conf(const std::vector<Property>& resolved) {
  ConfPtr conf(rd_kafka_conf_new());
  for (const Property& property : resolved) MILLRACE_TRY(set(*conf, property.name, property.value));
  return conf;
}

}  // namespace millrace::log_kafka::internal
