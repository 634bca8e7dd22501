#include "app/session.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include "json/json.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::app {
namespace {
constexpr std::string_view kSqliteScheme = "sqlite:";
constexpr std::string_view kKafkaScheme = "kafka://";
}  // namespace

Session::Session(CommonFlags flags, env::Clock& clock, env::StopToken& stop,
                 telemetry::Logger& logger)
    : flags_(std::move(flags)), clock_(clock), stop_(stop), logger_(logger) {}

Result<env::Path> Session::log_file() const {
  const std::string& url = flags_.log;
  if (!flags_.broker.empty() || url.starts_with(kKafkaScheme)) {
    return Error(ErrorCode::kNotBuilt,
                 "this build has no Kafka log yet; use the embedded log (--log sqlite:FILE)");
  }
  if (url.empty()) return home() / "log.db";
  if (url.starts_with(kSqliteScheme) && url.size() > kSqliteScheme.size()) {
    return env::Path(url.substr(kSqliteScheme.size()));
  }
  return Error(ErrorCode::kUsage, "'" + url + "' is no log: use sqlite:FILE");
}

Result<std::unique_ptr<log::Log>> Session::open_log(Create create) {
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

Result<spec::LoadedPipeline> Session::load_pipeline(const std::string& name) const {
  return spec::load_pipeline(name, {.set = flags_.set});
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
