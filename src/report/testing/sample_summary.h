// A run as the churn pipeline makes it, for tests and for looking at the page.
#pragma once

#include "data/run_summary.h"
#include "report/model_html.h"

namespace millrace::report {

// 7,043 customers, 7,032 scored, 11 set aside. The same every time.
data::RunSummary sample_summary();

// A model that separates 1,409 rows about as well as the churn model does.
ModelReport sample_model();

// A year of hours of three stations, forecast and mostly compared, with drift alerts.
data::RunSummary sample_forecasts();

// A run with text from an attacker in every place a message or a pipeline file can reach.
data::RunSummary hostile_summary();
data::RunSummary hostile_forecasts();
inline constexpr const char* kHostile = "<script>alert(\"x\")</script>&'\x01\xFF";

}  // namespace millrace::report
