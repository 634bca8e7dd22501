#include "features/internal/series_program.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace millrace::features::internal {
namespace {

constexpr std::array<std::pair<CalendarPart, std::string_view>, 11> kCalendarWords{{
    {CalendarPart::kHour, "hour"},
    {CalendarPart::kDay, "day"},
    {CalendarPart::kMonth, "month"},
    {CalendarPart::kWeekday, "weekday"},
    {CalendarPart::kSeason, "season"},
    {CalendarPart::kHourSin, "hour_sin"},
    {CalendarPart::kHourCos, "hour_cos"},
    {CalendarPart::kWeekdaySin, "weekday_sin"},
    {CalendarPart::kWeekdayCos, "weekday_cos"},
    {CalendarPart::kMonthSin, "month_sin"},
    {CalendarPart::kMonthCos, "month_cos"},
}};
constexpr std::array<std::pair<RollingStatistic, std::string_view>, 4> kStatisticWords{{
    {RollingStatistic::kMean, "mean"},
    {RollingStatistic::kStd, "std"},
    {RollingStatistic::kMin, "min"},
    {RollingStatistic::kMax, "max"},
}};

// Goes over the operators, collecting tracks and columns, and what is wrong.
class Layouter {
 public:
  explicit Layouter(const data::Schema& schema) : schema_(schema) {}

  Result<SeriesLayout> run(const SeriesPlan& plan) {
    if (plan.step.count() <= 0) problems_.push_back("the step of a series must be above 0");
    for (const SeriesOperator& op : plan.operators) {
      name_ = operator_name(op);
      std::visit([this](const auto& it) { add(it); }, op);
    }
    name_ = "the series";
    for (const std::string& field : plan.tracked) track(field);
    if (problems_.empty() && out_.names.empty())
      problems_.push_back("the features make no column; name at least one field");
    if (out_.names.size() > kSeriesColumnsMax)
      problems_.push_back("more than " + std::to_string(kSeriesColumnsMax) + " columns");
    if (!problems_.empty()) {
      std::string all;
      for (const std::string& problem : problems_) all += (all.empty() ? "" : "\n") + problem;
      return Error(ErrorCode::kConfig, all);
    }
    for (Track& each : out_.tracks) place(each);
    return std::move(out_);
  }

 private:
  void problem(const std::string& what) { problems_.push_back(name_ + ": " + what); }

  // The field's track; nullptr with a problem noted.
  Track* track(const std::string& field) {
    const auto index = schema_.find(field);
    if (!index) {
      problem("field '" + field + "' is not in the schema" + did_you_mean(field, schema_.names()));
      return nullptr;
    }
    if (!data::is_numeric(schema_.field(*index).type)) {
      problem("field '" + field + "' is of type " +
              std::string(to_string(schema_.field(*index).type)) + "; series are of numbers");
      return nullptr;
    }
    const auto found = track_of_.find(*index);
    if (found != track_of_.end()) return &out_.tracks[found->second];
    track_of_.emplace(*index, out_.tracks.size());
    Track made;
    made.field = *index;
    made.name = field;
    made.fill.with = CausalFill::kNone;
    out_.tracks.push_back(std::move(made));
    return &out_.tracks.back();
  }

  std::uint32_t column(std::string name) {
    if (!columns_.insert(name).second) problem("makes column '" + name + "' a second time");
    out_.names.push_back(std::move(name));
    return static_cast<std::uint32_t>(out_.names.size() - 1);
  }

  std::uint32_t column_named(const std::string& name) {
    const auto found = std::find(out_.names.begin(), out_.names.end(), name);
    if (found != out_.names.end()) return static_cast<std::uint32_t>(found - out_.names.begin());
    problem("column '" + name + "' is not made by an operator before" +
            did_you_mean(name, out_.names));
    return 0;
  }

