// A run of `score` as JSON: the summary file, and the one line of --json.
#pragma once

#include "base/time.h"
#include "data/run_summary.h"
#include "json/fwd.h"

namespace millrace::report {

// The summary file. Always the same keys, in the same order, except:
// - `warning` only when nothing was predicted;
// - the reference system's names (churn_predictions, churn_rate, average_churn_probability,
//   high_risk_customers) repeat predictions_by_label, positive_rate, mean_probability and top_risk
//   where the positive label is "Yes";
// - of a pipeline that forecasts, instead of what speaks of labels: target, counts and live figures
//   as on the --json line, horizon, by_key, over_time;
// - `drift_alerts` where drift is watched.
// Rates of nothing are 0; latencies of nothing are null. Values of fields marked pii must have been
// redacted by the caller. `written` becomes `timestamp`.
json::Value summary_to_json(const data::RunSummary& summary, Timestamp written);

// What `score --json` prints as its last line.
json::Value score_result_json(const data::RunSummary& summary);

}  // namespace millrace::report
