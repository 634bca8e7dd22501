// The page of a run that forecast.
#pragma once

#include <string>

#include "base/time.h"
#include "data/run_summary.h"
#include "report/summary_html.h"

namespace millrace::report {

// A whole document, as summary_to_html(); `summary` has a forecast_target.
std::string forecast_page(const data::RunSummary& summary, Timestamp written,
                          const SummaryWords& words);

}  // namespace millrace::report
