#include "features/series_transform.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <utility>

#include "base/check.h"
#include "env/digest.h"
#include "features/internal/series_json.h"
#include "features/internal/series_program.h"
#include "json/json.h"

namespace millrace::features {
namespace {

using namespace internal;  // the layout of a state; NOLINT(google-build-using-namespace)

constexpr int kFormat = 1;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// A key that was silent for more steps than this begins anew.
constexpr double kSilentStepsMax = 10'000;
// One value beyond it would stay in running sums and averages for ever.
constexpr double kMagnitudeMax = std::numeric_limits<float>::max();

double as_double(std::uint32_t value) { return static_cast<double>(value); }

// ----------------------------------------------------------------------------------------------
// one track's part of a state

// The value `back` steps before closed step number `next` (which is the next to be closed).
double past_value(const Track& track, const double* state, double next, std::uint32_t back) {
  if (as_double(back) > next) return kNaN;
  const auto index = static_cast<std::uint64_t>(next) - back;
  return state[track.ring + index % track.ring_size];
}

double observed(const Track& track, const double* state) {
  const double count = state[track.present + 1];
  return count > 0 ? state[track.present] / count : kNaN;
}

double filled(const Track& track, const double* state) {
  const double seen = observed(track, state);
  if (!std::isnan(seen) || track.fill.with == CausalFill::kNone) return seen;
  const double last = state[track.last];
  if (track.fill.limit > 0 && state[track.last + 1] + 1 > as_double(track.fill.limit)) return kNaN;
  switch (track.fill.with) {
    case CausalFill::kPastMean:
      return state[track.past_mean] > 0 ? state[track.past_mean + 1] : kNaN;
    case CausalFill::kSeasonal: {
      const double before = past_value(track, state, state[kClosed], track.fill.season);
      return std::isnan(before) ? last : before;
    }
    default:
      return last;
  }
}

// A sum in twice the precision of a double, high and low part (Knuth's two-sum; Dekker, "A
// floating-point technique for extending the available precision", 1971): what leaves a window
// leaves nothing behind, also where a window of large values is followed by one that stands still.
void add_twofold(double* sum, double value) {
  const double high = sum[0] + value;
  const double part = high - sum[0];
  sum[1] += (sum[0] - (high - part)) + (value - part);
  sum[0] = high;
}

// Count, sum and sum of squares (twofold each) with one value more, or with sign -1 less.
void add_moment(double* at, double value, double sign = 1) {
  at[0] += sign;
  add_twofold(at + 1, sign * value);
  const double square = value * value;
  add_twofold(at + 3, sign * square);
  at[4] += sign * std::fma(value, value, -square);
}

double mean_of(const double* at) { return (at[1] + at[2]) / at[0]; }

// Of the sample; 0 where the squares differ by no more than their own precision.
double deviation_of(const double* at) {
  const double count = at[0];
  if (count < 2) return 0;
  const double square = at[1] * at[1];
  const double square_low = std::fma(at[1], at[1], -square) + 2 * at[1] * at[2];
  const double share = square / count;
  const double share_low = (std::fma(-share, count, square) + square_low) / count;
  const double squares = (at[3] - share) + (at[4] - share_low);
  constexpr double kPrecision = 0x1p-100;
  return squares > count * kPrecision * at[3] ? std::sqrt(squares / (count - 1)) : 0;
}

void add_point(double* at, double t, double value, double sign) {
  at[0] += sign;
  at[2] += sign * t;
  at[3] += sign * t * t;
  at[4] += sign * value;
  at[5] += sign * t * value;
}

// A queue of (step, value) whose values fall (or rise) from front to back: the front is the
// greatest (least) of the window.
class Extremes {
 public:
  Extremes(double* at, std::uint32_t size) : at_(at), size_(size) {}
  template <class Beats>
  void push(double step, double value, Beats beats) {
    while (length() > 0 && !beats(pair(length() - 1)[1], value)) at_[1] -= 1;
    double* const last = pair(length());
    last[0] = step;
    last[1] = value;
    at_[1] += 1;
  }
  void drop_until(double step) {
    while (length() > 0 && pair(0)[0] <= step) {
      at_[0] = static_cast<double>((start() + 1) % size_);
      at_[1] -= 1;
    }
  }

 private:
  std::uint32_t start() const { return static_cast<std::uint32_t>(at_[0]); }
  std::uint32_t length() const { return static_cast<std::uint32_t>(at_[1]); }
  double* pair(std::uint32_t i) { return at_ + 2 + 2 * ((start() + i) % size_); }

