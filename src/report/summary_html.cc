#include "report/summary_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/human.h"
#include "base/text.h"
#include "report/internal/escape.h"
#include "report/internal/forecast_page.h"
#include "report/internal/page.h"
#include "report/internal/summary_cards.h"
#include "report/internal/summary_charts.h"
#include "report/summary_csv.h"

namespace millrace::report {
namespace {

using data::RunSummary;

constexpr std::size_t kLevelsShownMax = 10;  // of a segment field
constexpr std::size_t kSegmentsShownMax = 12;
constexpr std::size_t kTopShownMax = 100;

std::uint64_t positives(const RunSummary& s) {
  const auto found = s.by_label.find(s.positive_label);
  return found == s.by_label.end() ? 0 : found->second;
}

std::string counted(std::uint64_t count, const SummaryWords& words) {
  return human_count(count, words.record, words.records);
}

// "Churn = Yes", or "Yes" without a name.
std::string outcome(const RunSummary& s, const SummaryWords& words) {
  return words.outcome.empty() ? s.positive_label : words.outcome + " = " + s.positive_label;
}

bool looks_like_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
  });
}

std::string tiles(const RunSummary& s, const SummaryWords& words) {
  const bool any = s.predicted > 0;
  std::vector<Tile> list;
  list.push_back({"Scored", human_count(s.predicted), words.records, ""});
  list.push_back({"Predicted " + outcome(s, words),
                  any ? human_percent(share(positives(s), s.predicted)) : "-",
                  counted(positives(s), words), "positive"});
  list.push_back({"Mean probability", any ? human_number(s.mean_probability(), 3) : "-",
                  fmt::format("threshold {:.4g}", s.threshold), ""});
  list.push_back({"Dead letters", human_count(s.dead_lettered),
                  s.dead_lettered == 0
                      ? "nothing was set aside"
                      : human_percent(share(s.dead_lettered, s.consumed)) + " of messages",
                  s.dead_lettered == 0 ? "" : "warn"});
  list.push_back(
      {"Rate", s.duration_s > 0 ? human_rate(s.rate_per_s()) : "-", "messages read", ""});
  list.push_back({"Duration", human_seconds(s.duration_s),
                  s.latency_ms.count() == 0
                      ? ""
                      : "p99 latency " + human_seconds(s.latency_ms.quantile(0.99) / 1e3),
                  ""});
  return tiles_html(list);
}

std::string segment_card(const RunSummary& s, const std::string& field, const SummaryWords& words) {
  const auto found = s.segments.find(field);
  if (found == s.segments.end() || found->second.empty()) return {};
  std::vector<std::pair<std::string, data::SegmentCount>> levels(found->second.begin(),
                                                                 found->second.end());
  const auto rate = [](const data::SegmentCount& c) { return share(c.positive, c.total); };
  if (levels.size() > kLevelsShownMax) {
    std::stable_sort(levels.begin(), levels.end(),
                     [](const auto& a, const auto& b) { return a.second.total > b.second.total; });
    data::SegmentCount rest;
    for (std::size_t i = kLevelsShownMax - 1; i < levels.size(); ++i) {
      rest.total += levels[i].second.total;
      rest.positive += levels[i].second.positive;
    }
    const std::string name = fmt::format("{} others", levels.size() - (kLevelsShownMax - 1));
    levels.resize(kLevelsShownMax - 1);
    levels.emplace_back(name, rest);
  }
  std::stable_sort(levels.begin(), levels.end(),
                   [&](const auto& a, const auto& b) { return rate(a.second) > rate(b.second); });
  std::vector<BarRow> rows;
  for (const auto& [level, count] : levels) {
    rows.push_back(
        {level.empty() ? "(blank)" : level, rate(count), human_percent(rate(count)),
         fmt::format("{} of {}", human_count(count.positive), human_count(count.total))});
  }
  const double overall = share(positives(s), s.predicted);
  std::string html = bars_html(rows, overall, "pos");
  html += fmt::format(
      R"(<p class="legend"><svg aria-hidden="true"><rect class="tickmark" width="2" height="12"/></svg>all {}: {}</p>)",
      html_text(words.records), human_percent(overall));
  return card_html("By " + field, "Share predicted " + outcome(s, words), html);
}

