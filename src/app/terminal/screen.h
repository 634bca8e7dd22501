// What a stream's other end can show: how wide it is, and whether it takes colours.
#pragma once

#include <string>
#include <string_view>

namespace millrace::app {

// Text with colours, or as it is. A plain value.
class Style {
 public:
  enum class Colours { kOff, kOn };
  Style() = default;
  explicit Style(Colours colours) : colours_(colours) {}

  bool has_colours() const { return colours_ == Colours::kOn; }
  std::string bold(std::string_view text) const { return painted("1", text); }
  std::string dim(std::string_view text) const { return painted("2", text); }
  std::string good(std::string_view text) const { return painted("32", text); }
  std::string warning(std::string_view text) const { return painted("33", text); }
  std::string bad(std::string_view text) const { return painted("31", text); }
  std::string accent(std::string_view text) const { return painted("36", text); }

 private:
  std::string painted(std::string_view code, std::string_view text) const;
  Colours colours_ = Colours::kOff;
};

struct Screen {
  std::size_t columns = 0;  // 0: not a terminal, lines may have any length
  std::size_t rows = 0;     // 0: not a terminal, there may be any number of lines
  Style style;
  enum class Symbols { kAscii, kUnicode } symbols = Symbols::kAscii;

  bool is_terminal() const { return columns > 0; }

  // Of a file descriptor. Colours on a terminal unless NO_COLOR is set and not empty, or TERM is
  // "dumb"; Unicode where the locale's character set is UTF-8.
  static Screen of_descriptor(int descriptor);
  static Screen of_stdout();
  static Screen of_stderr();
};

}  // namespace millrace::app
