#include "app/top_view.h"

#include <algorithm>
#include <cmath>

#include "app/terminal/chart.h"
#include "app/terminal/table.h"
#include "app/terminal/width.h"
#include "base/human.h"
#include "base/text.h"
#include "env/clock.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr std::size_t kPlainColumns = 100;  // where there is no terminal
constexpr std::size_t kGap = 4;             // between what stands side by side
constexpr std::size_t kPartitionRowsMin = 3;

std::string_view ellipsis_of(const Screen& screen) {
  return screen.symbols == Screen::Symbols::kUnicode ? "…" : "~";
}

// Text, a title before it.
std::string row(const std::string& title, const std::string& text, const Screen& screen,
                std::size_t width) {
  constexpr std::size_t kTitle = 14;
  std::string padded = title;
  padded.resize(std::max(kTitle, title.size() + 1), ' ');
  return screen.style.dim(padded) + cut_to_width(text, width - padded.size(), ellipsis_of(screen));
}

std::string milliseconds(double value) { return human_seconds(value / 1000); }

std::string latencies(const PipelineView& view) {
  const auto quantiles = [](const Quantiles& values) {
    return "p50 " + milliseconds(values.p50) + " p99 " + milliseconds(values.p99);
  };
  if (!view.inference_ms) return "no predictions seen";
  std::string text = "scoring " + quantiles(*view.inference_ms);
  if (view.end_to_end_ms) text += "  end-to-end " + quantiles(*view.end_to_end_ms);
  return text;
}

std::string rates(const PipelineView& view) {
  if (!view.rates) return "-";
  return "in " + human_rate(view.rates->in) + "   consumed " + human_rate(view.rates->consumed) +
         "   predictions " + human_rate(view.rates->predicted) + "   dead letters " +
         human_rate(view.rates->dead_lettered);
}

std::string count_of(std::uint64_t count, const char* one) {
  return human_count(count) + " " + one + (count == 1 ? "" : "s");
}

