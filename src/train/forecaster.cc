#include "train/forecaster.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "eval/conformal.h"
#include "eval/regression.h"
#include "json/json.h"
#include "model/tree_ensemble.h"

namespace millrace::train {
namespace {

double base_of(const ForecastRows& rows, ForecastOf of, std::size_t row) {
  return of == ForecastOf::kChange ? rows.present[row] : 0;
}

data::FeatureBatch batch_of(const ForecastRows& rows, std::span<const std::size_t> chosen) {
  data::FeatureBatch batch(rows.features.columns());
  for (const std::size_t row : chosen) {
    const auto from = rows.features.row(row);
    std::copy(from.begin(), from.end(), batch.add_row().begin());
  }
  return batch;
}

// Trees grown over several fits, told as one count.
class Counted {
 public:
  Counted(const ForecastOptions& options, std::uint64_t fits)
      : options_(options), all_(fits * options.parameters.trees) {}
  Progress one() {
    if (!options_.progress) return {};
    return [this](std::uint32_t, std::uint32_t) { return options_.progress(++done_, all_); };
  }

 private:
  const ForecastOptions& options_;
  std::uint64_t all_;
  std::uint64_t done_ = 0;
};

Result<BoostedModel> fit(const ForecastRows& rows, std::span<const std::size_t> chosen,
                         const ForecastOptions& options, const Progress& progress) {
  std::vector<double> targets;
  for (const std::size_t row : chosen)
    targets.push_back(rows.target[row] - base_of(rows, options.of, row));
  return train_regression(options.parameters, batch_of(rows, chosen), targets, progress);
}

// Forecasts of blocks by models that had only seen what came before each, into `held_out`, and the
// absolute errors, a list a block.
Result<std::vector<std::vector<double>>> residuals(const ForecastRows& rows,
                                                   std::span<const std::size_t> chosen,
                                                   const ForecastOptions& options, Counted& counted,
                                                   std::vector<double>& held_out) {
  MILLRACE_ASSIGN(const std::vector<eval::Split> folds,
                  eval::rolling_origin(chosen.size(), options.folds, options.gap));
  std::vector<std::vector<double>> out;
  for (const eval::Split& fold : folds) {
    std::vector<std::size_t> before;
    std::vector<std::size_t> after;
    for (const std::size_t at : fold.train) before.push_back(chosen[at]);
    for (const std::size_t at : fold.test) after.push_back(chosen[at]);
    MILLRACE_ASSIGN(const BoostedModel model, fit(rows, before, options, counted.one()));
    const std::vector<double> forecasts = forecasts_of(model.ensemble, options.of, rows, after);
    std::vector<double>& errors = out.emplace_back();
    for (std::size_t i = 0; i < after.size(); ++i) {
      held_out[after[i]] = forecasts[i];
      errors.push_back(std::abs(rows.target[after[i]] - forecasts[i]));
    }
  }
  return out;
}

json::Value pair_of(const eval::Interval& interval) {
  return json::Value::array({interval.low, interval.high});
}

// The very number where all are the same.
double mean_of(std::span<const double> values) {
  double above = 0;
  for (const double value : values) above += value - values.front();
  return values.front() + above / static_cast<double>(values.size());
}

}  // namespace

std::vector<std::size_t> usable_rows(const ForecastRows& rows, ForecastOf of) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < rows.target.size(); ++i) {
    const bool known = !std::isnan(rows.target[i]) && !std::isnan(rows.last_observed[i]);
    if (known && !std::isnan(base_of(rows, of, i))) out.push_back(i);
  }
  return out;
}

Result<eval::Split> split_by_time(const ForecastRows& rows, ForecastOf of, double test_share) {
  if (!(test_share > 0 && test_share < 1))
    return Error(ErrorCode::kUsage, "the test's share must lie between 0 and 1");
  std::vector<Timestamp> steps(rows.read_at.begin(), rows.read_at.end());
  std::sort(steps.begin(), steps.end());
  MILLRACE_ASSIGN(const eval::Split hours, eval::chronological_split(steps.size(), test_share));
  if (hours.test.empty()) return Error(ErrorCode::kBadData, "too few readings to hold some out");
  const Timestamp border = steps[hours.test.front()];
  eval::Split split;
  for (const std::size_t row : usable_rows(rows, of))
    (rows.forecast_for[row] < border ? split.train : split.test).push_back(row);
  if (split.train.empty() || split.test.empty())
    return Error(ErrorCode::kBadData, "too few readings with a known target to train and to test");
  return split;
}

