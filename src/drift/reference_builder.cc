#include "drift/reference_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "drift/internal/relation.h"
#include "drift/internal/window_start.h"
#include "drift/internal/window_state.h"

namespace millrace::drift {
namespace {

// Windows begin so often within one window's length, unless that would be more work than this (in
// values looked at).
constexpr double kOverlapMax = 24;
constexpr double kWorkMax = 3e7;

// Rows [begin, end) of the ordered data.
struct RowRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

struct Layout {
  std::vector<RowRange> rolling;   // all of full length
  std::vector<RowRange> tumbling;  // as the stream will have them
  double disjoint = 0;             // lengths that fit into the data
};

std::size_t overlap_of(std::size_t rows, std::size_t columns) {
  const double once = static_cast<double>(rows * columns);
  return static_cast<std::size_t>(std::clamp(kWorkMax / once, 1.0, kOverlapMax));
}

Layout by_time(const std::vector<Timestamp>& times, Milliseconds length, std::size_t overlap) {
  Layout out;
  const std::int64_t step =
      std::max<std::int64_t>(1, length.count() / static_cast<std::int64_t>(overlap));
  const auto first_at = [&](std::int64_t time) {
    return static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), Timestamp(time)) -
                                    times.begin());
  };
  const std::int64_t first = times.front().value();
  const std::int64_t last = times.back().value();
  // Without the largest time itself the last window would end one step early.
  for (std::int64_t at = first; at + length.count() <= last + step;) {
    const RowRange range{first_at(at), first_at(at + length.count())};
    out.rolling.push_back(range);
    // Over a hole in the data, straight to where it goes on.
    const std::int64_t next =
        range.size() == 0 && range.begin < times.size() ? times[range.begin].value() : at + step;
    at = std::max(at + step, next);
  }
  for (std::size_t begin = 0; begin < times.size();) {
    const Timestamp end = internal::window_start(times[begin], length).plus(length.count());
    const RowRange range{begin, first_at(end.value())};
    out.tumbling.push_back(range);
    begin = range.end;
  }
  const double lengths = static_cast<double>(last - first) / static_cast<double>(length.count());
  out.disjoint = std::min(static_cast<double>(out.tumbling.size()), std::round(lengths));
  return out;
}

Layout by_records(std::size_t rows, std::size_t length, std::size_t overlap) {
  Layout out;
  const std::size_t step = std::max<std::size_t>(1, length / overlap);
  for (std::size_t at = 0; at + length <= rows; at += step)
    out.rolling.push_back({at, at + length});
  for (std::size_t at = 0; at < rows; at += length) {
    out.tumbling.push_back({at, std::min(rows, at + length)});
  }
  out.disjoint = std::floor(static_cast<double>(rows) / static_cast<double>(length));
  return out;
}

double median_size(const std::vector<RowRange>& ranges) {
  std::vector<std::size_t> sizes;
  for (const RowRange& range : ranges) {
    if (range.size() > 0) sizes.push_back(range.size());
  }
  if (sizes.empty()) return 0;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return static_cast<double>(*middle);
}

// Widens what is usual by a window of the training data, as if it were of the usual size.
void take_in(Reference& reference, const internal::WindowState& window) {
  const std::vector<Values> values = window.compare(reference);
  const double smaller =
      std::max(1.0, reference.records_per_window / static_cast<double>(window.records()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const Statistic statistic : kAllStatistics) {
      const auto at = static_cast<std::size_t>(statistic);
      const double value = values[i].at(at);
      if (std::isnan(value)) continue;
      const bool squared = statistic == Statistic::kPsi || statistic == Statistic::kJensenShannon;
      const double as_usual = value / (squared ? smaller : std::sqrt(smaller));
      Band& usual = reference.columns[i].usual.at(at);
      usual.low = std::min(usual.low, as_usual);
      usual.high = std::max(usual.high, as_usual);
    }
  }
}

}  // namespace

ReferenceBuilder::ReferenceBuilder(std::vector<ColumnSpec> columns, const ReferenceOptions& options)
    : columns_(std::move(columns)), options_(options) {
  CHECK(!columns_.empty() && columns_.size() <= kColumnsMax);
  CHECK(options_.margin >= 0 && options_.chance_level > 0 && options_.chance_level < 1);
  CHECK(options_.window.kind == WindowSpec::Kind::kTime ? options_.window.length.count() > 0
                                                        : options_.window.records > 0);
}

void ReferenceBuilder::add(Timestamp event_time, std::span<const double> row) {
  CHECK(row.size() == columns_.size());
  times_.push_back(event_time);
  values_.insert(values_.end(), row.begin(), row.end());
}

Reference ReferenceBuilder::profile(const std::vector<std::vector<double>>& values) const {
  Reference out;
  out.window = options_.window;
  out.rows = times_.size();
  out.margin = options_.margin;
  out.chance_level = options_.chance_level;
  out.has_score = options_.score == ReferenceOptions::Score::kLastColumn;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out.columns.push_back({profile_of(columns_[i], values[i]), {}, {}});
  }
  internal::fit_relations(values, out.columns);
  return out;
}

Result<Reference> ReferenceBuilder::build() {
  if (times_.empty()) return Error(ErrorCode::kBadData, "no rows to learn from what is usual");
  std::vector<std::size_t> order(times_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (options_.window.kind == WindowSpec::Kind::kTime) {
    std::stable_sort(order.begin(), order.end(),
                     [this](std::size_t a, std::size_t b) { return times_[a] < times_[b]; });
  }
  std::vector<Timestamp> times;
  std::vector<std::vector<double>> values(columns_.size());
  for (const std::size_t row : order) {
    times.push_back(times_[row]);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const double value = values_[row * columns_.size() + i];
      values[i].push_back(std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN());
    }
  }
  Reference reference = profile(values);
  const std::size_t overlap = overlap_of(times.size(), columns_.size());
  const Layout layout = options_.window.kind == WindowSpec::Kind::kTime
                            ? by_time(times, options_.window.length, overlap)
                            : by_records(times.size(), options_.window.records, overlap);
  reference.windows = layout.disjoint;
  reference.records_per_window = median_size(layout.rolling);
  if (layout.disjoint < kWindowsMin) {
    return Error(ErrorCode::kConfig,
                 "the training data covers " + std::to_string(static_cast<int>(layout.disjoint)) +
                     " windows of " + to_string(options_.window) +
                     ", too few to learn what is usual (4 at least); make 'drift.window' shorter, "
                     "or train on more data");
  }
  if (reference.records_per_window < static_cast<double>(kRecordsMin)) {
    return Error(ErrorCode::kConfig,
                 "a window of " + to_string(options_.window) + " holds " +
                     std::to_string(static_cast<int>(reference.records_per_window)) +
                     " records of the training data on the median, too few to compare (" +
                     std::to_string(kRecordsMin) + " at least); make 'drift.window' longer");
  }
  internal::WindowState window(std::make_shared<const internal::CellTable>(reference));
  for (const std::vector<RowRange>* ranges : {&layout.rolling, &layout.tumbling}) {
    for (const RowRange& range : *ranges) {
      if (range.size() < reference.records_min()) continue;
      window.clear();
      for (std::size_t row = range.begin; row < range.end; ++row) {
        window.add(std::span<const double>(values_).subspan(order[row] * columns_.size(),
                                                            columns_.size()));
      }
      window.settle();
      take_in(reference, window);
    }
  }
  return reference;
}

}  // namespace millrace::drift
