// Bad rows of a file, told to people.
#pragma once

#include <cstdint>
#include <vector>

#include "app/session.h"
#include "engine/labelled_table.h"
#include "json/fwd.h"

namespace millrace::app {

// Lists the first twenty on stderr and says how many more there are.
void say_bad_lines(Session& session, const std::vector<engine::BadLine>& lines,
                   std::uint64_t total);

json::Value bad_lines_json(const std::vector<engine::BadLine>& lines);

}  // namespace millrace::app
