// Where the stations of a simulated series stand: the memory that a row's values follow from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "ingest/internal/generator.h"
#include "ingest/internal/series_file.h"

namespace millrace::ingest {

// A first-order autoregressive process for each series and station, around profiles by hour, day
// and month. Rows must come in order from 0; the same seed then gives the same values. Memory grows
// with stations times fields. Not thread-safe.
class SeriesRun {
 public:
  // `fields`: of the schema.
  SeriesRun(SeriesPlan plan, std::uint64_t seed, std::size_t fields);

  // Goes to row `n`: its station, its time, and what is out of order there.
  void begin(std::uint64_t n);
  // Draws `field` of that row from `uniform` in [0, 1), moved up by `shift` of its deviations.
  void draw(const Series& series, std::size_t field, int decimals, double uniform, double shift,
            Draws& draws);

  const SeriesPlan& plan() const { return plan_; }
  Timestamp step_time() const { return time_; }
  void append_station(std::string& out) const;
  void append_time(std::string& out) const;

 private:
  double profile_of(const Series& series) const;
  double level_of(const Series& series, std::size_t field) const;

  SeriesPlan plan_;
  std::uint64_t seed_;
  std::size_t fields_;
  std::uint64_t station_ = 0;
  bool first_ = true;  // the row is its station's first
  Timestamp time_;
  std::size_t hour_ = 0;
  std::size_t weekday_ = 0;  // 0 is Monday
  std::size_t month_ = 0;
  std::vector<double> own_;    // station by field: the process
  std::vector<double> value_;  // by field: the standardised value of this row, for `like`
  std::vector<char> is_out_;   // station by outage
};

}  // namespace millrace::ingest
