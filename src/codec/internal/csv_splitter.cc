#include "codec/internal/csv_splitter.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace millrace::codec::internal {
namespace {

using data::RecordCode;

constexpr std::size_t kBlock = 64;

// One bit for each of 64 bytes: those that a splitter has to look at, and those above 127.
struct Masks {
  std::uint64_t special = 0;
  std::uint64_t high = 0;
};

#if defined(__SSE2__)
Masks masks_of(const char* at, char separator, char quote) {
  Masks masks;
  for (std::size_t i = 0; i < kBlock; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i));
    const __m128i special =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(separator)),
                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8(quote))),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')),
                                  _mm_cmpeq_epi8(bytes, _mm_setzero_si128())));
    masks.special |= std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(special))} << i;
    masks.high |= std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(bytes))} << i;
  }
  return masks;
}
#else
Masks masks_of(const char* at, char separator, char quote) {
  Masks masks;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const char c = at[i];
    const bool special = c == separator || c == quote || c == '\n' || c == '\0';
    masks.special |= std::uint64_t{special} << i;
    masks.high |= std::uint64_t{static_cast<unsigned char>(c) > 127} << i;
  }
  return masks;
}
#endif

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) > 127; });
}

}  // namespace

struct CsvSplitter::Cursor {
  Cursor(std::string_view text_in, Last last_in) : text(text_in), last(last_in == Last::kYes) {}

  std::string_view text;
  bool last;
  std::size_t at = 0;
  std::size_t fault = CsvSplit::kNowhere;  // where what is wrong began
  std::string_view reason;
  std::size_t open_quote = CsvSplit::kNowhere;

  bool fail(std::size_t where, std::string_view why) {
    fault = where;
    reason = why;
    return false;
  }
  // Whether a cell ends here: at a separator, a line end or the end of the file.
  bool at_cell_end(char separator) const {
    if (at == text.size()) return last;
    if (text[at] == separator || text[at] == '\n') return true;
    return text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
  }
};

CsvSplit CsvSplitter::split(std::string_view text, Last last,
                            std::vector<std::string_view>& cells) {
  cells.clear();
  CsvSplit split;
  if (split_plain(text, split, cells)) return split;
  return split_quoted(text, last, cells);
}

void CsvSplitter::keep(std::string_view cell, CsvSplit& split,
                       std::vector<std::string_view>& cells) const {
  if (split.cell_count++ < cells_max_) cells.push_back(cell);
}

// Rows without a quote and with their line end in sight, which is nearly all of them: one look at
// 64 bytes at a time. False for any other row.
bool CsvSplitter::split_plain(std::string_view text, CsvSplit& split,
                              std::vector<std::string_view>& cells) {
  std::size_t start = 0;
  std::uint64_t high = 0;
  for (std::size_t block = 0; block < text.size(); block += kBlock) {
    Masks masks = masks_of(text.data() + block, separator_, quote_);
    high |= masks.high;
    for (; masks.special != 0; masks.special &= masks.special - 1) {
      const std::size_t at = block + static_cast<std::size_t>(std::countr_zero(masks.special));
      if (at >= text.size()) return false;
      if (text[at] == separator_) {
        keep(text.substr(start, at - start), split, cells);
        start = at + 1;
        continue;
      }
      if (text[at] != '\n') return false;
      split.outcome = CsvSplit::Outcome::kRow;
      split.raw_size = without_cr(text.substr(0, at)).size();
      keep(text.substr(start, std::max(split.raw_size, start) - start), split, cells);
      split.size = at + 1;
      split.lines = 1;
      split.ascii = high == 0;
      return true;
    }
  }
  return false;
}

