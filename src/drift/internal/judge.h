// From a closed window's values to alerts, with hysteresis.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "drift/internal/window_state.h"
#include "drift/monitor.h"

namespace millrace::drift::internal {

// A window of the stream with its place.
struct OpenWindow {
  Timestamp start;
  Timestamp end;
  std::map<PartitionId, OffsetSpan> offsets;
  WindowState state;
};

// Remembers of every column and statistic whether its alert is raised. A plain value.
class Judge {
 public:
  Judge() = default;
  Judge(const Reference& reference, const MonitorOptions& options);

  // Alerts of a window that is large enough, the farthest beyond its threshold first.
  std::vector<Alert> judge(const Reference& reference, const OpenWindow& window);

  const std::vector<Reading>& readings() const { return readings_; }
  bool is_drifting(std::size_t column) const;

  // What is remembered, as numbers: three a column and statistic.
  std::vector<std::uint64_t> memory() const;
  // As many numbers as memory() has (CHECK).
  void restore(std::span<const std::uint64_t> memory);

 private:
  struct Memory {
    std::uint32_t beyond = 0;  // windows in a row
    std::uint32_t within = 0;
    bool active = false;
  };
  std::optional<Alert::State> step(Memory& memory, double exceeded) const;

  MonitorOptions options_;
  std::vector<std::array<Memory, kStatistics>> memory_;
  std::vector<Reading> readings_;
};

}  // namespace millrace::drift::internal
