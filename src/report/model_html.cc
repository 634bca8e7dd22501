#include "report/model_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "base/human.h"
#include "eval/metrics.h"
#include "report/internal/curves.h"
#include "report/internal/escape.h"
#include "report/internal/page.h"
#include "report/internal/plot.h"

namespace millrace::report {
namespace {

constexpr std::size_t kImportancesShownMax = 12;
constexpr PlotSize kSquare{.width = 360, .height = 320};

std::string metric(double value) { return human_number(value, 4); }

std::uint64_t positives(const ModelReport& r) {
  return static_cast<std::uint64_t>(std::count(r.labels.begin(), r.labels.end(), 1));
}

double base_rate(const ModelReport& r) {
  return static_cast<double>(positives(r)) / static_cast<double>(r.labels.size());
}

std::string tiles(const ModelReport& r, const eval::Confusion& c) {
  return tiles_html({
      {"ROC AUC", metric(eval::roc_auc(r.labels, r.probabilities)), "chance 0.5", ""},
      {"PR AUC", metric(eval::average_precision(r.labels, r.probabilities)),
       "chance " + human_number(base_rate(r), 3), ""},
      {"Log-loss", metric(eval::log_loss(r.labels, r.probabilities)), "smaller is better", ""},
      {"Accuracy", human_percent(eval::accuracy(c)),
       "baseline " + human_percent(std::max(base_rate(r), 1 - base_rate(r))), ""},
      {"Precision", human_percent(eval::precision(c)), "of those predicted", ""},
      {"Recall", human_percent(eval::recall(c)), "of those to be found", ""},
  });
}

std::string roc_card(const ModelReport& r, const std::vector<CurveStep>& steps,
                     const eval::Confusion& c) {
  const std::vector<Point> points = thinned(roc_points(steps), kCurvePointsMax);
  if (points.empty()) return {};
  Plot plot(kSquare, share_axis(), share_axis());
  plot.area(points, "area");
  plot.draw_axes("false positive rate", "true positive rate");
  plot.line({{0, 0}, {1, 1}}, "diagonal");
  plot.line(points, "curve");
  const Point here{1 - eval::specificity(c), eval::recall(c)};
  plot.dot(here, "dot",
           fmt::format("threshold {:.4g}: {} found at {} false alarms", r.threshold,
                       human_percent(here.y), human_percent(here.x)));
  const std::string area = metric(eval::roc_auc(r.labels, r.probabilities));
  return card_html("ROC curve", "Area " + area + "; the dot is the threshold in use",
                   plot.finish("ROC curve with area " + area));
}

std::string precision_recall_card(const ModelReport& r, const std::vector<CurveStep>& steps,
                                  const eval::Confusion& c) {
  const std::vector<Point> points = thinned(precision_recall_points(steps), kCurvePointsMax);
  if (points.empty()) return {};
  Plot plot(kSquare, share_axis(), share_axis());
  plot.area(points, "area");
  plot.draw_axes("recall", "precision");
  plot.line({{0, base_rate(r)}, {1, base_rate(r)}}, "diagonal");
  plot.line(points, "curve");
  plot.dot({eval::recall(c), eval::precision(c)}, "dot",
           fmt::format("threshold {:.4g}: precision {}, recall {}", r.threshold,
                       human_percent(eval::precision(c)), human_percent(eval::recall(c))));
  const std::string area = metric(eval::average_precision(r.labels, r.probabilities));
  return card_html("Precision and recall", "Area " + area + "; the dot is the threshold in use",
                   plot.finish("Precision-recall curve with average precision " + area));
}

std::string calibration_card(const ModelReport& r) {
  const std::vector<eval::CalibrationBin> bins = eval::calibration(r.labels, r.probabilities);
  Plot plot(kSquare, share_axis(), share_axis());
  plot.draw_axes("mean predicted probability", "share of " + r.outcome);
  plot.line({{0, 0}, {1, 1}}, "diagonal");
  std::vector<Point> points;
  for (const eval::CalibrationBin& bin : bins) {
    if (bin.count > 0) points.push_back({bin.mean_probability, bin.positive_rate});
  }
  plot.line(points, "curve");
  for (const eval::CalibrationBin& bin : bins) {
    if (bin.count == 0) continue;
    plot.dot({bin.mean_probability, bin.positive_rate}, "dot",
             fmt::format("{} rows: predicted {}, seen {}", human_count(bin.count),
                         human_percent(bin.mean_probability), human_percent(bin.positive_rate)));
  }
  const std::string error = human_percent(eval::expected_calibration_error(bins));
  return card_html("Calibration", "Mean gap between predicted and seen: " + error,
                   plot.finish("Calibration curve; expected calibration error " + error));
}

// Scores of both classes, one above the other would hide the smaller: two lines of shares.
std::string separation_card(const ModelReport& r) {
  constexpr std::size_t kBins = 20;
  std::array<std::array<double, kBins>, 2> shares{};
  std::array<double, 2> totals{};
  for (std::size_t i = 0; i < r.labels.size(); ++i) {
    const std::size_t cls = r.labels[i] == 1 ? 1 : 0;
    const double scaled = std::clamp(r.probabilities[i], 0.0, 1.0) * kBins;
    shares.at(cls).at(std::min(static_cast<std::size_t>(scaled), kBins - 1)) += 1;
    totals.at(cls) += 1;
  }
  double tallest = 0;
  for (std::size_t cls = 0; cls < 2; ++cls) {
    for (double& share : shares.at(cls)) {
      share *= totals.at(cls) == 0 ? 0 : 100 / totals.at(cls);
      tallest = std::max(tallest, share);
    }
  }
  Plot plot(kSquare, share_axis(), nice_axis(0, tallest, 4));
  plot.draw_axes("probability", "% of the class");
  for (std::size_t cls = 0; cls < 2; ++cls) {
    std::vector<Point> outline;
    for (std::size_t i = 0; i < kBins; ++i) {
      outline.push_back({static_cast<double>(i) / kBins, shares.at(cls).at(i)});
      outline.push_back({static_cast<double>(i + 1) / kBins, shares.at(cls).at(i)});
    }
    plot.line(outline, cls == 1 ? "curve second" : "curve");
  }
  plot.marker(r.threshold, fmt::format("threshold {:.4g}", r.threshold));
  std::string html = plot.finish("Distribution of the probabilities of both classes");
  html += fmt::format(
      "<p class=\"legend\"><span class=\"key second\"></span>{} <span class=\"key\"></span>the "
      "others</p>\n",
      html_text(r.outcome));
  return card_html("Separation", "Where the model puts each class", html);
}

std::string confusion_card(const ModelReport& r, const eval::Confusion& c) {
  TableData table;
  table.caption =
      fmt::format("Rows by what they are and what was predicted, at threshold {:.4g}", r.threshold);
  table.columns = {{"", false}, {"predicted", true}, {"not predicted", true}};
  table.rows = {
      {r.outcome, human_count(c.true_positive), human_count(c.false_negative)},
      {"others", human_count(c.false_positive), human_count(c.true_negative)},
      {"all", human_count(c.true_positive + c.false_positive),
       human_count(c.false_negative + c.true_negative)},
  };
  return card_html("Confusion", table.caption,
                   table_html(table) + facts_html({{"F1", metric(eval::f1(c))},
                                                   {"Specificity", metric(eval::specificity(c))}}));
}

std::string importance_card(const ModelReport& r) {
  if (r.importances.empty()) return {};
  std::vector<std::pair<std::string, double>> sorted = r.importances;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const double largest = sorted.front().second;
  std::vector<BarRow> rows;
  for (const auto& [name, share] : sorted) {
    if (rows.size() == kImportancesShownMax || !(share > 0)) break;
    rows.push_back({name, share / largest, human_percent(share), ""});
  }
  return card_html("What it looks at", "Share of all gain, the largest first",
                   bars_html(rows, -1, "base"));
}

}  // namespace

std::string model_to_html(const ModelReport& r, Timestamp written) {
  CHECK(!r.labels.empty() && r.labels.size() == r.probabilities.size());
  const eval::Confusion confusion = eval::confusion(r.labels, r.probabilities, r.threshold);
  const std::vector<CurveStep> steps = curve_steps(r.labels, r.probabilities);
  PageText text;
  text.kicker = "Model report";
  text.title = r.pipeline + (r.model_version.empty() ? "" : " · " + r.model_version);
  text.lead = fmt::format("{} rows, {} of them {} ({}).", human_count(r.labels.size()),
                          human_count(positives(r)), r.outcome, human_percent(base_rate(r)));
  if (!r.rows_note.empty()) text.lead += " " + r.rows_note;
  text.footer = "Written " + page_time(written);
  if (!r.program.empty()) text.footer += " by " + r.program;
  std::string cards = roc_card(r, steps, confusion);
  cards += precision_recall_card(r, steps, confusion);
  cards += calibration_card(r);
  cards += separation_card(r);
  cards += confusion_card(r, confusion);
  cards += importance_card(r);
  if (!r.facts.empty()) {
    cards += card_html("How it was made", "", facts_html(r.facts), CardWidth::kFull);
  }
  return page_html(text, tiles(r, confusion), cards);
}

}  // namespace millrace::report
