#include "report/internal/escape.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '&':
      out += "&amp;";
      return;
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '"':
      out += "&quot;";
      return;
    case '\'':
      out += "&#39;";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte == 0x7F) {
    out += kReplacement;
  } else {
    out += c;
  }
}

}  // namespace

std::string html_text(std::string_view text, std::size_t characters_max) {
  std::string out;
  out.reserve(std::min(text.size(), characters_max * 4) + 16);
  for (std::size_t characters = 0; !text.empty(); ++characters) {
    if (characters == characters_max) return out += "…";
    const std::size_t length = utf8_length(text);
    const bool is_c1 =
        length == 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
    if (length == 0 || is_c1) {
      out += kReplacement;
    } else if (length == 1) {
      append_ascii(out, text[0]);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace millrace::report
