// What a model was trained on, as far as drift needs it: a profile of every watched column, how the
// columns hang together, and how far windows of the training data themselves lie from the whole.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "drift/profile.h"
#include "drift/statistics.h"
#include "json/fwd.h"

namespace millrace::drift {

inline constexpr std::size_t kColumnsMax = 512;
// A window with fewer records is never judged.
inline constexpr std::uint64_t kRecordsMin = 20;
// The column of the model's own answers.
inline constexpr std::string_view kScoreColumn = "score";

// Tumbling windows: of event time, [i length, (i + 1) length) since 1970, or of so many records.
struct WindowSpec {
  enum class Kind : std::uint8_t { kTime, kRecords } kind = Kind::kTime;
  Milliseconds length{std::chrono::hours(24 * 7)};
  std::uint64_t records = 0;
  bool operator==(const WindowSpec&) const = default;
};
// "7d", "90s", "1000 records".
std::string to_string(const WindowSpec& window);

// A column's mean as the others tell it: sum of weight times mean, all in standard deviations from
// the reference's means. Without predictors nothing can be said.
struct Relation {
  std::vector<std::uint32_t> predictors;  // columns of the reference
  std::vector<double> weights;
  double residual_std = 1;
  double effective_share = 1;  // of the residuals
};

// From low (negative) to high. Statistics without a sign use `high` only.
struct Band {
  double low = 0;
  double high = 0;
};

// Value by statistic; NaN where it cannot be told.
using Values = std::array<double, kStatistics>;

struct ReferenceColumn {
  ColumnProfile profile;
  Relation relation;
  std::array<Band, kStatistics> usual{};  // extremes over windows of the training data
};

// A plain value: immutable once built (drift/reference_builder.h) or read, to be shared by threads.
struct Reference {
  WindowSpec window;
  std::uint64_t rows = 0;
  double records_per_window = 0;  // median over the training data's windows
  double windows = 0;             // disjoint ones that the training data covers
  double margin = 0;              // added to the usual extremes, as a share of them
  double chance_level = 0;        // probability of a false alarm a window, by chance alone
  bool has_score = false;         // the last column is the model's answer
  std::vector<ReferenceColumn> columns;

  // Where an alarm begins for a window with `records` records, `count` of them with a value in the
  // column: the usual extreme and its margin, widened for windows smaller than those it was
  // measured on, but never less than what chance does to a sample of this size.
  Band threshold(std::size_t column, Statistic statistic, std::uint64_t records,
                 std::uint64_t count) const;
  // Windows with fewer records are not judged.
  std::uint64_t records_min() const;

  json::Value to_json() const;
  // Errors: kBadData naming what is wrong.
  static Result<Reference> from_json(const json::Value& value);
};

// value / the side of the band it lies on: 1 is on the threshold. 0 for NaN.
double exceedance(double value, const Band& band);

}  // namespace millrace::drift
