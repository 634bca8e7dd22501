// Named places where a test may kill the process: MILLRACE_CRASH_POINT=name:n ends it with SIGKILL
// when the place is reached for the n-th time (n from 1). Costs one load and compare when unset.
#pragma once

#include <span>
#include <string_view>

namespace millrace::env {

// `name` must be one of crash_point_names(); a name that is not is a CHECK failure.
void crash_point(std::string_view name);

// Every crash point of the program, in the order of a record's life.
std::span<const std::string_view> crash_point_names();

}  // namespace millrace::env
