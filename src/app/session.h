// What a command works with: the common flags resolved, the log, models and folders they name, and
// the output. The only place that knows which log implementations exist.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/clock.h"
#include "env/file.h"
#include "env/stop.h"
#include "json/fwd.h"
#include "log/log.h"
#include "log_kafka/kafka_log.h"
#include "model/registry.h"
#include "spec/pipeline.h"
#include "telemetry/logger.h"

namespace millrace::app {

// Flags of every command, as given.
struct CommonFlags {
  std::string home = ".millrace";
  std::string log;     // URL, "" = the embedded log under home
  std::string broker;  // alias of --log kafka://
  std::vector<std::string> set;
  std::vector<std::string> properties;  // -X
  std::string log_level = "warning";
  std::string log_format = "text";
  std::string log_file;  // "" = none
  std::int64_t log_file_bytes = std::int64_t{10} << 20;
  std::int64_t log_files = 5;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

// Whether a command's output is records only, so that nothing else may stand on stdout.
enum class OutputKind { kRecords, kResult };

// One for the process; not thread-safe.
class Session {
 public:
  Session(CommonFlags flags, env::Clock& clock, env::StopToken& stop, telemetry::Logger& logger);

  const CommonFlags& flags() const { return flags_; }
  env::Clock& clock() { return clock_; }
  env::StopToken& stop() { return stop_; }
  telemetry::Logger& logger() { return logger_; }

  env::Path home() const { return flags_.home; }
  env::Path models_folder() const { return home() / "models"; }
  env::Path checkpoints_folder() const { return home() / "checkpoints"; }
  env::Path reports_folder() const { return home() / "reports"; }
  model::Registry registry() const { return model::Registry(models_folder()); }

  enum class LogKind { kEmbedded, kKafka };
  // Which log the flags name. Errors: kUsage for a URL that is none, or for both --log and
  // --broker.
  Result<LogKind> log_kind() const;
  // The embedded log's file. Errors: as log_kind(), and kUsage where the log is Kafka.
  Result<env::Path> log_file() const;
  // Brokers and properties where the log is Kafka: of the pipelines loaded, the environment, -X.
  // Errors: kUsage.
  Result<log_kafka::KafkaLogOptions> kafka_options() const;
  enum class Create { kIfMissing, kNever };
  // Errors as log_file(), and what the log returns.
  Result<std::unique_ptr<log::Log>> open_log(Create create);
  // For a command about one topic that must exist: kUnknownTopic also where there is no log yet.
  Result<std::unique_ptr<log::Log>> open_log_with(const std::string& topic);

  // The pipeline by name, folder or file, with --set applied.
  // Its `kafka` properties hold for open_log() from then on.
  // `set`: more key=value pairs over those of --set, from flags that name a key of the file.
  Result<spec::LoadedPipeline> load_pipeline(const std::string& name,
                                             const std::vector<std::string>& set = {});

  // Creates the topic if it is missing and this is wanted; else kUnknownTopic naming `topics
  // create`.
  enum class MissingTopics { kCreate, kRefuse };
  Status ensure_topic(log::Log& log, const spec::TopicSpec& topic, MissingTopics missing);

  // Text for people goes to stderr; nothing with --quiet.
  void say(std::string_view text);
  // Data goes to stdout. Errors: kIo, kDiskFull. A closed pipe is none: the reader has what it
  // wanted, and what follows is dropped.
  Status write(std::string_view bytes);
  Status flush();
  // Whether the reader of stdout has gone away, so that a command may stop early.
  bool output_closed() const { return output_closed_; }
  // The command's result: one line on stdout with --json, else `text`.
  Status finish(const json::Value& result, std::string_view text);

 private:
  CommonFlags flags_;
  env::Clock& clock_;
  env::StopToken& stop_;
  telemetry::Logger& logger_;
  std::vector<log_kafka::Property> pipeline_properties_;
  bool output_closed_ = false;
};

// Runs the program: parses, runs the command, prints an error; returns the exit code.
int run_program(int argc, const char* const* argv);

}  // namespace millrace::app
