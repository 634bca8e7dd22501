// A run of `score` as one HTML page for people.
#pragma once

#include <string>

#include "base/time.h"
#include "data/run_summary.h"

namespace millrace::report {

// Words of the page that a RunSummary does not know.
struct SummaryWords {
  std::string record = "record";    // "customer"
  std::string records = "records";  // "customers"
  std::string outcome;      // name of what is predicted ("Churn"); empty: only its value is named
  std::string key = "key";  // heading of the keys, "customerID"
  std::string program;      // "millrace 0.1.0", for the footer
};

// A self-contained page: no script, no request, light and dark, narrow and wide, printable. Every
// text of the summary is escaped; values of fields marked pii must have been redacted by the
// caller.
std::string summary_to_html(const data::RunSummary& summary, Timestamp written,
                            const SummaryWords& words = {});

}  // namespace millrace::report