  // Each of `list` is in its range and stands there once.
  bool sound(const std::vector<std::uint32_t>& list, std::string_view what, std::uint32_t least) {
    std::set<std::uint32_t> seen;
    if (list.empty()) problem("names no " + std::string(what));
    for (const std::uint32_t each : list) {
      if (each < least || each > kSeriesStepsMax) {
        problem(std::string(what) + " " + std::to_string(each) + " is not between " +
                std::to_string(least) + " and " + std::to_string(kSeriesStepsMax));
        return false;
      }
      if (!seen.insert(each).second) {
        problem(std::string(what) + " " + std::to_string(each) + " stands there twice");
        return false;
      }
    }
    return !list.empty();
  }

  template <class Names>
  bool some(const Names& names) {
    if (names.empty()) problem("names no field");
    return !names.empty();
  }

  void add(const Fill& op) {
    if (op.season < 1 || op.season > kSeriesStepsMax) problem("a season of no length");
    some(op.fields);
    for (const std::string& field : op.fields) {
      Track* on = track(field);
      if (on == nullptr) continue;
      if (on->fill.with != CausalFill::kNone) problem("field '" + field + "' is filled already");
      on->fill = op;
      on->fill.fields.clear();
    }
  }

  void add(const Clip& op) {
    if (!(op.min < op.max)) problem("min is not below max");
    some(op.fields);
    for (const std::string& field : op.fields) {
      Track* on = track(field);
      if (on == nullptr) continue;
      if (std::exchange(on->clipped, true)) problem("field '" + field + "' is clipped already");
      on->min = op.min;
      on->max = op.max;
    }
  }

  void add_lags(const std::vector<std::string>& fields, const std::vector<std::uint32_t>& steps,
                std::uint32_t least) {
    const bool difference = least > 0;
    if (!sound(steps, "step", least) || !some(fields)) return;
    for (const std::string& field : fields) {
      Track* on = track(field);
      if (on == nullptr) continue;
      for (const std::uint32_t step : steps) {
        const std::string suffix = (difference ? "_diff_" : "_lag_") + std::to_string(step);
        on->lags.push_back({step, column(step == 0 ? field : field + suffix), difference});
        out_.steps_needed = std::max(out_.steps_needed, step + 1);
      }
    }
  }
  void add(const Lag& op) { add_lags(op.fields, op.steps, 0); }
  void add(const Difference& op) { add_lags(op.fields, op.steps, 1); }

  void add(const Ema& op) {
    if (!sound(op.spans, "span", 1) || !some(op.fields)) return;
    for (const std::string& field : op.fields) {
      Track* on = track(field);
      if (on == nullptr) continue;
      for (const std::uint32_t span : op.spans) {
        on->emas.push_back({2.0 / (static_cast<double>(span) + 1), 0,
                            column(field + "_ema_" + std::to_string(span))});
      }
    }
  }

  void add(const Rolling& op) {
    if (!sound(op.windows, "window", 1) || !some(op.fields)) return;
    if (op.statistics.empty()) problem("names no statistic");
    for (const std::string& field : op.fields) {
      Track* on = track(field);
      if (on == nullptr) continue;
      for (const std::uint32_t window : op.windows) {
        RollingColumns made;
        made.window = window;
        made.past = window - 1;
        for (const RollingStatistic statistic : op.statistics) {
          const std::uint32_t to =
              column(field + "_" + std::string(word_of(statistic)) + "_" + std::to_string(window));
          if (statistic == RollingStatistic::kMean) made.mean = to;
          if (statistic == RollingStatistic::kStd) made.std = to;
          if (statistic == RollingStatistic::kMin) made.min = to;
          if (statistic == RollingStatistic::kMax) made.max = to;
        }
        on->rollings.push_back(made);
      }
    }
  }

  void add(const Slope& op) {
    if (!sound(op.windows, "window", 2) || !some(op.fields)) return;
    out_.steps_needed = std::max(out_.steps_needed, 2U);
    for (const std::string& field : op.fields) {
      Track* on = track(field);
      if (on == nullptr) continue;
      for (const std::uint32_t window : op.windows) {
        on->slopes.push_back(
            {window, window - 1, 0, column(field + "_slope_" + std::to_string(window))});
      }
    }
  }

