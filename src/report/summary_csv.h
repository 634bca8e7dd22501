// The riskiest records of a run as CSV, for spreadsheets.
#pragma once

#include <string>

#include "data/run_summary.h"

namespace millrace::report {

// A header and a line for each row of top_risk, lines ended by CRLF (RFC 4180). Text that a
// spreadsheet would run as a formula is defused.
std::string top_risk_to_csv(const data::RunSummary& summary, const std::string& key_name);

}  // namespace millrace::report
