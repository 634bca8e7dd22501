// A file of readings as a table for training and measuring forecasts: the very features that the
// stream would make, in the file's order, and what came to be `horizon` steps later.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/feature_batch.h"
#include "engine/labelled_table.h"
#include "env/stop.h"
#include "features/series_transform.h"
#include "spec/pipeline.h"

namespace millrace::engine {

// One entry a good reading; all vectors are as long as `features`. NaN = unknown.
struct SeriesTable {
  explicit SeriesTable(std::size_t columns) : features(columns) {}
  data::FeatureBatch features;
  std::vector<double> present;          // the target's value of the reading's step, as filled
  std::vector<double> observed;         // the same as observed until then
  std::vector<double> last_observed;    // the last one observed up to the reading: persistence
  std::vector<double> target;           // the value observed `horizon` steps later
  std::vector<Timestamp> read_at;       // the reading's step, by its beginning
  std::vector<Timestamp> forecast_for;  // the step that is forecast, by its beginning
  // 1 where the key begins: its first reading, or the first after it was forgotten
  // (series.evict_after).
  std::vector<std::uint8_t> begins;
  std::vector<std::uint32_t> key;  // of the series, by first appearance
  std::uint32_t keys = 0;
  std::vector<std::string> key_names;  // by the series' numbers
  std::vector<BadLine> bad;            // the first kBadLinesKeptMax
  std::uint64_t bad_rows = 0;
  std::size_t rows() const { return target.size(); }
};

// Reads the whole file; readings of a key must be in order. Errors: as FileRows; kBadData when not
// one row is good; kInterrupted when stop was requested.
Result<SeriesTable> read_series_table(const spec::Pipeline& pipeline,
                                      const features::SeriesTransform& transform,
                                      const std::string& path, env::StopToken& stop);

}  // namespace millrace::engine
