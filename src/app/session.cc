#include "app/session.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "json/json.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::app {
namespace {
constexpr std::string_view kSqliteScheme = "sqlite:";
constexpr std::string_view kKafkaScheme = "kafka://";
constexpr const char* kBrokersVariable = "KAFKA_BOOTSTRAP_SERVERS";
constexpr const char* kProtocolVariable = "KAFKA_SECURITY_PROTOCOL";
}  // namespace

Session::Session(CommonFlags flags, env::Clock& clock, env::StopToken& stop,
                 telemetry::Logger& logger)
    : flags_(std::move(flags)), clock_(clock), stop_(stop), logger_(logger) {}

Result<Session::LogKind> Session::log_kind() const {
  const std::string& url = flags_.log;
  if (!flags_.broker.empty()) {
    if (url.empty()) return LogKind::kKafka;
    return Error(ErrorCode::kUsage, "--broker is short for --log kafka://...; give one of them");
  }
  if (url.starts_with(kKafkaScheme)) return LogKind::kKafka;
  if (url.empty() || (url.starts_with(kSqliteScheme) && url.size() > kSqliteScheme.size())) {
    return LogKind::kEmbedded;
  }
  return Error(ErrorCode::kUsage,
               "'" + url + "' is no log: use sqlite:FILE or kafka://HOST:PORT[,HOST:PORT]");
}

Result<env::Path> Session::log_file() const {
  MILLRACE_ASSIGN(const LogKind kind, log_kind());
  if (kind == LogKind::kKafka) {
    return Error(ErrorCode::kUsage, "the log is Kafka; this is about the file of the embedded log");
  }
  if (flags_.log.empty()) return home() / "log.db";
  return env::Path(flags_.log.substr(kSqliteScheme.size()));
}

Result<log_kafka::KafkaLogOptions> Session::kafka_options() const {
  log_kafka::KafkaLogOptions options;
  const char* brokers = std::getenv(kBrokersVariable);
  const std::string url =
      flags_.broker.empty() ? flags_.log : std::string(kKafkaScheme) + flags_.broker;
  MILLRACE_ASSIGN(options.brokers,
                  log_kafka::brokers_of_url(url, brokers == nullptr ? "" : brokers));
  options.home = home();
  options.properties = pipeline_properties_;
  if (const char* protocol = std::getenv(kProtocolVariable); protocol != nullptr) {
    options.properties.push_back({"security.protocol", protocol, kProtocolVariable});
  }
  for (const std::string& property : flags_.properties) {
    const std::size_t equals = property.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(ErrorCode::kUsage, "-X '" + property + "': use -X property=value");
    }
    options.properties.push_back({property.substr(0, equals), property.substr(equals + 1), "-X"});
  }
  return options;
}

Result<std::unique_ptr<log::Log>> Session::open_log(Create create) {
  MILLRACE_ASSIGN(const LogKind kind, log_kind());
  if (kind == LogKind::kKafka) {
    MILLRACE_ASSIGN(const auto kafka, kafka_options());
    auto log = log_kafka::open_kafka_log(kafka, clock_, logger_);
    if (!log && stop_.requested() && log.error().disposition() == Disposition::kRetry) {
      return Error(ErrorCode::kTryAgain,
                   "stopped while the log was away: " + log.error().message());
    }
    return log;
  }
  MILLRACE_ASSIGN(const env::Path file, log_file());
  if (!flags_.properties.empty()) {
    return Error(ErrorCode::kUsage,
                 "-X sets properties of a Kafka client; the embedded log has none ('" +
                     flags_.properties.front() + "')");
  }
  log_sqlite::SqliteLogOptions options;
  options.file = file;
  if (create == Create::kIfMissing) {
    if (file.has_parent_path()) MILLRACE_TRY(env::make_folders(file.parent_path()));
    options.create = log_sqlite::SqliteLogOptions::Create::kIfMissing;
  } else {
    options.create = log_sqlite::SqliteLogOptions::Create::kNever;
  }
  return log_sqlite::open_sqlite_log(options, clock_);
}

Result<std::unique_ptr<log::Log>> Session::open_log_with(const std::string& topic) {
  auto log = open_log(Create::kNever);
  if (log || log.error().code() != ErrorCode::kNoInput) return log;
  return Error(ErrorCode::kUnknownTopic,
               "there is no topic '" + printable(topic) + "': " + log.error().message());
}

Result<spec::LoadedPipeline> Session::load_pipeline(const std::string& name,
                                                    const std::vector<std::string>& set) {
  std::vector<std::string> all = flags_.set;
  all.insert(all.end(), set.begin(), set.end());
  MILLRACE_ASSIGN(auto loaded, spec::load_pipeline(name, {.set = all}));
  for (const auto& [property, value] : loaded.pipeline.kafka)
    pipeline_properties_.push_back({property, value, loaded.pipeline.origin});
  return loaded;
}

Status Session::ensure_topic(log::Log& log, const spec::TopicSpec& topic, MissingTopics missing) {
  if (missing == MissingTopics::kRefuse) {
    const auto found = log.admin().describe_topic(topic.name);
    if (found) return {};
    if (found.error().code() != ErrorCode::kUnknownTopic) return found.error();
    return Error(ErrorCode::kUnknownTopic,
                 "topic '" + topic.name.value() +
                     "' does not exist; create it (millrace topics create PIPELINE) or leave "
                     "--no-create-topics away");
  }
  MILLRACE_ASSIGN(const bool created, log.admin().create_topic(topic.name, topic.config));
  if (created) logger_.info("created topic " + topic.name.value());
  return {};
}

void Session::say(std::string_view text) {
  if (flags_.quiet) return;
  std::fwrite(text.data(), 1, text.size(), stderr);
  if (!text.ends_with('\n')) std::fputc('\n', stderr);
}

Status Session::write(std::string_view bytes) {
  if (output_closed_) return {};
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return {};
  if (errno == EPIPE) {
    output_closed_ = true;
    return {};
  }
  return env::errno_error("cannot write to", "standard output", errno);
}

Status Session::flush() {
  if (output_closed_ || std::fflush(stdout) == 0) return {};
  if (errno == EPIPE) {
    output_closed_ = true;
    return {};
  }
  return env::errno_error("cannot write to", "standard output", errno);
}

Status Session::finish(const json::Value& result, std::string_view text) {
  if (flags_.json) {
    MILLRACE_TRY(write(json::to_line(result) + "\n"));
  } else if (!flags_.quiet) {
    MILLRACE_TRY(write(text));
    if (!text.empty() && !text.ends_with('\n')) MILLRACE_TRY(write("\n"));
  }
  return flush();
}

}  // namespace millrace::app
