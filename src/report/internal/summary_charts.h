// The plots of the summary page.
#pragma once

#include <string>

#include "data/run_summary.h"
#include "report/summary_html.h"

namespace millrace::report {

// Counts of scored records by probability, coloured at the threshold.
std::string score_histogram(const data::RunSummary& summary, const SummaryWords& words);
// Latency by percentile, stretched towards the slowest.
std::string latency_curve(const data::Histogram& latency_ms);

}  // namespace millrace::report
