#include "report/internal/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "report/internal/escape.h"

namespace millrace::report {
namespace {

// A coordinate: two decimals, no trailing zeros, so that files are small and stable.
std::string n(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace

Plot::Plot(PlotSize size, Axis x, Axis y) : size_(size), x_(std::move(x)), y_(std::move(y)) {}

double Plot::px(double x) const {
  const double share = (x - x_.low) / (x_.high - x_.low);
  return size_.left + std::clamp(share, 0.0, 1.0) * (size_.width - size_.left - size_.right);
}

double Plot::py(double y) const {
  const double share = (y - y_.low) / (y_.high - y_.low);
  return size_.height - size_.bottom -
         std::clamp(share, 0.0, 1.0) * (size_.height - size_.top - size_.bottom);
}

void Plot::draw_axes(std::string_view x_title, std::string_view y_title) {
  const double floor = size_.height - size_.bottom;
  const double end = size_.width - size_.right;
  for (const Tick& tick : y_.ticks) {
    const double at = py(tick.at);
    body_ += fmt::format(R"(<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>)",
                         tick.at == y_.low ? "axis" : "grid", n(size_.left), n(at), n(end), n(at));
    body_ += fmt::format(R"(<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>)",
                         n(size_.left - 6), n(at + 4), html_text(tick.label));
  }
  for (const Tick& tick : x_.ticks) {
    body_ += fmt::format(R"(<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>)",
                         n(px(tick.at)), n(floor + 16), html_text(tick.label));
  }
  body_ += fmt::format(R"(<text class="title" x="{}" y="{}" text-anchor="middle">{}</text>)",
                       n((size_.left + end) / 2), n(size_.height - 5), html_text(x_title));
  if (!y_title.empty()) {
    body_ += fmt::format(R"(<text class="title" x="0" y="10">{}</text>)", html_text(y_title));
  }
}

void Plot::bar(double from, double to, double height, std::string_view css_class,
               std::string_view hint) {
  const double gap = (px(to) - px(from)) > 4 ? 0.75 : 0;
  const double left = px(from) + gap;
  const double top = py(height);
  const double floor = size_.height - size_.bottom;
  // A count that is not zero stays visible however tall its neighbours are.
  const double tall = height > y_.low ? std::max(floor - top, 1.0) : 0;
  body_ += fmt::format(
      R"(<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>)",
      css_class, n(left), n(floor - tall), n(std::max(px(to) - gap - left, 0.5)), n(tall),
      html_text(hint));
}

std::string Plot::path_of(const std::vector<Point>& points) const {
  std::string path;
  for (const Point& p : points) {
    path += fmt::format("{}{} {}", path.empty() ? "M" : "L", n(px(p.x)), n(py(p.y)));
  }
  return path;
}

void Plot::line(const std::vector<Point>& points, std::string_view css_class) {
  if (points.empty()) return;
  body_ += fmt::format(R"(<path class="{}" d="{}"/>)", css_class, path_of(points));
}

void Plot::area(const std::vector<Point>& points, std::string_view css_class) {
  if (points.empty()) return;
  const std::string floor = n(size_.height - size_.bottom);
  body_ += fmt::format(R"(<path class="{}" d="{}L{} {}L{} {}Z"/>)", css_class, path_of(points),
                       n(px(points.back().x)), floor, n(px(points.front().x)), floor);
}

void Plot::band(const std::vector<Point>& lower, const std::vector<Point>& upper,
                std::string_view css_class) {
  if (lower.empty()) return;
  std::vector<Point> round = upper;
  round.insert(round.end(), lower.rbegin(), lower.rend());
  body_ += fmt::format(R"(<path class="{}" d="{}Z"/>)", css_class, path_of(round));
}

void Plot::dot(Point at, std::string_view css_class, std::string_view hint) {
  body_ += fmt::format(R"(<circle class="{}" cx="{}" cy="{}" r="4"><title>{}</title></circle>)",
                       css_class, n(px(at.x)), n(py(at.y)), html_text(hint));
}

void Plot::marker(double x, std::string_view label) {
  const double at = px(x);
  const bool label_right = at < (size_.left + size_.width - size_.right) / 2;
  body_ += fmt::format(R"(<line class="marker" x1="{}" y1="{}" x2="{}" y2="{}"/>)", n(at),
                       n(size_.top - 8), n(at), n(size_.height - size_.bottom));
  body_ += fmt::format(R"(<text class="mark" x="{}" y="{}" text-anchor="{}">{}</text>)",
                       n(at + (label_right ? 5 : -5)), n(size_.top), label_right ? "start" : "end",
                       html_text(label));
}

std::string Plot::finish(std::string_view description) const {
  return fmt::format(R"(<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>)",
                     size_.wide ? "plot wide" : "plot", n(size_.width), n(size_.height),
                     html_text(description, 500), body_);
}

}  // namespace millrace::report
