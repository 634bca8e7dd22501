// The search for the parameters of a pipeline's model.
#pragma once

#include <cstdint>
#include <string>

#include "app/session.h"
#include "base/result.h"
#include "eval/bootstrap.h"
#include "eval/search_space.h"
#include "json/json.h"

namespace millrace::app {

struct TuneOptions {
  std::string pipeline;          // as `train` takes it
  std::vector<std::string> set;  // keys of the pipeline file, from flags
  std::string data;
  enum class Search { kRandom, kGrid } search = Search::kRandom;
  std::size_t trials = 20;  // of a random search
  std::size_t folds = 3;
  std::uint64_t seed = 42;  // of a random search
  std::string folder;       // of the report; "" for <home>/reports
};

// What is tried where the pipeline does not say: 108 combinations.
eval::SearchSpace default_tune_space();
// The same of an ARIMA's order, p, d, q: 24 combinations.
eval::SearchSpace default_arima_space();

// "--set model.depth=6 --set ..." and the lines of a pipeline file.
std::string set_flags_of(const eval::Assignment& parameters);
std::string snippet_of(const eval::Assignment& parameters);

// Of gradient boosting the parameters are searched, of an ARIMA the order (its coefficients it
// finds itself). A part of the file is held out: of a forecast's the last of its time, of labels
// what `split` says. On the rest each combination is measured, first of all the parameters that the
// pipeline has now: forecasts by the absolute error on a rolling origin, labels by the log loss on
// folds. The best one is trained on that part and measured on the one held out. Finished trials are
// kept in <home>/reports, and a search over the same data, pipeline and folds takes them from
// there, whatever else its space holds. Returns the report, which is written to
// tune_report_{T}_h{H}.json or tune_report_{LABEL}.json: {figure, best_params, cv_mae or
// cv_log_loss, n_train, n_holdout, n_splits, search, present {params, cv_...}, trials [{params,
// cv_..., folds}] with the best first, trials_from_before, holdout, set, snippet, journal, report};
// of a forecast {target, horizon, holdout_mae, holdout_rmse, baseline_mae, baseline_rmse}, of a
// label {label, holdout_log_loss, holdout_auc}. Errors: kUsage for standard input as data, or a
// space that cannot be searched so; kInterrupted, which says how far it came; those of training.
Result<json::Value> tune(Session& session, const TuneOptions& options);

}  // namespace millrace::app
