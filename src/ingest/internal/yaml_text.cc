#include "ingest/internal/yaml_text.h"

#include <algorithm>
#include <array>

namespace millrace::ingest {
namespace {

constexpr std::size_t kLineMax = 100;

// Words that some YAML readers take for something else than text.
constexpr std::array<std::string_view, 11> kWords = {"y",    "yes", "n",  "no",  "true", "false",
                                                     "null", "~",   "on", "off", "none"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_word(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool is_plain(std::string_view text) {
  if (text.empty() || !(is_letter(text.front()) || text.front() == '_') || text.back() == ' ') {
    return false;
  }
  const bool harmless = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == ' ' || c == '_' || c == '-' || c == '.' ||
           c == '(' || c == ')' || c == '/';
  });
  return harmless && !is_word(text);
}

std::string double_quoted(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += "\\x";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::string yaml_text(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  const bool controls = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (controls) return double_quoted(text);
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

std::string yaml_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ", ";
    out += yaml_text(texts[i]);
  }
  return out + "]";
}

std::string yaml_list_entry(std::size_t indent, std::string_view lead, std::string_view key,
                            const std::vector<std::string>& texts) {
  const std::string spaces(indent, ' ');
  std::string line = spaces + std::string(lead) + std::string(key) + ": ";
  const std::string list = yaml_list(texts);
  if (line.size() + list.size() <= kLineMax) return line + list + "\n";
  line.back() = '\n';
  const std::string deeper(indent + lead.size() + 2, ' ');
  for (const std::string& text : texts) line += deeper + "- " + yaml_text(text) + "\n";
  return line;
}

}  // namespace millrace::ingest
