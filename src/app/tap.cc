// millrace tap TOPIC: a topic's records as they come.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/record_filter.h"
#include "app/record_json.h"
#include "app/session.h"
#include "app/start_point.h"
#include "base/text.h"
#include "json/json.h"
#include "telemetry/logger.h"

namespace millrace::app {
namespace {

// How soon a stop, or a reader of the output that went away, is seen.
constexpr Milliseconds kLook{100};
constexpr Milliseconds kRetry{500};
constexpr Milliseconds kSayAway{10'000};

struct Options {
  std::string topic;
  std::string from = "latest";
  std::optional<std::int64_t> partition;
  std::optional<std::string> key;
  std::vector<std::string> where;
  std::optional<std::int64_t> messages_max;
  std::optional<std::int64_t> timeout_ms;
};

using Loaded = Result<spec::LoadedPipeline>;

// The topic of that name, or the predictions of the pipeline of that name.
Result<log::TopicInfo> find_topic(log::Log& log, const std::string& name, const Loaded& pipeline) {
  Result<log::TopicInfo> topic =
      is_legal_topic_name(name)
          ? log.admin().describe_topic(TopicName(name))
          : Error(ErrorCode::kUnknownTopic, "'" + printable(name) + "' is no topic name");
  if (topic || topic.error().code() != ErrorCode::kUnknownTopic) return topic;
  if (pipeline) return log.admin().describe_topic(pipeline->pipeline.output.topic.name);
  if (pipeline.error().code() != ErrorCode::kNoInput) return pipeline.error();
  return topic;
}

Result<std::unique_ptr<log::Reader>> open_reader(Session& session, log::Log& log,
                                                 const Options& options, const Loaded& pipeline) {
  MILLRACE_ASSIGN(
      const StartPoint start,
      parse_start_point("--from", options.from, session.clock().now(), Offsets::kRefused));
  MILLRACE_ASSIGN(const log::TopicInfo topic, find_topic(log, options.topic, pipeline));
  log::ReaderOptions reading;
  reading.topic = topic.name;
  reading.follow = true;
  if (options.partition) {
    reading.partitions = {PartitionId(static_cast<std::int32_t>(*options.partition))};
  }
  MILLRACE_ASSIGN(reading.from, offsets_of(log.admin(), topic, start));
  return log.open_reader(reading);
}

// Whether nobody reads standard output any more, also while there is nothing to write.
bool output_gone() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return ::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLNVAL)) != 0;
}

// Follows until something says that it is enough.
class Tap {
 public:
  Tap(Session& session, log::Reader& reader, const Options& options, RecordFilter filter)
      : session_(session),
        reader_(reader),
        options_(options),
        filter_(std::move(filter)),
        left_(static_cast<std::uint64_t>(
            options.messages_max.value_or(std::numeric_limits<std::int64_t>::max()))),
        last_(session.clock().steady()) {}

  Status run() {
    while (!done()) {
      SteadyTime until = session_.clock().steady() + kLook;
      if (const auto end = idle_end()) until = std::min(until, *end);
      auto batch = reader_.next(until);
      if (!batch && batch.error().disposition() == Disposition::kRetry) {
        wait_for_log(batch.error());
        continue;
      }
      if (!batch) return batch.error();
      if (*batch) MILLRACE_TRY(show(**batch));
    }
    return {};
  }

 private:
  std::optional<SteadyTime> idle_end() const {
    if (!options_.timeout_ms) return std::nullopt;
    return last_ + Milliseconds(*options_.timeout_ms);
  }

  bool done() {
    if (left_ == 0 || session_.stop().requested() || session_.output_closed()) return true;
    const auto end = idle_end();
    return (end && session_.clock().steady() >= *end) || output_gone();
  }

  Status show(const log::Batch& batch) {
    for (const log::Record& record : batch.records) {
      if (left_ == 0 || session_.stop().requested()) break;
      if (!filter_.matches(record)) continue;
      --left_;
      last_ = session_.clock().steady();
      MILLRACE_TRY(session_.write(json::to_line(record_to_json(batch.source, record)) + "\n"));
    }
    return session_.flush();
  }

  void wait_for_log(const Error& error) {
    if (said_.allow(session_.clock().steady(), nullptr)) {
      session_.logger().warning("the log is away, trying again: " + error.message());
    }
    session_.clock().sleep_until(session_.clock().steady() + kRetry);
  }

  Session& session_;
  log::Reader& reader_;
  const Options& options_;
  const RecordFilter filter_;
  std::uint64_t left_;
  SteadyTime last_;  // when the last message was shown
  telemetry::RateLimit said_{kSayAway};
};

Result<int> run(Session& session, const Options& options) {
  MILLRACE_ASSIGN(RecordFilter filter, RecordFilter::make(options.key, options.where));
  // Before the log: a pipeline may say how to reach it.
  const Loaded pipeline = session.load_pipeline(options.topic);
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log_with(options.topic));
  MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader,
                  open_reader(session, *log, options, pipeline));
  MILLRACE_TRY(Tap(session, *reader, options, std::move(filter)).run());
  return 0;
}

}  // namespace

void register_tap(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("tap", "Follow a topic, or a pipeline's predictions, as NDJSON; joins no group",
               "millrace tap telco.churn.predictions\n"
               "millrace tap telco-churn --where prediction=Yes   a pipeline's predictions\n"
               "millrace tap telco.raw.customers --from 15m --partition 0 --max-messages 10")
      .positional("topic", &options->topic, "Topic, or a pipeline for its predictions")
      .value("--from", &options->from,
             "latest, earliest, a time (2025-10-11T03:28:23Z), or a span back (15m)")
      .value("--partition", &options->partition, "Only this partition", 0, INT32_MAX)
      .value("--key", &options->key, "Only records with this key")
      .value("--where", &options->where,
             "Only JSON messages whose FIELD has this value, FIELD=VALUE; a dot goes into an "
             "object (repeatable, all must hold)")
      .value("--max-messages", &options->messages_max, "End after N messages", 1, INT64_MAX)
      .value("--timeout-ms", &options->timeout_ms, "End after this long without a message", 0,
             INT64_MAX)
      .prints_records()
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
