// `produce`: a file, standard input or the simulator onto the input topic of a pipeline.
//
// Batch mode sends rows in order and commits each group of rows together with the number of the
// next row, so that a run killed anywhere resumes with every row exactly once (checkpoint.h says
// what ties a run to its file, topic and log). Streaming mode sends rows at a steady rate for ever.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/file.h"
#include "env/stop.h"
#include "ingest/key_rule.h"
#include "ingest/simulator.h"
#include "log/log.h"
#include "spec/pipeline.h"
#include "telemetry/logger.h"

namespace millrace::ingest {

struct ProduceOptions {
  // kBatch: in order, once. kStreaming: random rows with replacement, at events_per_sec, until told
  // to stop (standard input, and rows that the pipeline says follow each other in time: in order,
  // once).
  enum class Mode { kBatch, kStreaming } mode = Mode::kBatch;
  // kMessages: rows become JSON messages. kRaw: each line as it is, null key, no headers.
  enum class Form { kMessages, kRaw } form = Form::kMessages;
  // kStructure: only what makes a row readable. kSchema: the message must also satisfy the schema.
  enum class Check { kStructure, kSchema } check = Check::kStructure;
  // kRestart: an existing checkpoint is replaced and the file is sent again.
  enum class Resume { kContinue, kRestart } resume = Resume::kContinue;

  std::optional<std::string> data;       // a path or "-"; nothing: the simulator
  std::optional<double> events_per_sec;  // streaming without it: kStreamingRateDefault
  std::size_t batch_rows = 10'000;       // rows of one commit, at least 1
  std::optional<std::uint64_t> count;    // messages to send in this run; the simulator in batch
                                         // mode without it: kSimulatedRowsDefault
  std::optional<KeyRule> key;            // instead of the pipeline's input.key
  env::Path checkpoint_file;             // of a file in batch mode; empty: no resume
  std::uint64_t seed = 42;               // of sampling and of the simulator
  SimulatorOptions simulator;
};

inline constexpr double kStreamingRateDefault = 1.0;
inline constexpr double kEventsPerSecMax = 1e6;
inline constexpr std::uint64_t kSimulatedRowsDefault = 7'043;
// Bad rows kept with their reasons; all are counted.
inline constexpr std::size_t kBadRowsKeptMax = 1000;

struct BadRow {
  std::int64_t line = 0;  // in the file, from 1; of the simulator: the record's number
  std::string message;
};

enum class ProduceStop {
  kEndOfData,  // batch: the whole source is on the topic
  kCount,      // `count` messages were sent
  kSignal,     // stopped from outside; all that was read is committed
};

struct ProduceSummary {
  std::string source;  // "Telco-Customer-Churn.csv", "standard input", "simulator, seed 42"
  std::string topic;
  std::uint64_t sent = 0;      // committed; in a dry run: built
  std::uint64_t bad_rows = 0;  // skipped
  std::vector<BadRow> bad;     // the first kBadRowsKeptMax
  std::uint64_t bytes = 0;     // keys and values sent
  std::uint64_t commits = 0;
  Nanoseconds last_commit_took{0};
  RowNumber resumed_from;         // first row of this run; rows before it were there already
  RowNumber next_row;             // first row not sent
  bool finished = false;          // the whole file is on the topic
  bool already_finished = false;  // ... and was before this run
  bool dry_run = false;
  bool resumable = false;  // a checkpoint is kept
  ProduceStop stop = ProduceStop::kEndOfData;
  int signal = 0;  // with kSignal
  double duration_s = 0;
  std::uint64_t bytes_read = 0;   // of the source, for progress
  std::uint64_t bytes_total = 0;  // 0 when unknown

  double rate_per_s() const { return duration_s > 0 ? static_cast<double>(sent) / duration_s : 0; }
};

// Called after each commit, and every 10,000 rows of a dry run.
using ProduceProgress = std::function<void(const ProduceSummary&)>;

// Sends. The topic must exist (kUnknownTopic). Bad rows are counted, not an error; the caller
// decides on the exit code. Errors: kUsage (rate, batch size, options that do not go together),
// kBadData (a file whose times show that they are read wrongly: nothing of it is sent), kNoInput,
// kPermission, kLockHeld (another process uses the checkpoint), kConfig (no simulator, a
// key field the file lacks), and what the log returns; after an error a resumable run goes on with
// the first row that was not committed.
Result<ProduceSummary> produce(const spec::Pipeline& pipeline, log::Log& log,
                               const ProduceOptions& options, env::Clock& clock,
                               env::StopToken& stop, telemetry::Logger& logger,
                               const ProduceProgress& progress = {});

// Called with each record that would be sent; an error ends the run with it.
using RecordSeen = std::function<Status(const log::NewRecord&)>;

// Builds and checks everything, at the pace asked for, and sends nothing; touches neither log nor
// checkpoint.
Result<ProduceSummary> dry_run(const spec::Pipeline& pipeline, const ProduceOptions& options,
                               env::Clock& clock, env::StopToken& stop, telemetry::Logger& logger,
                               const ProduceProgress& progress = {}, const RecordSeen& seen = {});

}  // namespace millrace::ingest
