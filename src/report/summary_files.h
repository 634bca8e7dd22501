// Where the summaries of runs are kept.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "data/run_summary.h"
#include "env/file.h"
#include "report/summary_html.h"

namespace millrace::report {

struct SummaryFiles {
  env::Path json;
  env::Path html;
};

// "20251011_032823" in UTC, as it stands in file names.
std::string file_time(Timestamp time);

// Writes batch_summary_<time>.json and .html into `folder` (<home>/reports), which is created when
// missing. Files of an earlier run are never replaced: a second run of one second gets
// "batch_summary_<time>-2", and so on to kSameSecondMax, from several processes as well. Errors:
// those of env/file.h, kLimitExceeded beyond kSameSecondMax.
Result<SummaryFiles> write_summary(const env::Path& folder, const data::RunSummary& summary,
                                   Timestamp written, const SummaryWords& words = {});

inline constexpr int kSameSecondMax = 1000;

}  // namespace millrace::report
