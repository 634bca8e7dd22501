#include "drift/monitor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "drift/internal/judge.h"
#include "drift/internal/window_start.h"
#include "drift/internal/window_state.h"

namespace millrace::drift {

using internal::ByteReader;
using internal::ByteWriter;
using internal::CellTable;
using internal::Judge;
using internal::OpenWindow;
using internal::WindowState;

struct DriftMonitor::State {
  std::shared_ptr<const Reference> reference;
  std::shared_ptr<const CellTable> table;
  MonitorOptions options;
  Judge judge;
  MonitorCounts counts;
  std::map<Timestamp, OpenWindow> open;  // by start; at most one when windows go by records
  std::optional<Timestamp> watermark;    // the stream's time: the latest event believed
  std::optional<Timestamp> closed_end;   // what is earlier is late
  std::uint64_t late_in_a_row = 0;

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
  made.state = WindowState(table);
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
    window.state.settle();
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
  state_->table = std::make_shared<const CellTable>(*reference);
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
  ++s.counts.observed;
  OpenWindow* const window = s.window_for(observation.event_time);
  if (window == nullptr) return {};
  if (s.reference->has_score) {
    window->state.add(observation.row, observation.score);
  } else {
    window->state.add(observation.row);
  }
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

constexpr std::string_view kMagic = "MRD1";
// More of them is no judge's memory.
constexpr std::uint64_t kWindowsInARowMax = UINT32_MAX;

void put_time(ByteWriter& out, const std::optional<Timestamp>& time) {
  out.number(time ? 1 : 0);
  if (time) out.signed_number(time->value());
}

Result<std::optional<Timestamp>> get_time(ByteReader& in) {
  MILLRACE_ASSIGN(const std::uint64_t known, in.number_up_to(1));
  if (known == 0) return std::optional<Timestamp>();
  MILLRACE_ASSIGN(const std::int64_t ms, in.signed_number());
  return std::optional<Timestamp>(Timestamp(ms));
}

void put_window(ByteWriter& out, const OpenWindow& window) {
  out.signed_number(window.start.value());
  out.signed_number(window.end.value());
  out.number(window.offsets.size());
  for (const auto& [partition, span] : window.offsets) {
    out.signed_number(partition.value());
    out.signed_number(span.first.value());
    out.signed_number(span.last.value());
  }
  WindowState settled = window.state;
  settled.settle();
  settled.save(out);
}

Result<OpenWindow> get_window(const std::shared_ptr<const CellTable>& table, ByteReader& in) {
  OpenWindow out;
  MILLRACE_ASSIGN(const std::int64_t start, in.signed_number());
  MILLRACE_ASSIGN(const std::int64_t end, in.signed_number());
  out.start = Timestamp(start);
  out.end = Timestamp(end);
  MILLRACE_ASSIGN(std::uint64_t partitions, in.number_up_to(DriftMonitor::kPartitionsMax));
  for (; partitions > 0; --partitions) {
    MILLRACE_ASSIGN(const std::int64_t partition, in.signed_number());
    MILLRACE_ASSIGN(const std::int64_t first, in.signed_number());
    MILLRACE_ASSIGN(const std::int64_t last, in.signed_number());
    out.offsets[PartitionId(static_cast<std::int32_t>(partition))] = {Offset(first), Offset(last)};
  }
  MILLRACE_ASSIGN(out.state, WindowState::read(table, in));
  return out;
}

// What a state is of besides the reference: a monitor of another window cannot go on with it.
std::uint64_t length_of(const WindowSpec& window) {
  return window.kind == WindowSpec::Kind::kTime ? static_cast<std::uint64_t>(window.length.count())
                                                : window.records;
}

// The counters in one order.
std::array<std::uint64_t*, 7> counters(MonitorCounts& counts) {
  return {&counts.observed, &counts.late,   &counts.stray,  &counts.windows,
          &counts.skipped,  &counts.raised, &counts.cleared};
}

}  // namespace

void DriftMonitor::settle() {
  for (auto& [start, window] : state_->open) window.state.settle();
}

std::string DriftMonitor::save() const {
  std::string bytes(kMagic);
  ByteWriter out(bytes);
  const WindowSpec& window = state_->reference->window;
  out.number(static_cast<std::uint64_t>(window.kind));
  out.number(length_of(window));
  out.number(state_->table->columns());
  out.number(state_->table->cells());
  put_time(out, state_->watermark);
  put_time(out, state_->closed_end);
  out.number(state_->late_in_a_row);
  for (const std::uint64_t* const count : counters(state_->counts)) out.number(*count);
  out.numbers(state_->judge.memory());
  out.number(state_->open.size());
  for (const auto& [start, one] : state_->open) put_window(out, one);
  return bytes;
}

Status DriftMonitor::restore(std::string_view saved) {
  const WindowSpec& window = state_->reference->window;
  const Error other(ErrorCode::kBadData, "a drift state of another version, window or model");
  if (!saved.starts_with(kMagic)) return other;
  ByteReader in(saved.substr(kMagic.size()));
  for (const std::uint64_t wanted : {static_cast<std::uint64_t>(window.kind), length_of(window),
                                     state_->table->columns(), state_->table->cells()}) {
    MILLRACE_ASSIGN(const std::uint64_t found, in.number());
    if (found != wanted) return other;
  }
  State read = *state_;
  MILLRACE_ASSIGN(read.watermark, get_time(in));
  MILLRACE_ASSIGN(read.closed_end, get_time(in));
  MILLRACE_ASSIGN(read.late_in_a_row, in.number());
  for (std::uint64_t* const count : counters(read.counts)) {
    MILLRACE_ASSIGN(*count, in.number());
  }
  std::vector<std::uint64_t> memory = read.judge.memory();
  MILLRACE_TRY(in.numbers(memory));
  for (const std::uint64_t one : memory) {
    if (one > kWindowsInARowMax) return other;
  }
  read.judge.restore(memory);
  MILLRACE_ASSIGN(std::uint64_t windows, in.number_up_to(kWindowsOpen));
  read.open.clear();
  for (; windows > 0; --windows) {
    MILLRACE_ASSIGN(OpenWindow its, get_window(read.table, in));
    read.open.emplace(its.start, std::move(its));
  }
  if (!in.at_end()) return other;
  *state_ = std::move(read);
  return {};
}

}  // namespace millrace::drift
