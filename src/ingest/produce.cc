#include "ingest/produce.h"

#include <cmath>
#include <filesystem>

#include "codec/record_decoder.h"
#include "env/crash_point.h"
#include "env/digest.h"
#include "env/random.h"
#include "ingest/checkpoint.h"
#include "ingest/internal/row_source.h"
#include "ingest/internal/sample_source.h"
#include "ingest/internal/send_loop.h"
#include "ingest/internal/simulator_source.h"
#include "ingest/internal/table_source.h"
#include "log/append_rules.h"

namespace millrace::ingest {
namespace {

using Mode = ProduceOptions::Mode;
using Form = ProduceOptions::Form;

constexpr std::size_t kBatchRowsMax = 1'000'000;
// A paced run commits often; its checkpoint file mirrors the log this often at most.
constexpr Milliseconds kMirrorInterval{1000};

bool is_stdin(const ProduceOptions& options) { return options.data && *options.data == "-"; }

// A file that can be read again, so that a run over it can be resumed; not a pipe.
bool is_file(const ProduceOptions& options) {
  std::error_code error;
  return options.data && !is_stdin(options) &&
         std::filesystem::is_regular_file(*options.data, error);
}

Status check_options(const ProduceOptions& options) {
  if (options.events_per_sec) {
    const double rate = *options.events_per_sec;
    if (!(rate > 0) || rate > kEventsPerSecMax) {
      return Error(ErrorCode::kUsage,
                   "--events-per-sec must be above 0 and at most 1000000 events a second.");
    }
  }
  if (options.batch_rows == 0 || options.batch_rows > kBatchRowsMax) {
    return Error(ErrorCode::kUsage, "--batch-size must be from 1 to 1000000 rows.");
  }
  if (options.form == Form::kRaw) {
    if (!options.data) {
      return Error(ErrorCode::kUsage, "--raw sends the lines of a file: it needs --data.");
    }
    if (options.key || options.check == ProduceOptions::Check::kSchema) {
      return Error(ErrorCode::kUsage,
                   "--raw sends lines as they are, without keys and unchecked: it does not go "
                   "with --key or --validate.");
    }
  }
  return {};
}

KeyRule key_rule(const spec::Pipeline& pipeline, const ProduceOptions& options) {
  if (options.form == Form::kRaw) return {};
  if (options.key) return *options.key;
  if (pipeline.input.key.empty()) return {};
  return {KeyRule::Kind::kField, pipeline.input.key};
}

Result<std::unique_ptr<RowSource>> simulator_source(const spec::Pipeline& pipeline,
                                                    const ProduceOptions& options,
                                                    const KeyRule& key) {
  if (pipeline.simulator.empty()) {
    return Error(ErrorCode::kConfig, "The pipeline " + pipeline.name +
                                         " has no simulator.yaml beside it: name a file with "
                                         "--data.");
  }
  const std::string key_field = key.kind == KeyRule::Kind::kField ? key.text : "";
  MILLRACE_ASSIGN(Simulator simulator,
                  Simulator::make(pipeline.schema, pipeline.simulator, "simulator.yaml", key_field,
                                  options.seed, options.simulator));
  return std::unique_ptr<RowSource>(std::make_unique<SimulatorSource>(
      std::move(simulator), key, pipeline.input.event_time.value_or("")));
}

// Rows that follow each other in time say nothing in another order, so they are never sampled.
bool is_series(const spec::Pipeline& pipeline, const ProduceOptions& options) {
  const auto& timestamp = pipeline.csv.timestamp;
  return timestamp && timestamp->step.count() > 0 && options.form == Form::kMessages;
}

// Dates read the wrong way round may show only far into a file, when some rows would be on the
// topic already: a file whose rows must follow each other is read through before the first one is
// sent.
Status check_order_of_times(const spec::Pipeline& pipeline, const ProduceOptions& options,
                            const env::StopToken& stop) {
  if (!is_series(pipeline, options) || !is_file(options)) return {};
  const codec::TableFormat format = codec::format_of_path(*options.data);
  if (!codec::has_columns(format)) return {};
  MILLRACE_ASSIGN(
      codec::TableReader reader,
      codec::TableReader::open(*options.data, format, pipeline.csv, pipeline.schema, &stop));
  codec::TableRow row;
  while (!stop.requested()) {
    MILLRACE_ASSIGN(const bool more, reader.read(row));
    if (!more) break;
  }
  return {};
}

Result<std::unique_ptr<RowSource>> ordered_source(const spec::Pipeline& pipeline,
                                                  const ProduceOptions& options, const KeyRule& key,
                                                  const env::StopToken& stop) {
  MILLRACE_TRY(check_order_of_times(pipeline, options, stop));
  MILLRACE_ASSIGN(auto table, TableSource::open(pipeline, *options.data, options.form, key,
                                                Stamping::kOnSend, stop));
  return std::unique_ptr<RowSource>(std::move(table));
}

Result<std::unique_ptr<RowSource>> sampled_source(const spec::Pipeline& pipeline,
                                                  const ProduceOptions& options, const KeyRule& key,
                                                  const env::StopToken& stop,
                                                  telemetry::Logger& logger) {
  MILLRACE_ASSIGN(const auto table, TableSource::open(pipeline, *options.data, options.form, key,
                                                      Stamping::kNever, stop));
  auto sample = SampleSource::load(*table, table->stamp_field(), options.seed);
  if (!sample) return sample.error().with_context(*options.data);
  const std::uint64_t read = (*sample)->rows_read();
  if ((*sample)->rows_kept() + (*sample)->bad_rows() < read) {
    logger.info(*options.data + ": " + std::to_string((*sample)->rows_kept()) + " of " +
                std::to_string(read) + " rows are kept to sample from.");
  }
  return std::unique_ptr<RowSource>(std::move(*sample));
}

Result<std::unique_ptr<RowSource>> open_source(const spec::Pipeline& pipeline,
                                               const ProduceOptions& options,
                                               const env::StopToken& stop,
                                               telemetry::Logger& logger) {
  const KeyRule key = key_rule(pipeline, options);
  if (!options.data) return simulator_source(pipeline, options, key);
  if (options.mode == Mode::kBatch || is_stdin(options) || is_series(pipeline, options)) {
    return ordered_source(pipeline, options, key, stop);
  }
  return sampled_source(pipeline, options, key, stop, logger);
}

std::string source_name(const ProduceOptions& options) {
  if (!options.data) return "simulator, seed " + std::to_string(options.seed);
  return is_stdin(options) ? "standard input" : *options.data;
}

SendLimits limits_of(const ProduceOptions& options) {
  SendLimits limits;
  limits.batch_rows = options.batch_rows;
  limits.count = options.count;
  if (!options.data && options.mode == Mode::kBatch && !options.count) {
    limits.count = kSimulatedRowsDefault;
  }
  limits.events_per_sec = options.events_per_sec;
  if (options.mode == Mode::kStreaming && !options.events_per_sec) {
    limits.events_per_sec = kStreamingRateDefault;
  }
  return limits;
}

Status prepare_loop(const spec::Pipeline& pipeline, const ProduceOptions& options,
                    const ProduceProgress& progress, SendLoop& loop) {
  if (options.check == ProduceOptions::Check::kSchema) {
    MILLRACE_ASSIGN(codec::RecordDecoder decoder,
                    codec::RecordDecoder::make(pipeline.schema, codec::Purpose::kScoring,
                                               pipeline.input.decode_limits()));
    loop.check_with(std::move(decoder), pipeline.schema.size());
  }
  loop.on_progress(progress);
  return {};
}

ProduceSummary empty_summary(const spec::Pipeline& pipeline, const ProduceOptions& options) {
  ProduceSummary summary;
  summary.source = source_name(options);
  summary.topic = pipeline.input.topic.name.value();
  return summary;
}

// ----------------------------------------------------------------------------------------------
// sinks

class LogSink final : public Sink {
 public:
  LogSink(log::Producer& producer, log::TopicHandle topic) : producer_(producer), topic_(topic) {}
  Status append(const log::NewRecord& record) override { return producer_.append(topic_, record); }
  Status commit(RowNumber next_row, Ending) override {
    MILLRACE_TRY(producer_.commit(next_row));
    env::crash_point("produce.after_commit");
    return {};
  }

