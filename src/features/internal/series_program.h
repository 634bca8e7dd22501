// What a series plan means for a schema: where each value lies in the state of a key, and in which
// order columns come. series_transform.h runs it.
//
// A state is doubles only, so that it can be kept, sent and compared as it is. First kHeader of
// them, then one part a track (a field): the present step, what its filling needs, the last values
// (a ring), and running sums. Running sums cover the closed steps of a window only, the present one
// is added when features are asked for; each window is summed anew from the ring every `window`
// steps, which costs a constant a step and keeps rounding errors from growing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/schema.h"
#include "features/series_operator.h"

namespace millrace::features::internal {

inline constexpr std::uint32_t kNone = 0xffffffffU;

// The header of a state.
enum Header : std::uint32_t {
  kClosed = 0,  // steps closed so far
  kStep = 1,    // number of the present step since 1970
  kBegun = 2,   // 1 from the first reading on
  kHeader = 3,
};

struct LagColumn {
  std::uint32_t steps = 0;
  std::uint32_t column = 0;
  bool difference = false;
};

struct EmaColumn {
  double alpha = 0;
  std::uint32_t at = 0;  // in the state
  std::uint32_t column = 0;
};

inline constexpr std::uint32_t kMomentDoubles = 5;

// Of the history of a window: the `past` closed steps before the present one.
struct RollingColumns {
  std::uint32_t window = 1;
  std::uint32_t past = 0;         // window - 1
  std::uint32_t moments = kNone;  // count, sum and sum of squares in two parts each
  std::uint32_t least = kNone;    // a monotonic queue: start, length, then pairs of step and value
  std::uint32_t greatest = kNone;
  std::uint32_t mean = kNone;  // columns
  std::uint32_t std = kNone;
  std::uint32_t min = kNone;
  std::uint32_t max = kNone;
};

struct SlopeColumn {
  std::uint32_t window = 2;
  std::uint32_t past = 1;
  std::uint32_t at = 0;  // count, anchor, sums of t, t t, y, t y; t is counted from the anchor
  std::uint32_t column = 0;
};

struct Track {
  std::size_t field = 0;  // of the schema
  std::string name;
  double min = 0;  // of a clip
  double max = 0;
  bool clipped = false;
  Fill fill;                        // its `fields` are empty
  std::uint32_t present = 0;        // sum and count of the present step's readings
  std::uint32_t last = 0;           // last observed value, missing steps since
  std::uint32_t past_mean = kNone;  // count and mean of all observed values
  std::uint32_t ring = 0;
  std::uint32_t ring_size = 1;
  std::vector<LagColumn> lags;
  std::vector<EmaColumn> emas;
  std::vector<RollingColumns> rollings;
  std::vector<SlopeColumn> slopes;
};

struct ProductColumn {
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  std::uint32_t column = 0;
};

struct ScaledColumn {
  std::uint32_t column = 0;
  double min = 0;
  double scale = 1;  // max - min
};

struct CalendarColumn {
  CalendarPart part = CalendarPart::kHour;
  std::uint32_t column = 0;
};

// Products and scalings run in the order of their operators.
struct ColumnStep {
  enum class Kind : std::uint8_t { kProduct, kScaled } kind = Kind::kProduct;
  ProductColumn product;
  ScaledColumn scaled;
};

struct SeriesLayout {
  std::vector<Track> tracks;
  std::vector<CalendarColumn> calendar;
  std::vector<ColumnStep> column_steps;
  std::vector<std::string> names;  // of the columns
  std::uint32_t state_size = kHeader;
  std::uint32_t steps_needed = 1;
};

// Errors: kConfig; every problem is named, one a line.
Result<SeriesLayout> lay_out(const SeriesPlan& plan, const data::Schema& schema);

// "lag", "ema", ... as in a pipeline file.
std::string operator_name(const SeriesOperator& op);
std::string_view word_of(CalendarPart part);
std::string_view word_of(RollingStatistic statistic);

}  // namespace millrace::features::internal