CsvSplit CsvSplitter::split_quoted(std::string_view text, Last last,
                                   std::vector<std::string_view>& cells) {
  cells.clear();
  unescaped_.clear();
  CsvSplit split;
  Cursor cursor(text, last);
  while (true) {
    std::string_view cell;
    const bool quoted = cursor.at < text.size() && text[cursor.at] == quote_;
    if (!(quoted ? take_quoted(cursor, cell) : take_unquoted(cursor, cell))) break;
    keep(cell, split, cells);
    if (cursor.at < text.size() && text[cursor.at] == separator_) {
      ++cursor.at;
      continue;
    }
    split.outcome = CsvSplit::Outcome::kRow;
    split.raw_size = cursor.at;
    if (cursor.at < text.size()) cursor.at += text[cursor.at] == '\r' ? 2 : 1;
    split.size = cursor.at;
    split.lines =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(split.size), '\n');
    const std::string_view raw = text.substr(0, split.raw_size);
    split.ascii = is_ascii(raw);
    if (raw.find('\0') != std::string_view::npos) {
      split.outcome = CsvSplit::Outcome::kBad;
      split.code = RecordCode::kParse;
      split.reason = "the row holds a NUL byte";
    }
    return split;
  }
  if (cursor.fault != CsvSplit::kNowhere) return give_up(text, last, cursor.fault, cursor.reason);
  split.open_quote = cursor.open_quote;
  return split;  // kNeedMore
}

CsvSplit CsvSplitter::give_up(std::string_view text, Last last, std::size_t fault,
                              std::string_view reason) {
  CsvSplit split;
  const std::size_t line_end = text.find('\n', fault);
  if (line_end == std::string_view::npos && last == Last::kNo) return split;
  split.outcome = CsvSplit::Outcome::kBad;
  split.reason = reason;
  split.raw_size = without_cr(text.substr(0, line_end)).size();
  split.size = line_end == std::string_view::npos ? text.size() : line_end + 1;
  split.lines =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(split.size), '\n');
  return split;
}

// False with a fault, or without one when more text is needed.
bool CsvSplitter::take_quoted(Cursor& cursor, std::string_view& cell) {
  const std::size_t opened = cursor.at;
  bool doubled = false;
  for (std::size_t at = opened + 1;; at += 2) {
    at = cursor.text.find(quote_, at);
    const bool followed = at != std::string_view::npos && at + 1 < cursor.text.size();
    if (followed && cursor.text[at + 1] == quote_) {
      doubled = true;
      continue;
    }
    if (at == std::string_view::npos) {
      cursor.open_quote = opened;
      return cursor.last && cursor.fail(opened, "a quote is not closed before the end of the file");
    }
    cursor.at = at + 1;
    if (!cursor.at_cell_end(separator_)) {
      // A carriage return at the end of the text may be half of a line end.
      const std::string_view rest = cursor.text.substr(cursor.at);
      if (!cursor.last && (rest.empty() || rest == "\r")) return false;
      return cursor.fail(opened, "text stands behind a closing quote");
    }
    cell = cursor.text.substr(opened + 1, at - opened - 1);
    if (doubled) cell = unescape(cell);
    return true;
  }
}

bool CsvSplitter::take_unquoted(Cursor& cursor, std::string_view& cell) {
  const std::size_t start = cursor.at;
  const std::string_view text = cursor.text;
  std::size_t at = start;
  while (at < text.size() && text[at] != separator_ && text[at] != '\n' && text[at] != quote_) ++at;
  cursor.at = at;
  if (at == text.size() && !cursor.last) return false;
  if (at < text.size() && text[at] == quote_) {
    return cursor.fail(at, "a quote stands inside a cell that is not quoted");
  }
  cell = cursor.text.substr(start, cursor.at - start);
  if (at < text.size() && text[at] == '\n' && cell.ends_with('\r')) {
    cell.remove_suffix(1);
    --cursor.at;
  }
  return true;
}

std::string_view CsvSplitter::unescape(std::string_view doubled) {
  char* const to = unescaped_.allocate(doubled.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < doubled.size(); ++i) {
    to[size++] = doubled[i];
    if (doubled[i] == quote_) ++i;
  }
  return {to, size};
}

}  // namespace millrace::codec::internal
