// One CSV row at the start of a text: where its cells are and where it ends (RFC 4180).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "data/record_error.h"

namespace millrace::codec::internal {

struct CsvSplit {
  enum class Outcome {
    kRow,       // a whole row, well quoted
    kNeedMore,  // the row goes on behind the text
    kBad,       // `code` and `reason` say why; the row ends with the line where the fault began
  };
  static constexpr std::size_t kNowhere = SIZE_MAX;

  Outcome outcome = Outcome::kNeedMore;
  std::size_t raw_size = 0;           // bytes of the row without its line end
  std::size_t size = 0;               // with it: where the next row starts
  std::size_t cell_count = 0;         // all of them, also those that were not kept
  std::int64_t lines = 0;             // line ends within `size`
  std::size_t open_quote = kNowhere;  // kNeedMore: the quote that is still open
  data::RecordCode code = data::RecordCode::kBadQuoting;
  std::string_view reason;  // of a bad row
  bool ascii = false;       // no byte of the row is above 127
};

// Not thread-safe. Views of cells point into the text, or, where a doubled quote had to be taken
// out, into memory that lives until the next split.
class CsvSplitter {
 public:
  // At most `cells_max` cells of a row are kept.
  CsvSplitter(char separator, char quote, std::size_t cells_max)
      : separator_(separator), quote_(quote), cells_max_(cells_max) {}

  // `text` needs 64 readable bytes behind it. `last`: the file ends with `text`.
  enum class Last : bool { kNo, kYes };
  CsvSplit split(std::string_view text, Last last, std::vector<std::string_view>& cells);
  // The row that starts `text` given up because of the quote at `open_quote`, or because of what
  // stands there: it ends with that line. kNeedMore where that line's end is not in `text`.
  static CsvSplit give_up(std::string_view text, Last last, std::size_t fault,
                          std::string_view reason);

 private:
  struct Cursor;
  bool split_plain(std::string_view text, CsvSplit& split, std::vector<std::string_view>& cells);
  CsvSplit split_quoted(std::string_view text, Last last, std::vector<std::string_view>& cells);
  bool take_quoted(Cursor& cursor, std::string_view& cell);
  bool take_unquoted(Cursor& cursor, std::string_view& cell);
  std::string_view unescape(std::string_view doubled);
  void keep(std::string_view cell, CsvSplit& split, std::vector<std::string_view>& cells) const;

  char separator_;
  char quote_;
  std::size_t cells_max_;
  Arena unescaped_;
};

}  // namespace millrace::codec::internal
