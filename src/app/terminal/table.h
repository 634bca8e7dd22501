// Rows of text in aligned columns.
#pragma once

#include <string>
#include <vector>

#include "app/terminal/screen.h"

namespace millrace::app {

// Not thread-safe. Holds its cells until it is drawn; a caller with unbounded rows shows the first
// some and says how many more there are.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;  // when all titles are empty no header is drawn
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns);

  // As many cells as columns, else CHECK. Control characters and bytes that are not UTF-8 are
  // escaped here (base/text.h), and a cell is cut at kCellBytesMax.
  void add_row(const std::vector<std::string>& cells);
  bool empty() const { return rows_.empty(); }

  // Lines ended by a newline, without blanks at their ends. On a terminal the widest columns are
  // cut so that a line fits, but none to less than kColumnWidthMin; elsewhere nothing is cut.
  std::string to_string(const Screen& screen = Screen::of_stdout()) const;

  static constexpr std::size_t kCellBytesMax = 4096;
  static constexpr std::size_t kColumnWidthMin = 8;

 private:
  std::vector<std::size_t> widths(const Screen& screen) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace millrace::app
