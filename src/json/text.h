// JSON text written by hand on hot paths: appends to a string, no document is built.
#pragma once

#include <string>
#include <string_view>

namespace millrace::json {

// Appends `text` as a JSON string with quotes. Control characters, quote and backslash are escaped;
// UTF-8 passes unchanged; bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

// Appends the shortest decimal that reads back as `number`; non-finite numbers as null.
void append_number(std::string& out, double number);

}  // namespace millrace::json
