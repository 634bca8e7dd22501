// Files that `train` leaves beside the registry, under the names and with the fields of the
// replaced system, so that scripts which read those go on.
#pragma once

#include <string>
#include <vector>

#include "app/forecast_models.h"
#include "app/session.h"
#include "base/result.h"
#include "engine/series_table.h"
#include "model/registry.h"
#include "spec/pipeline.h"

namespace millrace::app {

// What a training came to.
struct ForecastFiles {
  const spec::Pipeline& pipeline;
  const engine::SeriesTable& table;
  const Measured& measured;
  const std::vector<ForecastModel>& models;   // asked for
  const model::Manifest* manifest = nullptr;  // of the model as kept; nullptr where there is none
};

// Writes into `folder`, which is made:
//   xgboost_{T}_tplus{H}.json  the registry's model file, where there is one
//   arima_{T}.json             order, parameters and likelihood of each key, fitted on all
//   train_manifest.json        {models {name: file}, target, horizon, feature_columns,
//                              feature_stats {column: {mean, std, min, max, non_null_count,
//                              dtype}}, rows, metrics {name: figures}}
// The columns are those of the model, in its order; with no trees there is only the target. Returns
// the files' paths. Errors: those of env/file.h and of the fit.
Result<std::vector<std::string>> write_forecast_files(Session& session, const env::Path& folder,
                                                      const ForecastFiles& files);

}  // namespace millrace::app
