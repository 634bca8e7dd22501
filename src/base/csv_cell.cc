#include "base/csv_cell.h"

#include <charconv>

namespace millrace {
namespace {

bool is_number(std::string_view text) {
  double value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void append_csv_cell(std::string& out, std::string_view text) {
  constexpr std::string_view kFormula = "=+-@\t\r";
  const bool formula =
      !text.empty() && kFormula.find(text.front()) != std::string_view::npos && !is_number(text);
  if (!formula) return append_csv_verbatim(out, text);
  append_csv_verbatim(out, "'" + std::string(text));
}

void append_csv_verbatim(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace millrace
