#include "report/internal/summary_cards.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/human.h"
#include "env/clock.h"
#include "report/internal/page.h"
#include "report/internal/summary_charts.h"

namespace millrace::report {
namespace {

using data::RunSummary;

constexpr std::size_t kReasonsShownMax = 10;
constexpr std::size_t kAlertsShownMax = 25;

// The largest counts as bars against their sum.
std::string count_bars(const std::map<std::string, std::uint64_t>& by_name,
                       std::string_view css_class) {
  std::vector<std::pair<std::string, std::uint64_t>> counts(by_name.begin(), by_name.end());
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::uint64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  std::vector<BarRow> rows;
  for (const auto& [name, count] : counts) {
    if (rows.size() == kReasonsShownMax) break;
    rows.push_back({name.empty() ? "(whole record)" : name, share(count, sum), human_count(count),
                    human_percent(share(count, sum))});
  }
  std::string html = bars_html(rows, -1, css_class);
  if (counts.size() > rows.size()) {
    html += fmt::format("<p class=\"legend\">and {} more</p>\n", counts.size() - rows.size());
  }
  return html;
}

// "2005-02-10", or with the time where a window is shorter than a day.
std::string window_text(const data::AlertRow& alert) {
  constexpr std::int64_t kDayMs = 86'400'000;
  const std::string time = page_time(alert.window_start);
  const bool days =
      alert.window_start.value() % kDayMs == 0 && alert.window_end.value() % kDayMs == 0;
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kMinute = 16;
  return time.substr(0, days ? kDate : kMinute);
}

}  // namespace

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string stop_words(const std::string& reason) {
  if (reason == "caught_up") return "everything in the topic was read";
  if (reason == "max_messages") return "the wanted number of messages was read";
  if (reason == "timeout") return "the time for this window was over";
  if (reason == "signal") return "it was asked to stop";
  return reason;
}

std::string dead_letter_cards(const RunSummary& s) {
  if (s.dead_lettered == 0) {
    return card_html("Dead letters", "",
                     s.consumed == 0
                         ? "<p class=\"none\">None.</p>\n"
                         : "<p class=\"none\">None: every message read was scored.</p>\n");
  }
  std::string html =
      card_html("Dead letters by reason",
                human_count(s.dead_lettered) + " set aside, " +
                    human_percent(share(s.dead_lettered, s.consumed)) + " of messages",
                count_bars(s.dead_letters_by_code, "base"));
  if (!s.dead_letters_by_field.empty()) {
    html += card_html("Dead letters by field", "Where in the record the error was",
                      count_bars(s.dead_letters_by_field, "base"));
  }
  return html;
}

std::string latency_card(const RunSummary& s) {
  const data::Histogram& h = s.latency_ms;
  if (h.count() == 0) return {};
  const auto at = [&h](double q) { return human_seconds(h.quantile(q) / 1e3); };
  const std::string note = fmt::format("Half within {}, 99 % within {}, slowest {}", at(0.5),
                                       at(0.99), human_seconds(h.max() / 1e3));
  return card_html("Latency", note, latency_curve(h));
}

std::string alerts_card(const RunSummary& s) {
  if (!s.alerts) return {};
  if (s.alerts->rows.empty()) {
    return card_html("Drift", "Each window compared with the training data",
                     "<p class=\"none\">No alert was raised.</p>\n");
  }
  const std::size_t shown = std::min(s.alerts->rows.size(), kAlertsShownMax);
  TableData table;
  table.caption = "Drift alerts";
  table.columns = {{"window from", false}, {"feature", false}, {"statistic", false},
                   {"value", true},        {"limit", true},    {"state", false}};
  for (std::size_t i = 0; i < shown; ++i) {
    const data::AlertRow& alert = s.alerts->rows[i];
    table.rows.push_back({window_text(alert), alert.feature, alert.statistic,
                          human_number(alert.value, 3), human_number(alert.threshold, 3),
                          alert.state});
  }
  std::string html = table_html(table);
  if (s.alerts->count > shown)
    html +=
        fmt::format("<p class=\"legend\">and {} more</p>\n", human_count(s.alerts->count - shown));
  return card_html(
      "Drift",
      human_count(s.alerts->count, "alert", "alerts") + ": windows unlike any of the training data",
      html, CardWidth::kFull);
}

}  // namespace millrace::report
