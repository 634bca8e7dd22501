// The feature operators of a series, as plain data: what is made of the past of a key. One
// definition serves training, files and streams (features/series_transform.h).
//
// A series is cut into steps of equal length (an hour). All readings of a step count as one, their
// mean; a step without a reading is a missing one.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"

namespace millrace::features {

enum class CausalFill {
  kNone,          // missing stays NaN
  kCarryForward,  // the last observed value
  kSeasonal,      // the value one season before, the last observed one where that is missing too
  kPastMean,      // mean of all observed values so far
};
// How missing values of fields are filled for every operator of the series: from the past alone,
// so that a stream can do it. At most `limit` missing steps in a row are filled, 0 fills all.
struct Fill {
  std::vector<std::string> fields;
  CausalFill with = CausalFill::kCarryForward;
  std::uint32_t limit = 0;
  std::uint32_t season = 24;  // steps, of kSeasonal
  bool operator==(const Fill&) const = default;
};

// Values of fields are kept within [min, max], in the field's own unit, before all else.
struct Clip {
  std::vector<std::string> fields;
  double min = 0;
  double max = 0;
  bool operator==(const Clip&) const = default;
};

// The value so many steps before; 0 is the current one. Columns "CO", "CO_lag_3".
struct Lag {
  std::vector<std::string> fields;
  std::vector<std::uint32_t> steps;
  bool operator==(const Lag&) const = default;
};

// x_t - x_{t-k}. Columns "CO_diff_1".
struct Difference {
  std::vector<std::string> fields;
  std::vector<std::uint32_t> steps;
  bool operator==(const Difference&) const = default;
};

// e_t = e_{t-1} + a (x_t - e_{t-1}), a = 2 / (span + 1), begun with the first value (pandas' ewm
// with adjust=False); a missing value leaves it. Columns "CO_ema_6".
struct Ema {
  std::vector<std::string> fields;
  std::vector<std::uint32_t> spans;
  bool operator==(const Ema&) const = default;
};

enum class RollingStatistic : std::uint8_t { kMean, kStd, kMin, kMax };
// Over the last `window` steps, the current one included; missing values are left out, one value is
// enough. The standard deviation is the sample's (n - 1), 0 of one value. Columns "CO_mean_24".
struct Rolling {
  std::vector<std::string> fields;
  std::vector<std::uint32_t> windows;
  std::vector<RollingStatistic> statistics;
  bool operator==(const Rolling&) const = default;
};

// Of the least-squares line through the last `window` values, a step; from two values on. Columns
// "CO_slope_6".
struct Slope {
  std::vector<std::string> fields;
  std::vector<std::uint32_t> windows;
  bool operator==(const Slope&) const = default;
};

// Products of each two of these columns, made by operators before. Columns "CO_lag_1*NOx_lag_24".
struct Interact {
  std::vector<std::string> columns;
  bool operator==(const Interact&) const = default;
};

// (x - min) / (max - min) of columns made by operators before, in their place; the bounds are in
// the column's own unit.
struct MinMax {
  std::vector<std::string> columns;
  double min = 0;
  double max = 1;
  bool operator==(const MinMax&) const = default;
};

enum class CalendarPart : std::uint8_t {
  kHour,     // 0 to 23
  kDay,      // of the month, 1 to 31
  kMonth,    // 1 to 12
  kWeekday,  // Monday = 0
  kSeason,   // (month mod 12 + 3) div 3: 1 = December to February
  kHourSin,  // of 2 pi hour / 24
  kHourCos,
  kWeekdaySin,  // of 2 pi weekday / 7
  kWeekdayCos,
  kMonthSin,  // of 2 pi (month - 1) / 12
  kMonthCos,
};
// Of the step's beginning, in UTC. Columns "hour", "hour_sin".
struct Calendar {
  std::vector<CalendarPart> parts;
  bool operator==(const Calendar&) const = default;
};

using SeriesOperator =
    std::variant<Fill, Clip, Lag, Difference, Ema, Rolling, Slope, Interact, MinMax, Calendar>;

inline constexpr std::uint32_t kSeriesStepsMax = 10'000;  // of a lag, a window, a season
inline constexpr std::size_t kSeriesColumnsMax = 10'000;

struct SeriesPlan {
  Milliseconds step{3'600'000};
  std::vector<SeriesOperator> operators;
  // More fields whose present value is asked for (the target of a forecast).
  std::vector<std::string> tracked;
  bool operator==(const SeriesPlan&) const = default;
};

}  // namespace millrace::features
