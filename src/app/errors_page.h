// The reference page of error codes, from the tables that declare them.
#pragma once

#include <string>

namespace millrace::app {

// Markdown: exit codes, codes of errors (base/error.h), codes of bad records (data/record_error.h).
std::string errors_reference();

}  // namespace millrace::app
