// What a search for parameters measures: a forecast's absolute error on a rolling origin, or a
// label's log loss on folds.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/session.h"
#include "base/result.h"
#include "json/json.h"
#include "spec/pipeline.h"

namespace millrace::app {

// Holds the file's table. Part of its rows is held out: no trial sees them. Not thread-safe.
class TuningSubject {
 public:
  virtual ~TuningSubject() = default;

  // "cv_mae" or "cv_log_loss": the name of a trial's figure, the less the better.
  virtual std::string_view figure() const = 0;
  // The figure on each fold, with what the pipeline says of its model. `shown` is told the share
  // that is done. Errors: those of the training; kInterrupted.
  virtual Result<std::vector<double>> folds_of(const spec::Pipeline& pipeline,
                                               const std::function<void(double)>& shown) = 0;
  // Trained on all that trials see, measured on what is held out: keys of the report.
  virtual Result<json::Value> held_out(const spec::Pipeline& pipeline) = 0;
  // "CO_h1" or "Churn", for the report's name.
  virtual std::string name() const = 0;
  virtual std::uint64_t bad_rows() const = 0;
};

// Reads the file. Errors: of the file; kBadData where it is too short for so many folds.
Result<std::unique_ptr<TuningSubject>> forecast_subject(Session& session,
                                                        const spec::Pipeline& pipeline,
                                                        const std::string& data, std::size_t folds);
// The same of a pipeline that predicts a label. Folds are as its `split` is: stratified, by the
// hash of the key, or a rolling origin.
Result<std::unique_ptr<TuningSubject>> label_subject(Session& session,
                                                     const spec::Pipeline& pipeline,
                                                     const std::string& data, std::size_t folds);

}  // namespace millrace::app
