#include "drift/monitor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "drift/internal/judge.h"
#include "drift/internal/window_start.h"
#include "drift/internal/window_state.h"
#include "json/json.h"

namespace millrace::drift {

using internal::Judge;
using internal::OpenWindow;
using internal::WindowState;

struct DriftMonitor::State {
  std::shared_ptr<const Reference> reference;
  MonitorOptions options;
  Judge judge;
  MonitorCounts counts;
  std::map<Timestamp, OpenWindow> open;  // by start; at most one when windows go by records
  std::optional<Timestamp> watermark;    // the stream's time: the latest event believed
  std::optional<Timestamp> closed_end;   // what is earlier is late
  std::uint64_t late_in_a_row = 0;
  std::vector<double> row;  // with the score

  bool by_time() const { return reference->window.kind == WindowSpec::Kind::kTime; }
  OpenWindow* window_for(Timestamp time);
  OpenWindow* open_at(Timestamp start, Timestamp end);
  void advance(Timestamp time, const OpenWindow& window);
  void start_anew();
  bool is_over(const OpenWindow& window) const;
  std::vector<Alert> close(std::map<Timestamp, OpenWindow>::iterator which);
  std::vector<Alert> close_what_is_over();
};

// Opens a window, where there is room: of windows ahead of the stream the one with the fewest
// records gives way.
OpenWindow* DriftMonitor::State::open_at(Timestamp start, Timestamp end) {
  if (open.size() == kWindowsOpen) {
    auto least = open.end();
    for (auto it = open.begin(); it != open.end(); ++it) {
      const bool ahead = !watermark || it->first > *watermark;
      if (!ahead) continue;
      if (least == open.end() || it->second.state.records() < least->second.state.records()) {
        least = it;
      }
    }
    if (least == open.end()) return nullptr;
    counts.stray += least->second.state.records();
    open.erase(least);
  }
  OpenWindow& made = open[start];
  made.start = start;
  made.end = end;
  made.state = WindowState(*reference);
  return &made;
}

// The window of an event, opened where needed; nothing for what is late or has no room.
OpenWindow* DriftMonitor::State::window_for(Timestamp time) {
  if (!by_time()) {
    if (!open.empty()) {
      OpenWindow& window = open.begin()->second;
      window.start = std::min(window.start, time);
      window.end = std::max(window.end, time);
      return &window;
    }
    return open_at(time, time);
  }
  const Timestamp start = internal::window_start(time, reference->window.length);
  if (closed_end && start < *closed_end) {
    ++counts.late;
    if (++late_in_a_row >= kLateRecordsMax) start_anew();
    return nullptr;
  }
  late_in_a_row = 0;
  if (const auto found = open.find(start); found != open.end()) return &found->second;
  OpenWindow* const made = open_at(start, start.plus(reference->window.length.count()));
  if (made == nullptr) ++counts.stray;
  return made;
}

// The stream's time follows its events, but into another window only when several say so.
void DriftMonitor::State::advance(Timestamp time, const OpenWindow& window) {
  if (watermark && time <= *watermark) return;
  std::uint64_t needed = 1;
  if (!watermark || window.start > *watermark) {
    const bool near =
        watermark && window.start.value() - watermark->value() <= reference->window.length.count();
    needed = near ? kStepRecords : kJumpRecords;
  }
  if (window.state.records() >= needed) watermark = time;
}

// Nothing but late events: the stream was set back, or its time once ran ahead by mistake.
void DriftMonitor::State::start_anew() {
  for (const auto& [start, window] : open) counts.stray += window.state.records();
  open.clear();
  watermark.reset();
  closed_end.reset();
  late_in_a_row = 0;
}

bool DriftMonitor::State::is_over(const OpenWindow& window) const {
  if (!by_time()) return window.state.records() >= reference->window.records;
  return watermark && *watermark >= window.end.plus(options.lateness.count());
}

std::vector<Alert> DriftMonitor::State::close(std::map<Timestamp, OpenWindow>::iterator which) {
  OpenWindow& window = which->second;
  std::vector<Alert> alerts;
  if (window.state.records() < reference->records_min()) {
    ++counts.skipped;
  } else {
    ++counts.windows;
    alerts = judge.judge(*reference, window);
  }
  for (const Alert& alert : alerts) {
    ++(alert.state == Alert::State::kRaised ? counts.raised : counts.cleared);
  }
  if (by_time()) closed_end = std::max(closed_end.value_or(window.end), window.end);
  open.erase(which);
  return alerts;
}

std::vector<Alert> DriftMonitor::State::close_what_is_over() {
  std::vector<Alert> alerts;
  while (!open.empty() && is_over(open.begin()->second)) {
    std::vector<Alert> more = close(open.begin());
    alerts.insert(alerts.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
  }
  return alerts;
}

DriftMonitor::DriftMonitor(std::shared_ptr<const Reference> reference,
                           const MonitorOptions& options)
    : state_(std::make_unique<State>()) {
  CHECK(reference != nullptr && options.lateness.count() >= 0);
  state_->judge = Judge(*reference, options);
  state_->row.resize(reference->columns.size());
  state_->reference = std::move(reference);
  state_->options = options;
}

DriftMonitor::DriftMonitor(const DriftMonitor& other)
    : state_(std::make_unique<State>(*other.state_)) {}
DriftMonitor& DriftMonitor::operator=(const DriftMonitor& other) {
  if (this != &other) *state_ = *other.state_;
  return *this;
}
DriftMonitor::DriftMonitor(DriftMonitor&&) noexcept = default;
DriftMonitor& DriftMonitor::operator=(DriftMonitor&&) noexcept = default;
DriftMonitor::~DriftMonitor() = default;

std::vector<Alert> DriftMonitor::observe(const Observation& observation) {
  State& s = *state_;
  const std::size_t columns = s.row.size() - (s.reference->has_score ? 1 : 0);
  CHECK(observation.row.size() == columns);
  ++s.counts.observed;
  OpenWindow* const window = s.window_for(observation.event_time);
  if (window == nullptr) return {};
  std::copy(observation.row.begin(), observation.row.end(), s.row.begin());
  if (s.reference->has_score) s.row.back() = observation.score;
  window->state.add(*s.reference, s.row);
  const auto found = window->offsets.find(observation.partition);
  if (found != window->offsets.end()) {
    found->second.first = std::min(found->second.first, observation.offset);
    found->second.last = std::max(found->second.last, observation.offset);
  } else if (window->offsets.size() < kPartitionsMax) {
    window->offsets[observation.partition] = {observation.offset, observation.offset};
  }
  if (s.by_time()) s.advance(observation.event_time, *window);
  return s.close_what_is_over();
}

const Reference& DriftMonitor::reference() const { return *state_->reference; }
const MonitorCounts& DriftMonitor::counts() const { return state_->counts; }
const std::vector<Reading>& DriftMonitor::readings() const { return state_->judge.readings(); }
bool DriftMonitor::is_drifting(std::size_t column) const {
  return state_->judge.is_drifting(column);
}

std::string_view to_string(Alert::State state) {
  return state == Alert::State::kRaised ? "raised" : "cleared";
}

namespace {

json::Value optional_time(const std::optional<Timestamp>& time) {
  return time ? json::Value(time->value()) : json::Value(nullptr);
}

Result<std::optional<Timestamp>> read_optional_time(const json::Value& value,
                                                    std::string_view key) {
  if (value.contains(key) && value[std::string(key)].is_null()) return std::optional<Timestamp>();
  MILLRACE_ASSIGN(const auto ms, json::get<std::int64_t>(value, key));
  return std::optional<Timestamp>(Timestamp(ms));
}

json::Value window_to_json(const OpenWindow& window) {
  json::Value offsets = json::Value::array();
  for (const auto& [partition, span] : window.offsets) {
    offsets.push_back(
        json::Value::array({partition.value(), span.first.value(), span.last.value()}));
  }
  json::Value out = window.state.to_json();
  out["start"] = window.start.value();
  out["end"] = window.end.value();
  out["offsets"] = std::move(offsets);
  return out;
}

Result<OpenWindow> window_from_json(const Reference& reference, const json::Value& value) {
  OpenWindow out;
  MILLRACE_ASSIGN(const auto start, json::get<std::int64_t>(value, "start"));
  MILLRACE_ASSIGN(const auto end, json::get<std::int64_t>(value, "end"));
  out.start = Timestamp(start);
  out.end = Timestamp(end);
  MILLRACE_ASSIGN(const auto offsets,
                  json::get<std::vector<std::vector<std::int64_t>>>(value, "offsets"));
  for (const auto& row : offsets) {
    if (row.size() != 3 || out.offsets.size() == DriftMonitor::kPartitionsMax) {
      return Error(ErrorCode::kBadData, "the offsets of a drift state are unsound");
    }
    out.offsets[PartitionId(static_cast<std::int32_t>(row[0]))] = {Offset(row[1]), Offset(row[2])};
  }
  MILLRACE_ASSIGN(out.state, WindowState::from_json(reference, value));
  return out;
}

// The counters in one order.
std::array<std::uint64_t*, 7> counters(MonitorCounts& counts) {
  return {&counts.observed, &counts.late,   &counts.stray,  &counts.windows,
          &counts.skipped,  &counts.raised, &counts.cleared};
}

}  // namespace

json::Value DriftMonitor::to_json() const {
  json::Value windows = json::Value::array();
  for (const auto& [start, window] : state_->open) windows.push_back(window_to_json(window));
  json::Value counts = json::Value::array();
  for (const std::uint64_t* count : counters(state_->counts)) counts.push_back(*count);
  return {{"version", 1},
          {"window", to_string(state_->reference->window)},
          {"watermark", optional_time(state_->watermark)},
          {"closed_end", optional_time(state_->closed_end)},
          {"late_in_a_row", state_->late_in_a_row},
          {"counts", std::move(counts)},
          {"alerts", state_->judge.to_json()},
          {"open", std::move(windows)}};
}

Status DriftMonitor::restore(const json::Value& value) {
  MILLRACE_ASSIGN(const auto version, json::get<int>(value, "version"));
  MILLRACE_ASSIGN(const auto window, json::get<std::string>(value, "window"));
  if (version != 1 || window != to_string(state_->reference->window)) {
    return Error(ErrorCode::kBadData, "a drift state of another version or window");
  }
  State read = *state_;
  MILLRACE_ASSIGN(read.watermark, read_optional_time(value, "watermark"));
  MILLRACE_ASSIGN(read.closed_end, read_optional_time(value, "closed_end"));
  MILLRACE_ASSIGN(read.late_in_a_row, json::get<std::uint64_t>(value, "late_in_a_row"));
  MILLRACE_ASSIGN(const auto counts, json::get<std::vector<std::uint64_t>>(value, "counts"));
  const auto places = counters(read.counts);
  if (counts.size() != places.size()) {
    return Error(ErrorCode::kBadData, "the counts of a drift state are unsound");
  }
  for (std::size_t i = 0; i < counts.size(); ++i) *places.at(i) = counts[i];
  MILLRACE_ASSIGN(const auto alerts, json::get<json::Value>(value, "alerts"));
  MILLRACE_TRY(read.judge.restore(*read.reference, alerts));
  MILLRACE_ASSIGN(const auto windows, json::get<json::Value>(value, "open"));
  if (!windows.is_array() || windows.size() > kWindowsOpen) {
    return Error(ErrorCode::kBadData, "the windows of a drift state are unsound");
  }
  read.open.clear();
  for (const json::Value& one : windows) {
    MILLRACE_ASSIGN(OpenWindow its, window_from_json(*read.reference, one));
    read.open.emplace(its.start, std::move(its));
  }
  *state_ = std::move(read);
  return {};
}

}  // namespace millrace::drift
