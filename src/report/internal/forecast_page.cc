#include "report/internal/forecast_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/human.h"
#include "report/internal/escape.h"
#include "report/internal/forecast_charts.h"
#include "report/internal/page.h"
#include "report/internal/summary_cards.h"

namespace millrace::report {
namespace {

using data::ForecastFigures;
using data::ForecastScore;
using data::RunSummary;

constexpr std::size_t kKeysShownMax = 25;

ForecastScore score_of(const RunSummary& s) {
  const RunSummary::Forecasts& f = s.forecasts;
  return {f.compared, f.absolute_error, f.error, f.covered};
}

std::uint64_t made(const RunSummary& s) {
  return s.predicted - std::min(s.predicted, s.forecasts.warming_up);
}

// "1 step (1 h) ahead".
std::string ahead(const ForecastFigures& f) {
  return fmt::format("{} ({}) ahead", human_count(f.horizon, "step", "steps"),
                     span_text(f.step * f.horizon));
}

std::string tiles(const RunSummary& s, const SummaryWords& words) {
  const ForecastScore score = score_of(s);
  const bool any = score.compared > 0;
  const double wanted = s.figures ? s.figures->coverage : 0;
  std::vector<Tile> list;
  list.push_back({"Scored", human_count(s.predicted), words.records, ""});
  list.push_back({"Forecasts", human_count(made(s)),
                  human_count(s.forecasts.warming_up) + " without, warming up", ""});
  list.push_back({"Mean absolute error", any ? human_number(score.mae(), 3) : "-",
                  human_count(score.compared) + " compared", "positive"});
  list.push_back({"Within the interval", any ? human_percent(score.coverage()) : "-",
                  wanted > 0 ? human_percent(wanted) + " wanted" : "", ""});
  list.push_back({"Dead letters", human_count(s.dead_lettered),
                  s.dead_lettered == 0
                      ? "nothing was set aside"
                      : human_percent(share(s.dead_lettered, s.consumed)) + " of messages",
                  s.dead_lettered == 0 ? "" : "warn"});
  if (s.alerts) {
    list.push_back({"Drift alerts", human_count(s.alerts->count), "raised or cleared",
                    s.alerts->count == 0 ? "" : "warn"});
  } else {
    list.push_back(
        {"Rate", s.duration_s > 0 ? human_rate(s.rate_per_s()) : "-", "messages read", ""});
  }
  return tiles_html(list);
}

std::string course_card(const RunSummary& s) {
  if (!s.figures || s.figures->course.empty()) {
    return card_html("Forecast and measured", "",
                     "<p class=\"none\">No forecast's hour has come yet.</p>\n");
  }
  const ForecastFigures& f = *s.figures;
  const std::string legend = fmt::format(
      R"(<p class="legend"><span class="key second"></span>measured<span class="key"></span>forecast, with its {} interval</p>)",
      human_percent(f.coverage));
  const std::string scrolled = fmt::format(
      R"(<div class="scroll" tabindex="0" role="region" aria-label="Forecast and measured">{}</div>)",
      course_plot(f, *s.forecast_target));
  const std::string note =
      fmt::format("{} of {}, the last {} that were compared", *s.forecast_target,
                  f.course_key.empty() ? "one key" : f.course_key, human_count(f.course.size()));
  return card_html("Forecast and measured", note, scrolled + legend, CardWidth::kFull);
}

std::string over_time_cards(const RunSummary& s) {
  if (!s.figures || s.figures->spans.empty()) return {};
  const ForecastFigures& f = *s.figures;
  const std::string each = "By " + span_text(f.span) + " of event time";
  return card_html("Error over time", each, error_plot(f, *s.forecast_target)) +
         card_html("Coverage over time", each + "; dashed: what the intervals were made for",
                   coverage_plot(f));
}

std::vector<std::string> row_of(const std::string& name, const ForecastFigures::Key& key) {
  const bool any = key.score.compared > 0;
  return {name,
          human_count(key.readings),
          human_count(key.readings - key.warming_up),
          human_count(key.score.compared),
          any ? human_number(key.score.mae(), 3) : "-",
          any ? human_number(key.score.bias(), 3) : "-",
          any ? human_percent(key.score.coverage()) : "-"};
}

void add(ForecastFigures::Key& to, const ForecastFigures::Key& more) {
  to.readings += more.readings;
  to.warming_up += more.warming_up;
  to.score.compared += more.score.compared;
  to.score.absolute_error += more.score.absolute_error;
  to.score.error += more.score.error;
  to.score.covered += more.score.covered;
}

// The keys with the largest error first; those beyond the table's end as one row.
std::string keys_card(const RunSummary& s, const SummaryWords& words) {
  if (!s.figures || s.figures->keys.empty()) return {};
  std::vector<ForecastFigures::Key> keys;
  for (const ForecastFigures::Key& key : s.figures->keys)
    if (key.readings > 0) keys.push_back(key);
  std::stable_sort(keys.begin(), keys.end(),
                   [](const auto& a, const auto& b) { return a.score.mae() > b.score.mae(); });
  TableData table;
  table.caption = "Forecasts by " + words.key;
  table.columns = {{words.key, false},           {words.records, true},         {"forecasts", true},
                   {"compared", true},           {"mean absolute error", true}, {"bias", true},
                   {"within the interval", true}};
  const std::size_t shown = std::min(keys.size(), kKeysShownMax);
  for (std::size_t i = 0; i < shown; ++i)
    table.rows.push_back(row_of(keys[i].key.empty() ? "(no key)" : keys[i].key, keys[i]));
  ForecastFigures::Key rest = s.figures->others;
  for (std::size_t i = shown; i < keys.size(); ++i) add(rest, keys[i]);
  if (rest.readings > 0) table.rows.push_back(row_of("all others", rest));
  const std::string note = fmt::format("{}; bias: forecast less measured", ahead(*s.figures));
  return card_html("By " + words.key, note, table_html(table), CardWidth::kFull);
}

std::string facts_card(const RunSummary& s) {
  std::vector<std::pair<std::string, std::string>> facts = {{"Model", s.model_version}};
  if (s.figures) {
    const ForecastFigures& f = *s.figures;
    facts.emplace_back("Forecast", *s.forecast_target + ", " + ahead(f));
    if (f.first && f.last)
      facts.emplace_back("Event time", page_time(*f.first) + " to " + page_time(*f.last));
  }
  facts.emplace_back("Started", page_time(s.started));
  facts.emplace_back("Stopped because", stop_words(s.stop_reason));
  facts.emplace_back("Read", human_count(s.consumed, "message", "messages") + ", " +
                                 (s.duration_s > 0 ? human_rate(s.rate_per_s()) : "-"));
  facts.emplace_back("Duration", human_seconds(s.duration_s));
  facts.emplace_back("Commits", human_count(s.commits));
  if (s.rebalances > 0) facts.back().second += ", rebalances " + human_count(s.rebalances);
  return card_html("How it was made", "", facts_html(facts), CardWidth::kFull);
}

PageText page_text(const RunSummary& s, Timestamp written, const SummaryWords& words) {
  const ForecastScore score = score_of(s);
  PageText text;
  text.title = s.pipeline;
  text.kicker = "Forecast report";
  if (s.predicted == 0) {
    text.warning = s.consumed == 0 ? "No forecasts: the run read no messages."
                                   : "No forecasts: every message read was set aside.";
  } else {
    text.lead = human_count(made(s), "forecast", "forecasts") + " of " + *s.forecast_target;
    if (s.figures) text.lead += ", " + ahead(*s.figures);
    text.lead += ".";
    if (score.compared > 0) {
      text.lead += fmt::format(
          " {} compared with what was measured: off by {} on average, {} within the interval.",
          human_count(score.compared, "was", "were"), human_number(score.mae(), 3),
          human_percent(score.coverage()));
    }
  }
  text.footer = "Written " + page_time(written);
  if (!words.program.empty()) text.footer += " by " + words.program;
  return text;
}

}  // namespace

std::string forecast_page(const RunSummary& s, Timestamp written, const SummaryWords& words) {
  std::string cards = course_card(s);
  cards += over_time_cards(s);
  cards += keys_card(s, words);
  cards += alerts_card(s);
  cards += dead_letter_cards(s);
  cards += latency_card(s);
  cards += facts_card(s);
  return page_html(page_text(s, written, words), tiles(s, words), cards);
}

}  // namespace millrace::report
