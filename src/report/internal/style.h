// The style sheet of the report pages.
#pragma once

#include <string_view>

namespace millrace::report {

extern const std::string_view kStyleSheet;

}  // namespace millrace::report
