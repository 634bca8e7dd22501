// Cells of CSV files that we write: quoted where needed, and harmless in a spreadsheet.
#pragma once

#include <string>
#include <string_view>

namespace millrace {

// Appends one cell by RFC 4180. A text that a spreadsheet would take for a formula (it begins with
// = + - @, tab or CR, and is no number) gets an apostrophe in front.
void append_csv_cell(std::string& out, std::string_view text);
// The same for a text that must stay what it is: only quoted where needed.
void append_csv_verbatim(std::string& out, std::string_view text);

}  // namespace millrace
