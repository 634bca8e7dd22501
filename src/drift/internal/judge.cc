#include "drift/internal/judge.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "json/json.h"

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

json::Value Judge::to_json() const {
  json::Value out = json::Value::array();
  for (const auto& column : memory_) {
    json::Value its = json::Value::array();
    for (const Memory& memory : column) {
      its.push_back(json::Value::array({memory.beyond, memory.within, memory.active ? 1 : 0}));
    }
    out.push_back(std::move(its));
  }
  return out;
}

Status Judge::restore(const Reference& reference, const json::Value& value) {
  const Error unsound(ErrorCode::kBadData, "the alerts of a drift state are unsound");
  if (!value.is_array() || value.size() != reference.columns.size()) return unsound;
  std::vector<std::array<Memory, kStatistics>> read(value.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (!value[i].is_array() || value[i].size() != kStatistics) return unsound;
    for (std::size_t s = 0; s < kStatistics; ++s) {
      const json::Value& its = value[i][s];
      if (!its.is_array() || its.size() != 3) return unsound;
      for (const json::Value& number : its) {
        if (!number.is_number_unsigned()) return unsound;
      }
      read[i].at(s) = {std::min(its[0].get<std::uint32_t>(), options_.raise_after),
                       std::min(its[1].get<std::uint32_t>(), options_.clear_after),
                       its[2].get<std::uint32_t>() != 0};
    }
  }
  memory_ = std::move(read);
  return {};
}

}  // namespace millrace::drift::internal
