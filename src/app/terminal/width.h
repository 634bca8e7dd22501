// How much room text takes on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::app {

// Columns that UTF-8 text without control characters takes: 2 for East Asian wide characters and
// emoji, 0 for combining marks, else 1 a character; 1 for a byte that is not UTF-8. Independent of
// the locale.
std::size_t display_width(std::string_view text);

// `text` when it fits into `columns`, else its start and `ellipsis` in at most that many columns.
std::string cut_to_width(std::string_view text, std::size_t columns, std::string_view ellipsis);

}  // namespace millrace::app