 private:
  log::Producer& producer_;
  log::TopicHandle topic_;
};

Status write_with_crash_points(const env::Path& path, const Checkpoint& checkpoint) {
  env::crash_point("produce.before_checkpoint");
  MILLRACE_TRY(write_checkpoint(path, checkpoint));
  env::crash_point("produce.after_checkpoint");
  return {};
}

// A LogSink whose commits are mirrored in the checkpoint file.
class ResumableSink final : public Sink {
 public:
  enum class Mirror { kEachCommit, kOften };
  ResumableSink(LogSink& log, env::Path path, Checkpoint checkpoint, Mirror mirror,
                env::Clock& clock)
      : log_(log),
        path_(std::move(path)),
        checkpoint_(std::move(checkpoint)),
        mirror_(mirror),
        clock_(clock) {}

  Status append(const log::NewRecord& record) override { return log_.append(record); }

  Status commit(RowNumber next_row, Ending ending) override {
    MILLRACE_TRY(log_.commit(next_row, ending));
    const SteadyTime now = clock_.steady();
    if (mirror_ == Mirror::kOften && ending == Ending::kMore && now < mirrored_ + kMirrorInterval) {
      return {};
    }
    mirrored_ = now;
    checkpoint_.next_row = next_row;
    checkpoint_.finished = ending == Ending::kFinished;
    checkpoint_.time = clock_.now();
    return write_with_crash_points(path_, checkpoint_);
  }