  double* at_;
  std::uint32_t size_;
};

// The front of such a queue, NaN of an empty one.
double front_of(const double* at) {
  return at[1] > 0 ? at[2 + 2 * static_cast<std::uint32_t>(at[0]) + 1] : kNaN;
}

// The window's history moves on by the value of step `now`; `gone` leaves it.
void roll(const Track& track, const RollingColumns& rolling, double* state, double now,
          double value, double gone) {
  const bool anew = static_cast<std::uint64_t>(now) % rolling.window == 0;
  if (rolling.moments != kNone && !anew) {
    if (!std::isnan(value)) add_moment(state + rolling.moments, value);
    if (!std::isnan(gone)) add_moment(state + rolling.moments, gone, -1);
  } else if (rolling.moments != kNone) {
    double* const at = state + rolling.moments;
    std::fill_n(at, kMomentDoubles, 0.0);
    for (std::uint32_t back = rolling.past; back >= 1; --back) {
      const double old = past_value(track, state, now + 1, back);
      if (!std::isnan(old)) add_moment(at, old);
    }
  }
  const double before_window = now - as_double(rolling.past);
  if (rolling.least != kNone) {
    Extremes least(state + rolling.least, rolling.past);
    least.drop_until(before_window);
    if (!std::isnan(value)) least.push(now, value, std::less<>());
  }
  if (rolling.greatest != kNone) {
    Extremes greatest(state + rolling.greatest, rolling.past);
    greatest.drop_until(before_window);
    if (!std::isnan(value)) greatest.push(now, value, std::greater<>());
  }
}

void lean(const Track& track, const SlopeColumn& slope, double* state, double now, double value,
          double gone) {
  double* const at = state + slope.at;
  if (static_cast<std::uint64_t>(now) % slope.window != 0) {
    if (!std::isnan(value)) add_point(at, now - at[1], value, 1);
    if (!std::isnan(gone)) add_point(at, now - as_double(slope.past) - at[1], gone, -1);
    return;
  }
  std::fill_n(at, 6, 0.0);
  at[1] = now;
  for (std::uint32_t back = slope.past; back >= 1; --back) {
    const double old = past_value(track, state, now + 1, back);
    if (!std::isnan(old)) add_point(at, 1 - as_double(back), old, 1);
  }
}

// The present step becomes part of the past.
void close_track(const Track& track, double* state) {
  const double now = state[kClosed];
  const double seen = observed(track, state);
  const double value = filled(track, state);
  // The history of each window loses the value that was `past` steps before this one.
  const auto gone = [&](std::uint32_t past) { return past_value(track, state, now, past); };
  const std::uint32_t slot =
      track.ring + static_cast<std::uint32_t>(static_cast<std::uint64_t>(now) % track.ring_size);
  // The ring holds one step more than any window needs, so its new value takes nobody's old one.
  state[slot] = value;
  for (const EmaColumn& ema : track.emas) {
    double& average = state[ema.at];
    if (std::isnan(value)) continue;
    average = std::isnan(average) ? value : average + ema.alpha * (value - average);
  }
  for (const RollingColumns& rolling : track.rollings) {
    if (rolling.past > 0) roll(track, rolling, state, now, value, gone(rolling.past));
  }
  for (const SlopeColumn& slope : track.slopes)
    lean(track, slope, state, now, value, gone(slope.past));
  if (!std::isnan(seen)) {
    state[track.last] = seen;
    state[track.last + 1] = 0;
    if (track.past_mean != kNone) {
      double* const mean = state + track.past_mean;
      mean[0] += 1;
      mean[1] += (seen - mean[1]) / mean[0];
    }
  } else {
    state[track.last + 1] += 1;
  }
  state[track.present] = 0;
  state[track.present + 1] = 0;
}

// ----------------------------------------------------------------------------------------------
// columns

void write_rolling(const RollingColumns& rolling, const double* state, double value, double* out) {
  std::array<double, kMomentDoubles> moments{};
  if (rolling.moments != kNone)
    std::copy_n(state + rolling.moments, kMomentDoubles, moments.begin());
  if (!std::isnan(value)) add_moment(moments.data(), value);
  const bool known = moments[0] > 0;
  if (rolling.mean != kNone) out[rolling.mean] = known ? mean_of(moments.data()) : kNaN;
  if (rolling.std != kNone) out[rolling.std] = known ? deviation_of(moments.data()) : kNaN;
  // fmin and fmax take the other one of a NaN.
  if (rolling.min != kNone) {
    const double past = rolling.least != kNone ? front_of(state + rolling.least) : kNaN;
    out[rolling.min] = std::fmin(past, value);
  }
  if (rolling.max != kNone) {
    const double past = rolling.greatest != kNone ? front_of(state + rolling.greatest) : kNaN;
    out[rolling.max] = std::fmax(past, value);
  }
}

double slope_of(const SlopeColumn& slope, const double* state, double now, double value) {
  std::array<double, 6> sums{};
  std::copy_n(state + slope.at, 6, sums.begin());
  if (!std::isnan(value)) add_point(sums.data(), now - sums[1], value, 1);
  if (sums[0] < 2) return kNaN;
  return (sums[0] * sums[5] - sums[2] * sums[4]) / (sums[0] * sums[3] - sums[2] * sums[2]);
}

void write_track(const Track& track, const double* state, double* out) {
  const double now = state[kClosed];
  const double value = filled(track, state);
  for (const LagColumn& lag : track.lags) {
    const double before = lag.steps == 0 ? value : past_value(track, state, now, lag.steps);
    out[lag.column] = lag.difference ? value - before : before;
  }
  for (const EmaColumn& ema : track.emas) {
    const double average = state[ema.at];
    if (std::isnan(value)) {
      out[ema.column] = average;
    } else {
      out[ema.column] = std::isnan(average) ? value : average + ema.alpha * (value - average);
    }
  }
  for (const RollingColumns& rolling : track.rollings) write_rolling(rolling, state, value, out);
  for (const SlopeColumn& slope : track.slopes)
    out[slope.column] = slope_of(slope, state, now, value);
}

double calendar_value(CalendarPart part, int hour, int day, int month, int weekday) {
  const auto wave = [](double at, double period) { return 2 * std::numbers::pi * at / period; };
  switch (part) {
    case CalendarPart::kHour:
      return hour;
    case CalendarPart::kDay:
      return day;
    case CalendarPart::kMonth:
      return month;
    case CalendarPart::kWeekday:
      return weekday;
    case CalendarPart::kSeason:
      return std::floor(static_cast<double>(month % 12 + 3) / 3);
    case CalendarPart::kHourSin:
      return std::sin(wave(hour, 24));
    case CalendarPart::kHourCos:
      return std::cos(wave(hour, 24));
    case CalendarPart::kWeekdaySin:
      return std::sin(wave(weekday, 7));
    case CalendarPart::kWeekdayCos:
      return std::cos(wave(weekday, 7));
    case CalendarPart::kMonthSin:
      return std::sin(wave(month - 1, 12));
    case CalendarPart::kMonthCos:
      return std::cos(wave(month - 1, 12));
  }
  return kNaN;
}

void write_calendar(const std::vector<CalendarColumn>& columns, Timestamp time, double* out) {
  if (columns.empty()) return;
  namespace chrono = std::chrono;
  const chrono::sys_time<Milliseconds> at{Milliseconds(time.value())};
  const auto days = chrono::floor<chrono::days>(at);
  const chrono::year_month_day date(days);
  const auto hour = static_cast<int>(chrono::floor<chrono::hours>(at - days).count());
  const auto day = static_cast<int>(static_cast<unsigned>(date.day()));
  const auto month = static_cast<int>(static_cast<unsigned>(date.month()));
  const auto weekday = static_cast<int>(chrono::weekday(days).iso_encoding()) - 1;
  for (const CalendarColumn& column : columns)
    out[column.column] = calendar_value(column.part, hour, day, month, weekday);
}

Error bad_model(const std::string& what) {
  return Error(ErrorCode::kBadModel, "the model's features: " + what);
}

}  // namespace

struct SeriesTransform::Program {
  SeriesPlan plan;
  SeriesLayout layout;
  std::vector<std::pair<std::string, std::string>> fields;  // name and type of each track
  std::size_t cells = 0;                                    // a record has so many
  std::string fingerprint;

