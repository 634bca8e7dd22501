// Builds a drift Reference from training data, and calibrates it: how far the training data's own
// windows lie from the whole says where an alarm begins. A week of hourly weather differs from its
// year by nature; what no week of the year did is news.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "drift/reference.h"

namespace millrace::drift {

struct ReferenceOptions {
  WindowSpec window;
  // Alarms begin at the largest value of any window of the training data and this share more.
  double margin = 0.1;
  // Probability of an alarm a window by chance alone, all columns and statistics together; it sets
  // the least threshold, by the window's size.
  double chance_level = 0.01;
  enum class Score : std::uint8_t { kNone, kLastColumn } score = Score::kNone;
};

// Keeps the rows until build(): 8 bytes a value. Not thread-safe.
class ReferenceBuilder {
 public:
  // 1 to kColumnsMax columns (CHECK). With a score the last column is the model's answer.
  ReferenceBuilder(std::vector<ColumnSpec> columns, const ReferenceOptions& options);

  // A row of training data, one value a column; in any order. What is not finite is missing.
  void add(Timestamp event_time, std::span<const double> row);

  // Windows are laid over the data in the order of their event times: overlapping ones, and those
  // of the stream itself (from 1970 on), short ones at the ends included. So the training data,
  // streamed, gives no alarm. Errors: kConfig where the data does not cover kWindowsMin windows,
  // with what to do; kBadData without rows.
  Result<Reference> build();

  static constexpr double kWindowsMin = 4;

 private:
  Reference profile(const std::vector<std::vector<double>>& values) const;

  std::vector<ColumnSpec> columns_;
  ReferenceOptions options_;
  std::vector<Timestamp> times_;
  std::vector<double> values_;  // row-major
};

}  // namespace millrace::drift
