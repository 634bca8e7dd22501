// Training and measuring of pipelines that forecast: shared by `train`, `evaluate` and `demo`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/forecast_models.h"
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

struct ForecastTraining {
  std::string data;
  Promote promote = Promote::kYes;
  std::vector<ForecastModel> models;
  std::string folder;  // for files as the replaced system names them; "" for none
};
struct ForecastTrained {
  std::optional<TrainingOutcome> kept;  // of the model that is served, where it was asked for
  json::Value models;                   // each one's figures on the hold-out
  std::string described;                // the same for people
  std::vector<std::string> files;
  std::vector<engine::BadLine> bad;
  std::uint64_t bad_rows = 0;
};
// Reads the file, measures every model on the last part of its time. The one of `model.algorithm`
// is fitted on all of it and saved; of the others only files are left. Errors: those of its parts.
Result<ForecastTrained> run_forecast_training(Session& session, const spec::Pipeline& pipeline,
                                              const ForecastTraining& training);

struct ForecastEvaluation {
  std::string data;
  std::string out;     // one NDJSON line a test step; "" for none
  std::string folder;  // for the report as a file; "" for <home>/reports
  eval::BootstrapOptions bootstrap;
  std::vector<ForecastModel> models;
};
struct ForecastEvaluated {
  json::Value result;
  std::string described;  // a line a model
};
// Trained on the first part of the file's time, measured on the rest; no model is saved.
Result<ForecastEvaluated> evaluate_forecast(Session& session, const spec::Pipeline& pipeline,
                                            const ForecastEvaluation& options);

std::string describe_forecast(const json::Value& metrics);

}  // namespace millrace::app
