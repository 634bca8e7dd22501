// Watches a stream for drift: one window after the other, compared with the reference.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "drift/reference.h"

namespace millrace::drift {

// Offsets of a window's records in one partition.
struct OffsetRange {
  PartitionId partition;
  Offset first;
  Offset last;
};

struct Alert {
  enum class State : std::uint8_t { kRaised, kCleared } state = State::kRaised;
  std::string feature;  // name of the column
  Statistic statistic = Statistic::kPsi;
  double value = 0;
  double threshold = 0;  // on the value's side: alarms lie beyond it
  Timestamp window_start;
  Timestamp window_end;  // exclusive; of a window of records its last event time
  std::uint64_t records = 0;
  std::vector<OffsetRange> offsets;  // by partition
};
std::string_view to_string(Alert::State state);  // "raised", "cleared"

// What a judged window said of one column and statistic, for metrics.
struct Reading {
  std::size_t column = 0;
  Statistic statistic = Statistic::kPsi;
  double value = 0;  // NaN: cannot be told
  double threshold = 0;
  bool active = false;  // an alert is raised and not yet cleared
};

struct MonitorOptions {
  std::array<bool, kStatistics> statistics{true, true, true, true, true, true};
  std::uint32_t raise_after = 1;  // windows beyond the threshold in a row
  std::uint32_t clear_after = 2;  // windows within it in a row
  // A window is within its threshold again below this share of it, (0, 1].
  double clear_below = 0.8;
  // A window of event time closes when an event this much later than its end was seen.
  Milliseconds lateness{0};
};

struct MonitorCounts {
  std::uint64_t observed = 0;
  std::uint64_t late = 0;     // came after their window was closed; not compared
  std::uint64_t stray = 0;    // too far ahead of the stream, or no room; not compared
  std::uint64_t windows = 0;  // judged
  std::uint64_t skipped = 0;  // closed with too few records to judge
  std::uint64_t raised = 0;   // alerts
  std::uint64_t cleared = 0;
};

// One record as the monitor sees it.
struct Observation {
  Timestamp event_time;
  PartitionId partition;
  Offset offset;
  std::span<const double> row;  // one value a column, without the score; not finite = missing
  double score = 0;             // used where the reference has one
};

// Deterministic: the same observations give the same alerts. Constant memory: at most
// kWindowsOpen windows and kPartitionsMax offset ranges each. Copies are independent, so that a
// copy is a checkpoint. Not thread-safe.
class DriftMonitor {
 public:
  static constexpr std::size_t kWindowsOpen = 4;
  static constexpr std::size_t kPartitionsMax = 1024;
  // A single clock that is wrong must not close the window for all: the stream's time enters the
  // next window when it has so many records, and goes farther when that window has so many.
  static constexpr std::uint64_t kStepRecords = 3;
  static constexpr std::uint64_t kJumpRecords = 16;
  // So many late records without any other between: the stream was set back, watching starts anew.
  static constexpr std::uint64_t kLateRecordsMax = 256;

  // `reference` is shared with copies. raise_after, clear_after >= 1, lateness >= 0 (CHECK).
  DriftMonitor(std::shared_ptr<const Reference> reference, const MonitorOptions& options);
  DriftMonitor(const DriftMonitor& other);
  DriftMonitor& operator=(const DriftMonitor& other);
  DriftMonitor(DriftMonitor&&) noexcept;
  DriftMonitor& operator=(DriftMonitor&&) noexcept;
  ~DriftMonitor();

  // Alerts of the windows that this record closed, the farthest beyond its threshold first; nearly
  // always none. `row` has as many values as the reference has columns without the score (CHECK).
  std::vector<Alert> observe(const Observation& observation);

  const Reference& reference() const;
  const MonitorCounts& counts() const;
  // Of the last judged window, by column and statistic; empty before the first.
  const std::vector<Reading>& readings() const;
  // Whether any alert of the column is raised.
  bool is_drifting(std::size_t column) const;

  // Counts the records that wait to be counted together. Changes nothing that can be seen, but
  // copies are then cheaper.
  void settle();

  // Everything but the reference and the options; docs/formats/state.md has the bytes.
  std::string save() const;
  // Takes up what save() wrote, for the same reference and window. Errors: kBadData; the monitor is
  // then as it was.
  Status restore(std::string_view saved);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::drift
