// What scoring does beside decoding and predicting when a pipeline forecasts: a reading goes into
// its key's state, features come out of it, and a forecast is remembered until its hour comes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/forecast_writer.h"
#include "data/cell.h"
#include "data/record_error.h"
#include "engine/arima_path.h"
#include "engine/keyed_state.h"
#include "features/series_transform.h"
#include "log/record.h"
#include "model/registry.h"
#include "spec/pipeline.h"

namespace millrace::engine {

// A reading that was taken into its key's state.
struct Reading {
  std::uint32_t slot = 0;  // of the key
  Timestamp step;
  double present = 0;   // the target's value as filled; NaN when there is none
  double observed = 0;  // the target's value as observed, NaN when it is missing
  std::uint32_t readings_missing = 0;
  std::optional<ArimaPath::Value> by_series;  // of a model that forecasts from the target alone
};

// One thread.
class ForecastPath {
 public:
  // Errors: kBadModel when the model is none for this pipeline.
  static Result<ForecastPath> make(const spec::Pipeline& pipeline, const model::LoadedModel& model);

  const features::SeriesTransform& transform() const { return transform_; }
  // Of the key's state: the transform's, then what was forecast for the steps to come, then an
  // ARIMA's filter where the model is one.
  std::size_t state_doubles() const;
  std::string fingerprint() const;

  // Takes the reading in and writes its features. False with an error where it is set aside: its
  // time is missing or over, or its key is not the record's.
  bool take(const log::Record& record, std::span<const data::Cell> cells, KeyedState& state,
            std::span<double> row, Reading& reading, data::RecordErrors& errors);
  // Whether a late reading is no dead letter.
  bool skips_late() const { return late_ == spec::SeriesSpec::Late::kSkip; }

  // A forecast's outcome, when its hour has come.
  struct Outcome {
    bool known = false;
    double forecast = 0;
    double half_width = 0;
    double error = 0;  // forecast less what came
    bool covered = false;
  };
  Outcome look_back(const Reading& reading, KeyedState& state) const;
  // The forecast from the model's output, remembered in the state; without one where the key is
  // too young or the target missing.
  codec::Forecast forecast(const Reading& reading, float output, KeyedState& state) const;

 private:
  explicit ForecastPath(features::SeriesTransform transform) : transform_(std::move(transform)) {}

  features::SeriesTransform transform_;
  spec::ForecastSpec spec_;
  spec::SeriesSpec::Late late_ = spec::SeriesSpec::Late::kDeadLetter;
  Milliseconds step_{0};
  double half_width_ = 0;
  std::optional<ArimaPath> arima_;
  std::size_t track_ = 0;
  std::size_t key_field_ = 0;
  std::size_t time_field_ = 0;
};

}  // namespace millrace::engine
