// How the forecasts of a run did, for its report: by key, over time, and one key's course. A plain
// value; engine/forecast_digest.h fills it, report draws it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace millrace::data {

// Of forecasts whose hour came.
struct ForecastScore {
  std::uint64_t compared = 0;
  double absolute_error = 0;  // sum
  double error = 0;           // sum of forecast less what came
  std::uint64_t covered = 0;  // within their interval

  double mae() const { return compared == 0 ? 0 : absolute_error / static_cast<double>(compared); }
  double bias() const { return compared == 0 ? 0 : error / static_cast<double>(compared); }
  double coverage() const {
    return compared == 0 ? 0 : static_cast<double>(covered) / static_cast<double>(compared);
  }
};

struct ForecastFigures {
  std::uint32_t horizon = 1;  // steps
  Milliseconds step{0};
  double coverage = 0.9;           // that the intervals were made for
  std::optional<Timestamp> first;  // event time of the readings
  std::optional<Timestamp> last;

  struct Key {
    std::string key;
    std::uint64_t readings = 0;
    std::uint64_t warming_up = 0;  // of those, without a forecast
    ForecastScore score;
  };
  std::vector<Key> keys;  // the first ones that came
  Key others;             // all that came after those

  // By event time, side by side from `spans_from`; a later one is there where a reading was
  // compared.
  Timestamp spans_from;
  Milliseconds span{0};
  std::vector<ForecastScore> spans;

  // The last comparisons of one key, in the order of time.
  struct Point {
    Timestamp time;  // that was forecast
    double forecast = 0;
    double half_width = 0;
    double measured = 0;
  };
  std::string course_key;
  std::vector<Point> course;
};

// A drift alert as it was written.
struct AlertRow {
  std::string feature;
  std::string statistic;
  std::string state;  // raised, cleared
  double value = 0;
  double threshold = 0;
  Timestamp window_start;
  Timestamp window_end;
};

struct AlertRows {
  std::vector<AlertRow> rows;  // the first ones
  std::uint64_t count = 0;     // of all
};

}  // namespace millrace::data