 private:
  LogSink& log_;
  env::Path path_;
  Checkpoint checkpoint_;
  Mirror mirror_;
  env::Clock& clock_;
  SteadyTime mirrored_{};
};

class DrySink final : public Sink {
 public:
  DrySink(const spec::TopicSpec& topic, const RecordSeen& seen) : topic_(topic), seen_(seen) {}
  Status append(const log::NewRecord& record) override {
    MILLRACE_TRY(log::check_record(topic_.name, topic_.config.message_bytes_max, record));
    return seen_ ? seen_(record) : Status();
  }
  Status commit(RowNumber, Ending) override { return {}; }

 private:
  const spec::TopicSpec& topic_;
  const RecordSeen& seen_;
};

// ----------------------------------------------------------------------------------------------
// resuming

struct Resumption {
  std::optional<env::FileLock> lock;
  Checkpoint checkpoint;
  bool saved = false;  // the checkpoint is on disk
};

Result<ProduceTarget> target_of(const log::TopicInfo& topic, log::Log& log,
                                const ProduceOptions& options) {
  ProduceTarget target;
  std::error_code error;
  const env::Path absolute = std::filesystem::absolute(*options.data, error);
  target.file = error ? *options.data : absolute.lexically_normal().string();
  target.file_bytes = std::filesystem::file_size(*options.data, error);
  if (error) return env::errno_error("cannot read", *options.data, error.value());
  MILLRACE_ASSIGN(target.file_sha256, env::sha256_file(*options.data));
  target.form = options.form == Form::kRaw ? "raw" : "messages";
  target.topic = topic.name;
  target.topic_incarnation = topic.incarnation;
  target.log_url = log.url();
  return target;
}

// The checkpoint to go on with: the saved one where it fits, else a new one.
Result<Resumption> take_up(const ProduceOptions& options, ProduceTarget target,
                           telemetry::Logger& logger) {
  Resumption resumption;
  const env::Path& path = options.checkpoint_file;
  if (path.has_parent_path()) MILLRACE_TRY(env::make_folders(path.parent_path()));
  MILLRACE_ASSIGN(resumption.lock, env::FileLock::acquire(path.string() + ".lock"));
  auto saved = read_checkpoint(path);
  if (!saved && saved.error().code() != ErrorCode::kBadData) return saved.error();
  if (options.resume == ProduceOptions::Resume::kContinue) {
    if (!saved) {
      logger.warning("The checkpoint cannot be used, so the file is sent from its first row: " +
                     saved.error().message());
    } else if (*saved) {
      const std::string why_not = difference((*saved)->target, target);
      if (why_not.empty()) {
        resumption.checkpoint = std::move(**saved);
        resumption.checkpoint.target = std::move(target);
        resumption.saved = true;
        return resumption;
      }
      logger.warning("The checkpoint " + path.string() +
                     " does not fit, so the file is sent from its first row: " + why_not + ".");
    }
  }
  resumption.checkpoint.id = env::random_hex(16);
  resumption.checkpoint.target = std::move(target);
  return resumption;
}

// The first row to send: what the log says, not what the file says.
Result<RowNumber> position_of(log::Producer& producer, const Checkpoint& checkpoint,
                              telemetry::Logger& logger) {
  MILLRACE_ASSIGN(const std::optional<RowNumber> position, producer.position());
  if (position) return *position;
  if (checkpoint.next_row > RowNumber(0)) {
    logger.warning(
        "The log knows nothing of the run that the checkpoint names, so the file is "
        "sent from its first row.");
  }
  return RowNumber(0);
}

class ProduceRun {
 public:
  ProduceRun(const spec::Pipeline& pipeline, log::Log& log, const ProduceOptions& options,
             env::Clock& clock, env::StopToken& stop, telemetry::Logger& logger,
             const ProduceProgress& progress)
      : pipeline_(pipeline),
        log_(log),
        options_(options),
        clock_(clock),
        stop_(stop),
        logger_(logger),
        progress_(progress),
        limits_(limits_of(options)),
        summary_(empty_summary(pipeline, options)) {}