std::vector<std::string> heading(const PipelineView& view, const TopContext& context,
                                 const Screen& screen, std::size_t width) {
  std::vector<std::string> lines;
  const std::string time = env::format_rfc3339(view.at).substr(0, 19) + "Z";
  const std::size_t room = width > time.size() + 2 ? width - time.size() - 2 : 8;
  std::string name = cut_to_width(printable(context.pipeline) + "  " + printable(context.log), room,
                                  ellipsis_of(screen));
  const std::size_t blanks = width - std::min(width, display_width(name) + time.size());
  lines.push_back(screen.style.bold(name) + std::string(blanks, ' ') + screen.style.dim(time));
  if (context.problem) {
    lines.push_back(screen.style.bad(cut_to_width("the log is away: " + printable(*context.problem),
                                                  width, ellipsis_of(screen))));
  }
  const std::string state = view.group_state == "none"
                                ? context.group + " has not been used yet"
                                : context.group + ", " + view.group_state + ", " +
                                      count_of(view.members.size(), "member");
  lines.push_back(row("group", state, screen, width));
  lines.push_back(row("rates", rates(view), screen, width));
  const std::vector<double> history(context.predicted.begin(), context.predicted.end());
  if (history.size() > 1) {
    lines.push_back(row("predictions", spark_line(history, width - 14, screen), screen, width));
  }
  lines.push_back(row("latency", latencies(view), screen, width));
  std::string lag = human_count(static_cast<std::uint64_t>(view.consumer_lag));
  if (!view.model_version.empty()) lag += "   model " + printable(view.model_version);
  lines.push_back(row("consumer lag", lag, screen, width));
  return lines;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

// The partitions with most to do first where not all fit.
std::vector<std::string> partitions(const PipelineView& view, const Screen& screen,
                                    std::size_t rows_max) {
  std::vector<PipelineView::Partition> shown = view.partitions;
  if (shown.empty() || rows_max < 2) return {};
  const std::size_t left_out = shown.size() > rows_max - 1 ? shown.size() - (rows_max - 2) : 0;
  if (left_out > 0) {
    std::stable_sort(shown.begin(), shown.end(), [](const auto& a, const auto& b) {
      return a.position.consumer_lag() > b.position.consumer_lag();
    });
    shown.resize(shown.size() - left_out);
  }
  const bool led = std::any_of(shown.begin(), shown.end(),
                               [](const auto& partition) { return partition.leader.has_value(); });
  std::vector<Table::Column> columns = {{"partition", Table::Align::kRight},
                                        {"consumer lag", Table::Align::kRight},
                                        {"committed", Table::Align::kRight},
                                        {"end", Table::Align::kRight},
                                        {"member"}};
  if (led) columns.push_back({"leader", Table::Align::kRight});
  Table table(columns);
  for (const PipelineView::Partition& partition : shown) {
    const log::GroupPosition& position = partition.position;
    std::vector<std::string> cells = {
        std::to_string(position.source.partition.value()),
        human_count(static_cast<std::uint64_t>(position.consumer_lag())),
        position.committed ? std::to_string(position.committed->value()) : "-",
        std::to_string(position.end.value()), partition.member.empty() ? "-" : partition.member};
    if (led) cells.push_back(partition.leader ? std::to_string(*partition.leader) : "-");
    table.add_row(cells);
  }
  std::vector<std::string> lines = split_lines(table.to_string(screen));
  if (left_out > 0) {
    lines.push_back(screen.style.dim("  " + human_count(left_out) + " more with less to do"));
  }
  return lines;
}

std::vector<std::string> histogram(const PipelineView& view, const Screen& screen,
                                   std::size_t width) {
  std::vector<std::string> lines = {screen.style.bold(cut_to_width(
      "scores (latest " + human_count(view.scores) + ")", width, ellipsis_of(screen)))};
  const std::uint64_t most = *std::max_element(view.histogram.begin(), view.histogram.end());
  for (std::size_t bin = 0; bin < view.histogram.size(); ++bin) {
    const std::string title = "0." + std::to_string(bin) + " ";
    const std::string count = human_count(view.histogram[bin]);
    constexpr std::size_t kCount = 7;
    const std::size_t room =
        width > title.size() + kCount + 1 ? width - title.size() - kCount - 1 : 1;
    const std::string bar = bar_chart(static_cast<double>(view.histogram[bin]),
                                      static_cast<double>(most), room, screen);
    const std::string blanks(room - std::min(room, display_width(bar)) + 1, ' ');
    const std::string before(kCount - std::min(kCount, count.size()), ' ');
    lines.push_back(screen.style.dim(title) + screen.style.accent(bar) + blanks + before + count);
  }
  return lines;
}

std::vector<std::string> reasons(const PipelineView& view, const Screen& screen, std::size_t width,
                                 std::size_t rows_max) {
  std::uint64_t total = 0;
  std::vector<std::pair<std::uint64_t, std::string>> sorted;
  for (const auto& [code, count] : view.dead_letters) {
    total += count;
    sorted.emplace_back(count, printable(code));
  }
  std::sort(sorted.rbegin(), sorted.rend());
  std::vector<std::string> lines = {screen.style.bold(
      cut_to_width("dead letters (" + human_count(total) + " seen)", width, ellipsis_of(screen)))};
  for (std::size_t i = 0; i < sorted.size() && lines.size() < rows_max; ++i) {
    std::string count = human_count(sorted[i].first);
    count.insert(0, 8 - std::min<std::size_t>(8, count.size()), ' ');
    lines.push_back(count + "  " +
                    cut_to_width(sorted[i].second, width - count.size() - 2, ellipsis_of(screen)));
  }
  return lines;
}

std::string without_colours(const std::string& line) {
  std::string plain;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\x1b') {
      plain += line[i];
      continue;
    }
    i = line.find('m', i);
    if (i == std::string::npos) break;
  }
  return plain;
}

std::size_t shown_width(const std::string& line) { return display_width(without_colours(line)); }

