// `produce --qc`: the quality of a file's columns before anything is filled in.
#pragma once

#include <string>

#include "app/session.h"
#include "base/result.h"

namespace millrace::app {

// Prints the report of the file (`data`) and, with `out`, writes it there (.csv, else JSON);
// nothing is sent. The value is the exit code.
Result<int> quality_report(Session& session, const spec::Pipeline& pipeline,
                           const std::string& data, const std::string& out);

}  // namespace millrace::app
