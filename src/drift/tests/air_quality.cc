#include "air_quality.h"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <limits>

#include "env/file.h"

namespace millrace::drift {
namespace {

constexpr std::size_t kColumns = 13;
constexpr double kSentinel = -200;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ';') {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c == ',' ? '.' : c;
    }
  }
  return cells;
}

// "10/03/2004", "18.00.00".
Timestamp time_of(const std::string& date, const std::string& hour) {
  const auto number = [](const std::string& text, std::size_t at, std::size_t length) {
    return std::atoi(text.substr(at, length).c_str());
  };
  const std::chrono::year_month_day day(
      std::chrono::year(number(date, 6, 4)),
      std::chrono::month(static_cast<unsigned>(number(date, 3, 2))),
      std::chrono::day(static_cast<unsigned>(number(date, 0, 2))));
  constexpr std::int64_t kDayMs = 86'400'000;
  constexpr std::int64_t kHourMs = 3'600'000;
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return Timestamp(days * kDayMs + number(hour, 0, 2) * kHourMs);
}

double value_of(const std::string& cell) {
  double value = kSentinel;
  std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return value == kSentinel ? std::numeric_limits<double>::quiet_NaN() : value;
}

}  // namespace

std::optional<AirQuality> read_air_quality() {
  const char* folder = std::getenv("MILLRACE_DATA_DIR");
  if (folder == nullptr) return std::nullopt;
  const auto text = env::read_file(env::Path(folder) / "AirQualityUCI.csv", std::size_t{1} << 24);
  if (!text) return std::nullopt;
  AirQuality out;
  std::size_t begin = 0;
  while (begin < text->size()) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::vector<std::string> cells = cells_of(text->substr(begin, end - begin));
    begin = end + 1;
    if (cells.size() < kColumns + 2 || cells[0].empty()) continue;
    if (out.columns.empty()) {
      for (std::size_t i = 0; i < kColumns; ++i) out.columns.push_back({cells[i + 2], "", {}});
      continue;
    }
    out.times.push_back(time_of(cells[0], cells[1]));
    out.rows.emplace_back();
    for (std::size_t i = 0; i < kColumns; ++i) out.rows.back().push_back(value_of(cells[i + 2]));
  }
  return out;
}

}  // namespace millrace::drift
