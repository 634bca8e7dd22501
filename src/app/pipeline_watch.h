// What a running pipeline does, seen from outside: read from its topics and its group, without
// joining it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/clock.h"
#include "log/log.h"
#include "spec/pipeline.h"

namespace millrace::app {

// Half and 99 of 100 values are at or below these; nothing when there were none.
struct Quantiles {
  double p50 = 0;
  double p99 = 0;
};

// One look. Rates are over the time since the look before; the first one has none.
struct PipelineView {
  struct Partition {
    log::GroupPosition position;
    std::string member;                  // "" where nobody has it
    std::optional<std::int32_t> leader;  // where the log has brokers
  };
  struct Rates {
    double in = 0;  // records put on the input topic a second
    double consumed = 0;
    double predicted = 0;
    double dead_lettered = 0;
  };
  static constexpr std::size_t kBins = 10;

  Timestamp at;
  std::string group_state;  // "none" before anybody joined or committed
  std::vector<log::MemberInfo> members;
  std::vector<Partition> partitions;
  std::int64_t consumer_lag = 0;
  std::optional<Rates> rates;
  std::string model_version;                          // of the latest prediction seen
  std::uint64_t scores = 0;                           // how many the histogram holds
  std::array<std::uint64_t, kBins> histogram{};       // of probabilities, tenths
  std::optional<Quantiles> inference_ms;              // inference_latency_ms
  std::optional<Quantiles> end_to_end_ms;             // from the record's time to processed_ts
  std::map<std::string, std::uint64_t> dead_letters;  // by code, of those seen
};

// Not thread-safe; one log and its admin must outlive it. Memory is bounded by the named limits,
// whatever the traffic: what comes faster than it can be looked at is counted and skipped.
class PipelineWatch {
 public:
  // Records of each partition that lie before the start and are looked at first.
  static constexpr std::int64_t kBackfill = 1000;
  // Latest values that quantiles and histogram are made of.
  static constexpr std::size_t kValuesKept = 10'000;
  // Messages taken apart between two looks; the others are counted only.
  static constexpr std::uint64_t kParsedMax = 10'000;
  // Codes counted by name; further ones count as "(other)".
  static constexpr std::size_t kCodesMax = 50;
  // A reader this many records behind goes on near the end.
  static constexpr std::int64_t kBehindMax = 200'000;

  // Errors: kUnknownTopic, and what the log returns.
  static Result<PipelineWatch> open(log::Log& log, const spec::Pipeline& pipeline,
                                    env::Clock& clock);

  // Takes what is there by now, at most until `until`.
  Status read(SteadyTime until);
  // Asks for offsets, members and positions, and sums up. Errors: what the log returns.
  Result<PipelineView> look();

 private:
  // One output topic that is followed.
  struct Followed {
    TopicName topic;
    std::unique_ptr<log::Reader> reader;
    std::map<PartitionId, Offset> next;   // behind what was read
    std::map<PartitionId, Offset> start;  // what counts for rates lies at or above
    std::uint64_t counted = 0;
  };
  // The latest values of something.
  class Window {
   public:
    void add(double value);
    std::optional<Quantiles> quantiles() const;
    const std::deque<double>& values() const { return values_; }

   private:
    std::deque<double> values_;
  };
  struct Counts {
    SteadyTime at{};
    std::int64_t in = 0;
    std::int64_t consumed = 0;
    std::uint64_t predicted = 0;
    std::uint64_t dead_lettered = 0;
  };

  PipelineWatch(log::Log& log, const spec::Pipeline& pipeline, env::Clock& clock);
  Status follow(Followed& followed);
  Status catch_up(Followed& followed);
  template <class Each>
  Status take(Followed& followed, SteadyTime until, Each each);
  void add_prediction(const log::Record& record);
  void add_dead_letter(const log::TopicPartition& at, const log::Record& record);
  Status look_at_group(PipelineView& view, Counts& counts);
  std::optional<PipelineView::Rates> rates_since_last(const Counts& now) const;

  log::Log* log_;
  env::Clock* clock_;
  TopicName input_;
  GroupId group_;
  std::string probability_field_;
  Followed predictions_;
  Followed dead_letters_;
  std::uint64_t parsed_ = 0;  // since the last look
  std::string model_version_;
  Window scores_;
  Window inference_ms_;
  Window end_to_end_ms_;
  std::map<std::string, std::uint64_t> by_code_;
  std::optional<Counts> last_;
};

}  // namespace millrace::app
