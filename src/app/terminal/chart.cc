#include "app/terminal/chart.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace millrace::app {
namespace {

constexpr std::array<const char*, 8> kEighthsWide = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
constexpr std::array<const char*, 8> kEighthsHigh = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 4> kAsciiHigh = {"_", ".", "-", "^"};

}  // namespace

std::string bar_chart(double value, double max, std::size_t width, const Screen& screen) {
  if (!(value > 0) || !(max > 0)) return "";
  const double columns = std::min(value / max, 1.0) * static_cast<double>(width);
  if (screen.symbols != Screen::Symbols::kUnicode) {
    return std::string(std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(columns))),
                       '#');
  }
  // What is there at all is shown.
  const auto eighths = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(columns * 8)));
  std::string bar;
  for (std::size_t i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kEighthsWide.at(eighths % 8);
}

std::string spark_line(std::span<const double> values, std::size_t width, const Screen& screen) {
  if (values.size() > width) values = values.last(width);
  if (values.empty()) return "";
  const double max = *std::max_element(values.begin(), values.end());
  const bool unicode = screen.symbols == Screen::Symbols::kUnicode;
  const std::size_t steps = unicode ? kEighthsHigh.size() : kAsciiHigh.size();
  std::string line;
  for (const double value : values) {
    const double share = max > 0 ? std::clamp(value / max, 0.0, 1.0) : 0;
    const auto step = std::min(
        steps - 1, static_cast<std::size_t>(std::ceil(share * static_cast<double>(steps - 1))));
    line += unicode ? kEighthsHigh.at(step) : kAsciiHigh.at(step);
  }
  return line;
}

}  // namespace millrace::app
