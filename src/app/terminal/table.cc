#include "app/terminal/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "app/terminal/width.h"
#include "base/check.h"
#include "base/text.h"

namespace millrace::app {
namespace {

constexpr std::size_t kGap = 2;

std::string padded(std::string_view text, std::size_t width, Table::Align align) {
  const std::string blanks(width - std::min(width, display_width(text)), ' ');
  return align == Table::Align::kRight ? blanks + std::string(text) : std::string(text) + blanks;
}

std::string without_blanks_at_end(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  CHECK(!columns_.empty());
}

void Table::add_row(const std::vector<std::string>& cells) {
  CHECK(cells.size() == columns_.size());
  std::vector<std::string>& row = rows_.emplace_back();
  for (const std::string& cell : cells) row.push_back(printable(cell, kCellBytesMax));
}

std::vector<std::size_t> Table::widths(const Screen& screen) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = display_width(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, display_width(row[i]));
    widths.push_back(widest);
  }
  if (!screen.is_terminal()) return widths;
  const std::size_t gaps = kGap * (widths.size() - 1);
  while (std::accumulate(widths.begin(), widths.end(), gaps) > screen.columns) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kColumnWidthMin) break;
    --*widest;
  }
  return widths;
}

std::string Table::to_string(const Screen& screen) const {
  const std::vector<std::size_t> room = widths(screen);
  const std::string_view ellipsis = screen.symbols == Screen::Symbols::kUnicode ? "…" : "~";
  const auto line = [&](auto text_of) {
    std::string out;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out.append(kGap, ' ');
      out += padded(cut_to_width(text_of(i), room[i], ellipsis), room[i], columns_[i].align);
    }
    return without_blanks_at_end(std::move(out));
  };
  std::string out;
  const bool titled = std::any_of(columns_.begin(), columns_.end(),
                                  [](const Column& c) { return !c.title.empty(); });
  if (titled) {
    out += screen.style.bold(line([this](std::size_t i) { return columns_[i].title; })) + "\n";
  }
  for (const auto& row : rows_) out += line([&row](std::size_t i) { return row[i]; }) + "\n";
  return out;
}

}  // namespace millrace::app
