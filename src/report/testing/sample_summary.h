// A run as the churn pipeline makes it, for tests and for looking at the page.
#pragma once

#include "data/run_summary.h"

namespace millrace::report {

// 7,043 customers, 7,032 scored, 11 set aside. The same every time.
data::RunSummary sample_summary();

// The same shape with text from an attacker in every place a message or a pipeline file can reach.
data::RunSummary hostile_summary();
inline constexpr const char* kHostile = "<script>alert(\"x\")</script>&'\x01\xFF";

}  // namespace millrace::report
