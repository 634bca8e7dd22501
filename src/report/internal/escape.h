// Foreign text made harmless for the places where reports put it.
#pragma once

#include <string>
#include <string_view>

namespace millrace::report {

// For HTML and SVG text and for quoted attributes: & < > " ' as entities; control characters and
// bytes that are not UTF-8 as U+FFFD; cut after `characters_max` characters with "…".
std::string html_text(std::string_view text, std::size_t characters_max = 120);

}  // namespace millrace::report
