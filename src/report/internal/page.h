// The frame of a report page and the parts it is put together from. All texts given here are
// escaped here, except parameters named html.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace millrace::report {

// One headline figure.
struct Tile {
  std::string label;
  std::string value;
  std::string note;         // small, below; may be empty
  std::string_view accent;  // "" or a CSS class: "positive", "warn"
};

// One row of a list of horizontal bars.
struct BarRow {
  std::string label;
  double share = 0;   // length of the bar, 0 to 1
  std::string value;  // "42.7 %"
  std::string note;   // "1,655 of 3,875"
};

struct TableColumn {
  std::string title;
  bool number = false;  // right-aligned
};

struct TableData {
  std::string caption;
  std::vector<TableColumn> columns;
  std::vector<std::vector<std::string>> rows;  // first cell of a row names it
};

std::string tiles_html(const std::vector<Tile>& tiles);
// `mark`: a share marked on every bar, or negative for none. `css_class`: colour of the bars.
std::string bars_html(const std::vector<BarRow>& rows, double mark, std::string_view css_class);
std::string table_html(const TableData& table);
std::string facts_html(const std::vector<std::pair<std::string, std::string>>& facts);

enum class CardWidth { kNormal, kFull };
// A titled box. `note` stands below the title, small; empty for none.
std::string card_html(std::string_view title, std::string_view note, std::string_view content_html,
                      CardWidth width = CardWidth::kNormal);

struct PageText {
  std::string title;
  std::string kicker;   // small line above the title
  std::string lead;     // the page in a sentence
  std::string warning;  // shown in a box when not empty
  std::string footer;
};

// "2025-10-11 03:28:23 UTC".
std::string page_time(Timestamp time);

// A complete HTML document that loads nothing and runs nothing.
std::string page_html(const PageText& text, std::string_view tiles, std::string_view cards);

}  // namespace millrace::report