std::string histogram_card(const RunSummary& s, const SummaryWords& words) {
  if (s.predicted == 0) {
    return card_html("Score distribution", "", "<p class=\"none\">Nothing was scored.</p>\n");
  }
  return card_html("Score distribution",
                   fmt::format("{} below the threshold, {} at or above it",
                               human_count(s.predicted - std::min(positives(s), s.predicted)),
                               human_count(positives(s))),
                   score_histogram(s, words));
}

std::string top_card(const RunSummary& s, const SummaryWords& words) {
  if (s.top_risk.empty()) return {};
  const std::size_t shown = std::min(s.top_risk.size(), kTopShownMax);
  TableData table;
  table.caption = fmt::format("The {} with the highest probability of {}", counted(shown, words),
                              outcome(s, words));
  table.columns = {{words.key, false}, {"probability", true}};
  for (std::size_t i = 0; i < s.risk_fields.size(); ++i) {
    const bool number =
        std::all_of(s.top_risk.begin(), s.top_risk.begin() + static_cast<std::ptrdiff_t>(shown),
                    [i](const data::RiskRow& row) {
                      return i < row.values.size() && looks_like_number(row.values[i]);
                    });
    table.columns.push_back({s.risk_fields[i], number});
  }
  for (std::size_t r = 0; r < shown; ++r) {
    const data::RiskRow& row = s.top_risk[r];
    std::vector<std::string> cells = {row.key.empty() ? "(no key)" : row.key,
                                      human_number(row.probability, 3)};
    for (std::size_t i = 0; i < s.risk_fields.size(); ++i) {
      cells.push_back(i < row.values.size() ? row.values[i] : "");
    }
    table.rows.push_back(std::move(cells));
  }
  std::string html = table_html(table);
  html += fmt::format(
      R"(<p class="more"><a download="top_{}.csv" href="data:text/csv;charset=utf-8;base64,{}">Save as CSV</a></p>)",
      html_text(s.pipeline), base64(top_risk_to_csv(s, words.key)));
  return card_html("Highest risk", table.caption, html, CardWidth::kFull);
}

std::string facts_card(const RunSummary& s, const SummaryWords& words) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"Model", s.model_version},
      {"Started", page_time(s.started)},
      {"Stopped because", stop_words(s.stop_reason)},
      {"Read", human_count(s.consumed) + (s.consumed == 1 ? " message" : " messages")},
      {"Label", fmt::format("{} from probability {:.4g}", outcome(s, words), s.threshold)},
      {"Commits", human_count(s.commits)},
  };
  if (s.rebalances > 0) facts.back().second += ", rebalances " + human_count(s.rebalances);
  return card_html("How it was made", "", facts_html(facts), CardWidth::kFull);
}

PageText page_text(const RunSummary& s, Timestamp written, const SummaryWords& words) {
  PageText text;
  text.title = s.pipeline;
  text.kicker = "Scoring report";
  if (s.predicted == 0) {
    text.warning = s.consumed == 0 ? "No predictions: the run read no messages."
                                   : "No predictions: every message read was set aside.";
  } else {
    text.lead =
        fmt::format("{} of {} ({}) {} predicted {}.", human_count(positives(s)),
                    counted(s.predicted, words), human_percent(share(positives(s), s.predicted)),
                    positives(s) == 1 ? "is" : "are", outcome(s, words));
  }
  text.footer = "Written " + page_time(written);
  if (!words.program.empty()) text.footer += " by " + words.program;
  return text;
}

}  // namespace

std::string summary_to_html(const RunSummary& s, Timestamp written, const SummaryWords& words) {
  if (s.forecast_target) return forecast_page(s, written, words);
  std::string cards = histogram_card(s, words);
  for (std::size_t i = 0; i < std::min(s.segment_fields.size(), kSegmentsShownMax); ++i) {
    cards += segment_card(s, s.segment_fields[i], words);
  }
  cards += top_card(s, words);
  cards += alerts_card(s);
  cards += dead_letter_cards(s);
  cards += latency_card(s);
  cards += facts_card(s, words);
  return page_html(page_text(s, written, words), tiles(s, words), cards);
}

}  // namespace millrace::report
