// The search for the parameters of a pipeline that forecasts.
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
// finds itself). The last part of the file's time is held out. On what is before it, each
// combination is measured by a rolling origin, first of all the parameters that the pipeline has
// now; the best one is fitted on that part and measured on the one held out, beside persistence.
// Finished trials are kept in <home>/reports, and a search over the same data, pipeline and folds
// takes them from there, whatever else its space holds. Returns the report, which is written to
// tune_report_{T}_h{H}.json: {target, horizon, best_params, cv_mae, holdout_mae, holdout_rmse,
// baseline_mae, baseline_rmse, n_train, n_holdout, n_splits, search, present {params, cv_mae},
// trials [{params, cv_mae, folds}] with the best first, trials_from_before, holdout, set, snippet,
// journal, report}. Errors: kUsage for a pipeline of labels, standard input as data, or a space
// that cannot be searched so; kInterrupted, which says how far it came; those of training.
Result<json::Value> tune(Session& session, const TuneOptions& options);

}  // namespace millrace::app
