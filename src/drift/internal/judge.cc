#include "drift/internal/judge.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace millrace::drift::internal {

Judge::Judge(const Reference& reference, const MonitorOptions& options)
    : options_(options), memory_(reference.columns.size()) {
  CHECK(options_.raise_after > 0 && options_.clear_after > 0);
  CHECK(options_.clear_below > 0 && options_.clear_below <= 1);
}

// What a window as far as `exceeded` beyond (above 1) its threshold makes of an alert.
std::optional<Alert::State> Judge::step(Memory& memory, double exceeded) const {
  if (exceeded > 1) {
    memory.within = 0;
    memory.beyond = std::min(memory.beyond + 1, options_.raise_after);
    if (memory.active || memory.beyond < options_.raise_after) return std::nullopt;
    memory.active = true;
    return Alert::State::kRaised;
  }
  memory.beyond = 0;
  // Between the two thresholds an alert neither comes nor goes.
  memory.within =
      exceeded <= options_.clear_below ? std::min(memory.within + 1, options_.clear_after) : 0;
  if (!memory.active || memory.within < options_.clear_after) return std::nullopt;
  memory.active = false;
  return Alert::State::kCleared;
}

std::vector<Alert> Judge::judge(const Reference& reference, const OpenWindow& window) {
  std::vector<Values> values = window.state.compare(reference);
  attribute_relations(reference, window.state, values);
  std::vector<std::pair<double, Alert>> found;
  readings_.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const Statistic statistic : kAllStatistics) {
      const auto at = static_cast<std::size_t>(statistic);
      if (!options_.statistics.at(at)) continue;
      Memory& memory = memory_[i].at(at);
      const double value = values[i].at(at);
      const Band band =
          reference.threshold(i, statistic, window.state.records(), window.state.count(i));
      const double threshold = value < 0 ? band.low : band.high;
      // What cannot be told leaves an alert as it is.
      if (!std::isnan(value)) {
        const double exceeded = exceedance(value, band);
        if (const auto state = step(memory, exceeded)) {
          Alert alert{*state,     reference.columns[i].profile.column.name,
                      statistic,  value,
                      threshold,  window.start,
                      window.end, window.state.records(),
                      {}};
          for (const auto& [partition, span] : window.offsets) {
            alert.offsets.push_back({partition, span.first, span.last});
          }
          found.emplace_back(exceeded, std::move(alert));
        }
      }
      readings_.push_back({i, statistic, value, threshold, memory.active});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Alert> alerts;
  alerts.reserve(found.size());
  for (auto& [exceeded, alert] : found) alerts.push_back(std::move(alert));
  return alerts;
}

bool Judge::is_drifting(std::size_t column) const {
  const auto& its = memory_.at(column);
  return std::any_of(its.begin(), its.end(), [](const Memory& m) { return m.active; });
}

std::vector<std::uint64_t> Judge::memory() const {
  std::vector<std::uint64_t> out;
  for (const auto& column : memory_) {
    for (const Memory& its : column) {
      out.insert(out.end(), {its.beyond, its.within, its.active ? std::uint64_t{1} : 0});
    }
  }
  return out;
}

void Judge::restore(std::span<const std::uint64_t> memory) {
  CHECK(memory.size() == memory_.size() * kStatistics * 3);
  std::size_t at = 0;
  for (auto& column : memory_) {
    for (Memory& its : column) {
      its.beyond =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(memory[at++], options_.raise_after));
      its.within =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(memory[at++], options_.clear_after));
      its.active = memory[at++] != 0;
    }
  }
}

}  // namespace millrace::drift::internal