std::vector<std::string> side_by_side(std::vector<std::string> left,
                                      const std::vector<std::string>& right, std::size_t width) {
  left.resize(std::max(left.size(), right.size()));
  for (std::size_t i = 0; i < right.size(); ++i) {
    left[i] += std::string(width - std::min(width, shown_width(left[i])) + kGap, ' ') + right[i];
  }
  return left;
}

}  // namespace

std::vector<std::string> top_lines(const PipelineView& view, const TopContext& context,
                                   const Screen& screen) {
  const std::size_t width = screen.is_terminal() ? screen.columns : kPlainColumns;
  std::vector<std::string> lines = heading(view, context, screen, width);
  constexpr std::size_t kChartRows = PipelineView::kBins + 1;
  constexpr std::size_t kSideBySideMin = 60;
  const std::size_t half = width >= kSideBySideMin ? (width - kGap) / 2 : width;
  const auto chart = histogram(view, screen, half);
  const auto codes = reasons(view, screen, half, kChartRows);
  std::vector<std::string> below = chart;
  if (width >= kSideBySideMin) {
    below = side_by_side(chart, codes, half);
  } else {
    below.insert(below.end(), codes.begin(), codes.end());
  }
  std::size_t rows_max = view.partitions.size() + 2;
  if (screen.is_terminal()) {
    const std::size_t taken = lines.size() + below.size() + 2;
    const std::size_t free = screen.rows > taken ? screen.rows - taken : 0;
    rows_max = std::max(free, kPartitionRowsMin);
  }
  const auto table = partitions(view, screen, rows_max);
  const auto add = [&lines](const std::vector<std::string>& block) {
    if (block.empty()) return;
    lines.emplace_back();
    lines.insert(lines.end(), block.begin(), block.end());
  };
  add(table);
  add(below);
  if (!screen.is_terminal()) return lines;
  if (lines.size() > screen.rows) lines.resize(screen.rows);
  for (std::string& line : lines) {
    // A table can only be made so narrow.
    if (shown_width(line) > width) {
      line = cut_to_width(without_colours(line), width, ellipsis_of(screen));
    }
  }
  return lines;
}

json::Value to_json(const PipelineView& view, const TopContext& context) {
  json::Value object;
  object["pipeline"] = context.pipeline;
  object["time"] = env::format_rfc3339(view.at);
  object["group"] = context.group;
  object["group_state"] = view.group_state;
  object["members"] = json::Value::array();
  for (const log::MemberInfo& member : view.members) {
    json::Value assigned = json::Value::array();
    for (const auto& source : member.assigned) {
      assigned.push_back(source.topic.value() + "/" + std::to_string(source.partition.value()));
    }
    object["members"].push_back(
        {{"id", member.id}, {"client", member.client}, {"assigned", assigned}});
  }
  object["consumer_lag"] = view.consumer_lag;
  object["partitions"] = json::Value::array();
  for (const PipelineView::Partition& partition : view.partitions) {
    const log::GroupPosition& position = partition.position;
    object["partitions"].push_back(
        {{"partition", position.source.partition.value()},
         {"committed",
          position.committed ? json::Value(position.committed->value()) : json::Value()},
         {"end", position.end.value()},
         {"consumer_lag", position.consumer_lag()},
         {"member", partition.member.empty() ? json::Value() : json::Value(partition.member)},
         {"leader", partition.leader ? json::Value(*partition.leader) : json::Value()}});
  }
  object["rates"] = nullptr;
  if (view.rates) {
    object["rates"] = {{"in_per_s", view.rates->in},
                       {"consumed_per_s", view.rates->consumed},
                       {"predicted_per_s", view.rates->predicted},
                       {"dead_lettered_per_s", view.rates->dead_lettered}};
  }
  const auto span = [](const std::optional<Quantiles>& values) -> json::Value {
    if (!values) return nullptr;
    return {{"p50", values->p50}, {"p99", values->p99}};
  };
  object["inference_latency_ms"] = span(view.inference_ms);
  object["end_to_end_ms"] = span(view.end_to_end_ms);
  object["model_version"] = view.model_version;
  object["score_histogram"] = view.histogram;
  object["dead_letters"] = json::Value(view.dead_letters);
  return object;
}

}  // namespace millrace::app