  Result<ProduceSummary> run() {
    const bool resumable =
        is_file(options_) && options_.mode == Mode::kBatch && !options_.checkpoint_file.empty();
    if (resumable) return run_resumable();
    MILLRACE_ASSIGN(const auto producer, open_producer(""));
    MILLRACE_ASSIGN(const auto source, open_source(pipeline_, options_, stop_, logger_));
    MILLRACE_ASSIGN(const log::TopicHandle topic, producer->open_topic(topic_name()));
    LogSink sink(*producer, topic);
    return send(*source, sink);
  }

 private:
  const TopicName& topic_name() const { return pipeline_.input.topic.name; }

  Result<std::unique_ptr<log::Producer>> open_producer(const std::string& resume_id) {
    return log_.open_producer({topic_name(), resume_id});
  }

  Result<ProduceSummary> run_resumable() {
    summary_.resumable = true;
    MILLRACE_ASSIGN(const auto source, open_source(pipeline_, options_, stop_, logger_));
    MILLRACE_ASSIGN(const log::TopicInfo topic_info, log_.admin().describe_topic(topic_name()));
    MILLRACE_ASSIGN(ProduceTarget target, target_of(topic_info, log_, options_));
    MILLRACE_ASSIGN(Resumption resumption, take_up(options_, std::move(target), logger_));
    Checkpoint& checkpoint = resumption.checkpoint;
    MILLRACE_ASSIGN(const auto producer, open_producer(checkpoint.id));
    MILLRACE_ASSIGN(const RowNumber first, position_of(*producer, checkpoint, logger_));
    summary_.resumed_from = first;
    if (checkpoint.finished && checkpoint.next_row == first) {
      summary_.next_row = first;
      summary_.finished = summary_.already_finished = true;
      return summary_;
    }
    // The id must be on disk before the log knows it: a run killed in between would else be
    // forgotten, and its rows sent twice.
    if (!resumption.saved) {
      checkpoint.time = clock_.now();
      MILLRACE_TRY(write_with_crash_points(options_.checkpoint_file, checkpoint));
    }
    MILLRACE_ASSIGN(const log::TopicHandle topic, producer->open_topic(topic_name()));
    if (first > RowNumber(0)) MILLRACE_TRY(source->skip_to(first));
    limits_.first_row = first;
    LogSink log_sink(*producer, topic);
    ResumableSink sink(
        log_sink, options_.checkpoint_file, checkpoint,
        limits_.events_per_sec ? ResumableSink::Mirror::kOften : ResumableSink::Mirror::kEachCommit,
        clock_);
    return send(*source, sink);
  }

  Result<ProduceSummary> send(RowSource& source, Sink& sink) {
    summary_.bytes_total = source.bytes_total();
    SendLoop loop(source, sink, limits_, clock_, stop_, logger_);
    MILLRACE_TRY(prepare_loop(pipeline_, options_, progress_, loop));
    MILLRACE_TRY(loop.run(summary_));
    return summary_;
  }

  const spec::Pipeline& pipeline_;
  log::Log& log_;
  const ProduceOptions& options_;
  env::Clock& clock_;
  env::StopToken& stop_;
  telemetry::Logger& logger_;
  const ProduceProgress& progress_;
  SendLimits limits_;
  ProduceSummary summary_;
};

}  // namespace

Result<ProduceSummary> produce(const spec::Pipeline& pipeline, log::Log& log,
                               const ProduceOptions& options, env::Clock& clock,
                               env::StopToken& stop, telemetry::Logger& logger,
                               const ProduceProgress& progress) {
  MILLRACE_TRY(check_options(options));
  return ProduceRun(pipeline, log, options, clock, stop, logger, progress).run();
}

Result<ProduceSummary> dry_run(const spec::Pipeline& pipeline, const ProduceOptions& options,
                               env::Clock& clock, env::StopToken& stop, telemetry::Logger& logger,
                               const ProduceProgress& progress, const RecordSeen& seen) {
  MILLRACE_TRY(check_options(options));
  MILLRACE_ASSIGN(const auto source, open_source(pipeline, options, stop, logger));
  ProduceSummary summary = empty_summary(pipeline, options);
  summary.dry_run = true;
  summary.bytes_total = source->bytes_total();
  DrySink sink(pipeline.input.topic, seen);
  SendLoop loop(*source, sink, limits_of(options), clock, stop, logger);
  MILLRACE_TRY(prepare_loop(pipeline, options, progress, loop));
  MILLRACE_TRY(loop.run(summary));
  return summary;
}

}  // namespace millrace::ingest
