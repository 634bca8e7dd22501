// The loop of `produce`: takes records from a source, appends them in groups, keeps the pace, and
// counts.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "codec/record_decoder.h"
#include "env/clock.h"
#include "env/stop.h"
#include "ingest/internal/row_source.h"
#include "ingest/pacer.h"
#include "ingest/produce.h"
#include "log/record.h"
#include "telemetry/logger.h"

namespace millrace::ingest {

// Where the loop's records go.
class Sink {
 public:
  virtual ~Sink() = default;
  // kRecordTooLarge: nothing was appended, go on.
  virtual Status append(const log::NewRecord& record) = 0;
  enum class Ending { kMore, kStopped, kFinished };
  // What was appended stays; `next_row` is the first row that was not read.
  virtual Status commit(RowNumber next_row, Ending ending) = 0;
};

struct SendLimits {
  std::size_t batch_rows = 10'000;
  std::optional<std::uint64_t> count;
  std::optional<double> events_per_sec;
  RowNumber first_row;
};

// With a rate: sends that are due together share a commit, at most one each kGroupInterval.
inline constexpr Milliseconds kGroupInterval{25};
// Sends that a stall held back are caught up, except those older than this.
inline constexpr std::chrono::seconds kCatchUpMax{10};
// A wait for the next send looks up this often, in case a signal came just before it.
inline constexpr Milliseconds kWaitMax{200};

// Runs once. All references must outlive it.
class SendLoop {
 public:
  SendLoop(RowSource& source, Sink& sink, const SendLimits& limits, env::Clock& clock,
           env::StopToken& stop, telemetry::Logger& logger);

  // Also checks each message against the schema. Not called: only structure counts.
  void check_with(codec::RecordDecoder decoder, std::size_t fields);
  void on_progress(const ProduceProgress& progress) { progress_ = &progress; }

  // Adds to `summary` what is committed, also when it fails.
  Status run(ProduceSummary& summary);

 private:
  struct Pending {
    std::uint64_t sent = 0;
    std::uint64_t bytes = 0;
    std::uint64_t rows = 0;  // read, bad ones included
  };

  Status loop(ProduceSummary& summary);
  // Whether a record may be sent now; commits and sleeps when none is due.
  Result<bool> paced(ProduceSummary& summary);
  void catch_up(SteadyTime now);
  Status send(const SourceRow& row, ProduceSummary& summary);
  bool satisfies_schema(const SourceRow& row, std::string& problem);
  void set_aside(const SourceRow& row, const std::string& problem, ProduceSummary& summary);
  Status commit(ProduceSummary& summary, Sink::Ending ending);
  void refresh_stamp();

  RowSource& source_;
  Sink& sink_;
  SendLimits limits_;
  env::Clock& clock_;
  env::StopToken& stop_;
  telemetry::Logger& logger_;
  const ProduceProgress* progress_ = nullptr;

  std::optional<codec::RecordDecoder> decoder_;
  std::vector<data::Cell> cells_;
  data::RecordErrors errors_;

  std::optional<Pacer> pacer_;
  std::uint64_t slots_used_ = 0;  // sends made of those the pacer allows
  std::uint64_t slots_due_ = 0;
  SteadyTime group_start_{};
  SteadyTime started_{};

  RowNumber next_row_;
  Pending pending_;
  Timestamp now_{-1};
  std::array<char, 24> stamp_{};
};

}  // namespace millrace::ingest
