#include "report/summary_files.h"

#include <fmt/format.h>

#include "env/clock.h"
#include "json/json.h"
#include "report/summary_json.h"

namespace millrace::report {

std::string file_time(Timestamp time) {
  const std::string t = env::format_rfc3339(time);  // 2025-10-11T03:28:23.234Z
  return t.substr(0, 4) + t.substr(5, 2) + t.substr(8, 2) + "_" + t.substr(11, 2) +
         t.substr(14, 2) + t.substr(17, 2);
}

Result<SummaryFiles> write_summary(const env::Path& folder, const data::RunSummary& summary,
                                   Timestamp written, const SummaryWords& words) {
  MILLRACE_TRY(env::make_folders(folder));
  const std::string json = json::to_pretty(summary_to_json(summary, written));
  const std::string html = summary_to_html(summary, written, words);
  const std::string stem = "batch_summary_" + file_time(written);
  for (int i = 1; i <= kSameSecondMax; ++i) {
    const std::string name = i == 1 ? stem : fmt::format("{}-{}", stem, i);
    SummaryFiles files{folder / (name + ".json"), folder / (name + ".html")};
    std::error_code ignored;
    if (std::filesystem::exists(files.html, ignored)) continue;
    // The JSON file claims the name for both.
    MILLRACE_ASSIGN(const bool ours, env::write_file_new(files.json, json));
    if (!ours) continue;
    MILLRACE_TRY(env::write_file_atomic(files.html, html));
    return files;
  }
  return Error(ErrorCode::kLimitExceeded, "more than " + std::to_string(kSameSecondMax) +
                                              " summaries of one second in '" + folder.string() +
                                              "'");
}

}  // namespace millrace::report