  void add(const Interact& op) {
    if (op.columns.size() < 2) problem("needs two columns or more");
    for (std::size_t i = 0; i < op.columns.size(); ++i) {
      const std::uint32_t left = column_named(op.columns[i]);
      for (std::size_t j = i + 1; j < op.columns.size(); ++j) {
        ColumnStep step;
        step.product = {left, column_named(op.columns[j]),
                        column(op.columns[i] + "*" + op.columns[j])};
        out_.column_steps.push_back(step);
      }
    }
  }

  void add(const MinMax& op) {
    if (!(op.min < op.max)) problem("min is not below max");
    some(op.columns);
    for (const std::string& name : op.columns) {
      ColumnStep step;
      step.kind = ColumnStep::Kind::kScaled;
      step.scaled = {column_named(name), op.min, op.max - op.min};
      out_.column_steps.push_back(step);
    }
  }

  void add(const Calendar& op) {
    if (op.parts.empty()) problem("names no part of the calendar");
    for (const CalendarPart part : op.parts)
      out_.calendar.push_back({part, column(std::string(word_of(part)))});
  }

  std::uint32_t take(std::uint32_t doubles) {
    return std::exchange(out_.state_size, out_.state_size + doubles);
  }

  void place(Track& each) {
    std::uint32_t furthest = 0;
    for (const LagColumn& lag : each.lags) furthest = std::max(furthest, lag.steps);
    for (const RollingColumns& rolling : each.rollings) furthest = std::max(furthest, rolling.past);
    for (const SlopeColumn& slope : each.slopes) furthest = std::max(furthest, slope.past);
    if (each.fill.with == CausalFill::kSeasonal) furthest = std::max(furthest, each.fill.season);
    each.present = take(2);
    each.last = take(2);
    if (each.fill.with == CausalFill::kPastMean) each.past_mean = take(2);
    each.ring_size = furthest + 1;
    each.ring = take(each.ring_size);
    for (EmaColumn& ema : each.emas) ema.at = take(1);
    for (RollingColumns& rolling : each.rollings) {
      if (rolling.past == 0) continue;
      if (rolling.mean != kNone || rolling.std != kNone) rolling.moments = take(kMomentDoubles);
      if (rolling.min != kNone) rolling.least = take(2 + 2 * rolling.past);
      if (rolling.max != kNone) rolling.greatest = take(2 + 2 * rolling.past);
    }
    for (SlopeColumn& slope : each.slopes) slope.at = take(6);
  }

  const data::Schema& schema_;
  SeriesLayout out_;
  std::string name_;  // of the operator at hand
  std::unordered_map<std::size_t, std::size_t> track_of_;
  std::set<std::string> columns_;
  std::vector<std::string> problems_;
};

}  // namespace

Result<SeriesLayout> lay_out(const SeriesPlan& plan, const data::Schema& schema) {
  return Layouter(schema).run(plan);
}

std::string operator_name(const SeriesOperator& op) {
  struct Name {
    std::string operator()(const Fill&) const { return "fill"; }
    std::string operator()(const Clip&) const { return "clip"; }
    std::string operator()(const Lag&) const { return "lag"; }
    std::string operator()(const Difference&) const { return "difference"; }
    std::string operator()(const Ema&) const { return "ema"; }
    std::string operator()(const Rolling&) const { return "rolling"; }
    std::string operator()(const Slope&) const { return "slope"; }
    std::string operator()(const Interact&) const { return "interact"; }
    std::string operator()(const MinMax&) const { return "min_max"; }
    std::string operator()(const Calendar&) const { return "calendar"; }
  };
  return std::visit(Name{}, op);
}

std::string_view word_of(CalendarPart part) {
  for (const auto& [value, word] : kCalendarWords) {
    if (value == part) return word;
  }
  return "";
}

std::string_view word_of(RollingStatistic statistic) {
  for (const auto& [value, word] : kStatisticWords) {
    if (value == statistic) return word;
  }
  return "";
}

}  // namespace millrace::features::internal
