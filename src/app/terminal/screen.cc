#include "app/terminal/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace millrace::app {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

// The first of the three variables that is set decides, as for every program of the system.
bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos ||
           value.find("utf8") != std::string_view::npos;
  }
  return false;
}

}  // namespace

std::string Style::painted(std::string_view code, std::string_view text) const {
  if (!has_colours() || text.empty()) return std::string(text);
  std::string out = "\x1b[";
  out += code;
  out += 'm';
  out += text;
  out += "\x1b[0m";
  return out;
}

Screen Screen::of_descriptor(int descriptor) {
  Screen screen;
  if (::isatty(descriptor) == 0) return screen;
  constexpr std::size_t kColumnsUnknown = 80;
  constexpr std::size_t kRowsUnknown = 24;
  constexpr std::size_t kColumnsMin = 20;  // what a broken terminal says is not believed
  constexpr std::size_t kRowsMin = 5;
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col >= kColumnsMin;
  screen.columns = known ? size.ws_col : kColumnsUnknown;
  screen.rows = known && size.ws_row >= kRowsMin ? size.ws_row : kRowsUnknown;
  const bool colours = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  screen.style = Style(colours ? Style::Colours::kOn : Style::Colours::kOff);
  screen.symbols = is_utf8_locale() ? Symbols::kUnicode : Symbols::kAscii;
  return screen;
}

Screen Screen::of_stdout() { return of_descriptor(STDOUT_FILENO); }
Screen Screen::of_stderr() { return of_descriptor(STDERR_FILENO); }

}  // namespace millrace::app