  json::Value to_json() const {
    json::Value out = plan_to_json(plan);
    out["format"] = kFormat;
    out["fields"] = json::Value::object();
    for (const auto& [name, type] : fields) out["fields"][name] = type;
    out["columns"] = layout.names;
    return out;
  }

  double step_of(Timestamp time) const {
    const std::int64_t step = plan.step.count();
    const std::int64_t ms = time.value();
    const std::int64_t number = ms / step - (ms % step < 0 ? 1 : 0);
    return static_cast<double>(number);
  }

  void begin(double* state, double step) const {
    std::fill_n(state, layout.state_size, 0.0);
    state[kStep] = step;
    state[kBegun] = 1;
    for (const Track& track : layout.tracks) {
      state[track.last] = kNaN;
      std::fill_n(state + track.ring, track.ring_size, kNaN);
      for (const EmaColumn& ema : track.emas) state[ema.at] = kNaN;
    }
  }

  void close(double* state) const {
    for (const Track& track : layout.tracks) close_track(track, state);
    state[kClosed] += 1;
    state[kStep] += 1;
  }
};

Result<SeriesTransform> SeriesTransform::make(const SeriesPlan& plan, const data::Schema& schema) {
  auto program = std::make_shared<Program>();
  MILLRACE_ASSIGN(program->layout, lay_out(plan, schema));
  program->plan = plan;
  program->cells = schema.size();
  for (const Track& track : program->layout.tracks) {
    program->fields.emplace_back(track.name,
                                 std::string(to_string(schema.field(track.field).type)));
  }
  program->fingerprint = env::sha256_hex(json::to_line(program->to_json())).substr(0, 16);
  return SeriesTransform(std::move(program));
}

Result<SeriesTransform> SeriesTransform::from_json(const json::Value& value,
                                                   const data::Schema& schema) {
  if (!value.is_object() || value.value("format", json::Value()) != kFormat)
    return bad_model("not of format " + std::to_string(kFormat));
  MILLRACE_ASSIGN(const SeriesPlan plan, plan_from_json(value));
  auto made = make(plan, schema);
  if (!made) return bad_model("they do not suit this schema: " + made.error().message());
  if (made->to_json() != value)
    return bad_model("their fields or columns are not those that the operators make here");
  return made;
}

json::Value SeriesTransform::to_json() const { return program_->to_json(); }
const SeriesPlan& SeriesTransform::plan() const { return program_->plan; }
const std::vector<std::string>& SeriesTransform::names() const { return program_->layout.names; }
const std::string& SeriesTransform::fingerprint() const { return program_->fingerprint; }
std::size_t SeriesTransform::state_size() const { return program_->layout.state_size; }
std::uint32_t SeriesTransform::steps_needed() const { return program_->layout.steps_needed; }

SeriesTransform::Taken SeriesTransform::take(std::span<const data::Cell> cells, Timestamp time,
                                             std::span<double> state) const {
  const Program& program = *program_;
  CHECK(cells.size() == program.cells && state.size() == program.layout.state_size);
  for (const Track& track : program.layout.tracks) {
    const data::Cell& cell = cells[track.field];
    if (cell.state == data::CellState::kNumber && std::abs(cell.number) > kMagnitudeMax)
      return Taken::kTooLarge;
  }
  double* const at = state.data();
  const double step = program.step_of(time);
  if (at[kBegun] == 0 || step - at[kStep] > kSilentStepsMax) {
    program.begin(at, step);
  } else if (step < at[kStep]) {
    return Taken::kLate;
  }
  while (at[kStep] < step) program.close(at);
  for (const Track& track : program.layout.tracks) {
    const data::Cell& cell = cells[track.field];
    if (cell.state != data::CellState::kNumber) continue;
    at[track.present] +=
        track.clipped ? std::clamp(cell.number, track.min, track.max) : cell.number;
    at[track.present + 1] += 1;
  }
  return Taken::kYes;
}

void SeriesTransform::features(std::span<const double> state, std::span<double> out) const {
  const SeriesLayout& layout = program_->layout;
  CHECK(state.size() == layout.state_size && out.size() == layout.names.size());
  double* const to = out.data();
  for (const Track& track : layout.tracks) write_track(track, state.data(), to);
  write_calendar(layout.calendar, current_step(state), to);
  for (const ColumnStep& step : layout.column_steps) {
    if (step.kind == ColumnStep::Kind::kProduct) {
      to[step.product.column] = to[step.product.left] * to[step.product.right];
    } else {
      to[step.scaled.column] = (to[step.scaled.column] - step.scaled.min) / step.scaled.scale;
    }
  }
}

Timestamp SeriesTransform::current_step(std::span<const double> state) const {
  return Timestamp(static_cast<std::int64_t>(state[kStep]) * program_->plan.step.count());
}

std::uint64_t SeriesTransform::steps_seen(std::span<const double> state) const {
  return state[kBegun] == 0 ? 0 : static_cast<std::uint64_t>(state[kClosed]) + 1;
}

std::size_t SeriesTransform::track_of(const std::string& field) const {
  const std::vector<Track>& tracks = program_->layout.tracks;
  const auto found = std::find_if(tracks.begin(), tracks.end(),
                                  [&](const Track& track) { return track.name == field; });
  CHECK(found != tracks.end());
  return static_cast<std::size_t>(found - tracks.begin());
}

double SeriesTransform::observed_value(std::span<const double> state, std::size_t track) const {
  return observed(program_->layout.tracks[track], state.data());
}

double SeriesTransform::current_value(std::span<const double> state, std::size_t track) const {
  return filled(program_->layout.tracks[track], state.data());
}

}  // namespace millrace::features