Result<Forecaster> fit_forecaster(const ForecastRows& rows, std::span<const std::size_t> chosen,
                                  const ForecastOptions& options) {
  CHECK(rows.present.size() == rows.target.size() && rows.features.rows() == rows.target.size());
  Counted counted(options, options.folds + 1);
  Forecaster out;
  out.held_out.assign(rows.target.size(), std::numeric_limits<double>::quiet_NaN());
  MILLRACE_ASSIGN(const auto folds, residuals(rows, chosen, options, counted, out.held_out));
  std::vector<double> off;
  for (const std::vector<double>& fold : folds) off.insert(off.end(), fold.begin(), fold.end());
  MILLRACE_ASSIGN(out.half_width, eval::conformal_quantile(off, options.coverage));
  MILLRACE_ASSIGN(out.model, fit(rows, chosen, options, counted.one()));
  out.rows = chosen.size();
  return out;
}

Result<std::vector<double>> cross_validate(const ForecastRows& rows,
                                           std::span<const std::size_t> chosen,
                                           const ForecastOptions& options) {
  Counted counted(options, options.folds);
  std::vector<double> held_out(rows.target.size(), std::numeric_limits<double>::quiet_NaN());
  MILLRACE_ASSIGN(const auto folds, residuals(rows, chosen, options, counted, held_out));
  std::vector<double> out;
  for (const std::vector<double>& fold : folds) out.push_back(mean_of(fold));
  return out;
}

std::vector<double> forecasts_of(const model::TreeEnsemble& ensemble, ForecastOf of,
                                 const ForecastRows& rows, std::span<const std::size_t> chosen) {
  std::vector<double> out;
  out.reserve(chosen.size());
  for (const std::size_t row : chosen) {
    const float margin = model::predict_margin_reference(ensemble, rows.features.row(row));
    out.push_back(base_of(rows, of, row) + static_cast<double>(margin));
  }
  return out;
}

Result<json::Value> measure_forecasts(const ForecastRows& rows, std::span<const std::size_t> chosen,
                                      std::span<const double> forecasts,
                                      std::span<const double> half_widths,
                                      const eval::BootstrapOptions& bootstrap) {
  CHECK(chosen.size() == forecasts.size() && chosen.size() == half_widths.size());
  std::vector<double> actual;
  std::vector<double> persistence;
  std::vector<double> errors;
  std::vector<double> differences;
  std::size_t covered = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::size_t row = chosen[i];
    actual.push_back(rows.target[row]);
    persistence.push_back(rows.last_observed[row]);
    errors.push_back(std::abs(actual.back() - forecasts[i]));
    differences.push_back(errors.back() - std::abs(actual.back() - persistence.back()));
    if (errors.back() <= half_widths[i]) ++covered;
  }
  const eval::RegressionMetrics model = eval::regression_metrics(actual, forecasts);
  const eval::RegressionMetrics same = eval::regression_metrics(actual, persistence);
  json::Value out;
  out["rows"] = model.rows;
  out["mae"] = model.mae;
  out["rmse"] = model.rmse;
  out["r2"] = model.r2;
  out["persistence_mae"] = same.mae;
  out["persistence_rmse"] = same.rmse;
  out["mae_diff_mean"] = model.mae - same.mae;
  for (const bool block : {true, false}) {
    eval::BootstrapOptions options = bootstrap;
    options.kind = block ? eval::BootstrapKind::kBlock : eval::BootstrapKind::kIid;
    MILLRACE_ASSIGN(const eval::Interval mae, eval::bootstrap_mean_interval(errors, options));
    MILLRACE_ASSIGN(const eval::Interval difference,
                    eval::bootstrap_mean_interval(differences, options));
    out[block ? "mae_ci" : "mae_ci_iid"] = pair_of(mae);
    out[block ? "mae_diff_ci" : "mae_diff_ci_iid"] = pair_of(difference);
  }
  out["coverage"] = static_cast<double>(covered) / static_cast<double>(model.rows);
  out["interval_half_width"] = mean_of(half_widths);
  return out;
}

}  // namespace millrace::train
