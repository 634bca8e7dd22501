#include "app/terminal/width.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace millrace::app {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Combining marks of the common scripts, zero-width characters and variation selectors.
constexpr std::array<Range, 12> kZeroWidth = {{{0x0300, 0x036F},
                                               {0x0483, 0x0489},
                                               {0x0591, 0x05BD},
                                               {0x064B, 0x065F},
                                               {0x0E31, 0x0E31},
                                               {0x0E34, 0x0E3A},
                                               {0x1AB0, 0x1AFF},
                                               {0x1DC0, 0x1DFF},
                                               {0x200B, 0x200F},
                                               {0x20D0, 0x20FF},
                                               {0xFE00, 0xFE0F},
                                               {0xFE20, 0xFE2F}}};

// East Asian wide and full-width blocks, and emoji.
constexpr std::array<Range, 11> kWide = {{{0x1100, 0x115F},
                                          {0x2E80, 0x303E},
                                          {0x3041, 0x33FF},
                                          {0x3400, 0x4DBF},
                                          {0x4E00, 0x9FFF},
                                          {0xA000, 0xA4CF},
                                          {0xAC00, 0xD7A3},
                                          {0xF900, 0xFAFF},
                                          {0xFF00, 0xFF60},
                                          {0x1F300, 0x1FAFF},
                                          {0x20000, 0x3FFFD}}};

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& r) { return c >= r.first && c <= r.last; });
}

// `character`: one well-formed UTF-8 character.
char32_t code_point(std::string_view character) {
  constexpr std::array<unsigned, 5> kLeadMask = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t c = static_cast<unsigned char>(character[0]) & kLeadMask.at(character.size());
  for (const char tail : character.substr(1)) {
    c = (c << 6) | (static_cast<unsigned char>(tail) & 0x3FU);
  }
  return c;
}

std::size_t width_of(std::string_view character) {
  if (character.size() == 1) return 1;
  const char32_t c = code_point(character);
  if (contains(kZeroWidth, c)) return 0;
  return contains(kWide, c) ? 2 : 1;
}

// The first character of `text` (not empty), or its first byte where there is none.
std::string_view first_character(std::string_view text) {
  return text.substr(0, std::max<std::size_t>(utf8_length(text), 1));
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    width += width_of(character);
    text.remove_prefix(character.size());
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t columns, std::string_view ellipsis) {
  if (display_width(text) <= columns) return std::string(text);
  const std::size_t mark = display_width(ellipsis);
  if (mark > columns) return "";
  std::size_t width = mark;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const std::string_view character = first_character(text.substr(bytes));
    width += width_of(character);
    if (width > columns) break;
    bytes += character.size();
  }
  return std::string(text.substr(0, bytes)) + std::string(ellipsis);
}

}  // namespace millrace::app
