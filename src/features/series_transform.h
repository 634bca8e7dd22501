// Features of series: a fixed program over a small state a key. Nothing is fitted, so training,
// files and streams compute the same doubles from the same readings in the same order. Immutable
// and cheap to copy; threads may share it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "data/cell.h"
#include "data/schema.h"
#include "features/series_operator.h"
#include "json/fwd.h"

namespace millrace::features {

class SeriesTransform {
 public:
  // Errors: kConfig; every problem of the operators is named, one a line.
  static Result<SeriesTransform> make(const SeriesPlan& plan, const data::Schema& schema);
  // Reads what to_json() wrote. Errors: kBadModel.
  static Result<SeriesTransform> from_json(const json::Value& value, const data::Schema& schema);
  json::Value to_json() const;

  const SeriesPlan& plan() const;
  std::size_t columns() const { return names().size(); }
  const std::vector<std::string>& names() const;
  // 16 hex digits over the plan, the column names and the types of the fields that are read.
  const std::string& fingerprint() const;

  // Doubles of one key's state. A state begins as zeros.
  std::size_t state_size() const;
  // Steps of one key that must have been seen before every column can have a value.
  std::uint32_t steps_needed() const;

  enum class Taken {
    kYes,
    kLate,      // its step is over: nothing was changed
    kTooLarge,  // a value is beyond what models compute in (float): nothing was changed
  };
  // Takes a reading into the state. `state` has state_size() doubles.
  Taken take(std::span<const data::Cell> cells, Timestamp time, std::span<double> state) const;
  // The features as of the readings taken: columns() values, NaN = missing. Does not change the
  // state. take() must have been called once.
  void features(std::span<const double> state, std::span<double> out) const;

  // The step of the last reading, by its beginning.
  Timestamp current_step(std::span<const double> state) const;
  // Steps since the first reading, both included; 0 of a new state.
  std::uint64_t steps_seen(std::span<const double> state) const;

  // Where a field's values are kept, for current_value(); every field that an operator reads or
  // that the plan tracks has such a place, and only those may be asked for.
  std::size_t track_of(const std::string& field) const;
  // The field's value of the current step as observed (NaN when it is missing), and as filled.
  double observed_value(std::span<const double> state, std::size_t track) const;
  double current_value(std::span<const double> state, std::size_t track) const;

 private:
  struct Program;
  explicit SeriesTransform(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace millrace::features
