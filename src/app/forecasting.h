// Training and measuring of pipelines that forecast: shared by `train`, `evaluate` and `demo`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/session.h"
#include "app/training.h"
#include "base/result.h"
#include "eval/bootstrap.h"
#include "json/json.h"

namespace millrace::app {

// What flags of `train` and `evaluate` say of a forecast.
struct ForecastFlags {
  std::string target;
  std::optional<std::int64_t> horizon;
  std::optional<double> test_share;

  // The same as keys of the pipeline file, for Session::load_pipeline().
  std::vector<std::string> as_set() const;
};

// Reads the file, measures on the last part of its time, fits on all of it, saves. Errors: those
// of its parts.
Result<TrainingOutcome> run_forecast_training(Session& session, const spec::Pipeline& pipeline,
                                              const std::string& data, Promote promote);

struct ForecastEvaluation {
  std::string data;
  std::string out;     // one NDJSON line a test step; "" for none
  std::string folder;  // for the report as a file; "" for <home>/reports
  eval::BootstrapOptions bootstrap;
};
// Trained on the first part of the file's time, measured on the rest; no model is saved.
Result<json::Value> evaluate_forecast(Session& session, const spec::Pipeline& pipeline,
                                      const ForecastEvaluation& options);

// kUsage for a pipeline that forecasts, where `command` is for those that predict a label.
Status need_label(const spec::Pipeline& pipeline, std::string_view command);

std::string describe_forecast(const json::Value& metrics);

}  // namespace millrace::app
