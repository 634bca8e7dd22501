// Draws one plot as SVG text: axes, bars, lines, marks. Colours come from CSS classes of the page
// (internal/page.cc), so that light, dark and print share one drawing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/internal/axis.h"

namespace millrace::report {

struct Point {
  double x = 0;
  double y = 0;
};

// In units of the drawing, about one CSS pixel each: the pages show plots near their own size, so
// text in them stays readable.
struct PlotSize {
  double width = 360;
  double height = 230;
  double left = 44;  // room for the labels of the y axis
  double right = 12;
  double top = 20;
  double bottom = 40;  // room for the labels and the title of the x axis
  bool wide = false;   // over a whole row of the page; scrolled where there is less room
};

// Collects shapes; data outside the axes is clipped to them. Texts given here are escaped here.
class Plot {
 public:
  Plot(PlotSize size, Axis x, Axis y);

  // Horizontal grid lines with labels, and the ticks below.
  void draw_axes(std::string_view x_title, std::string_view y_title);
  // A bar from the lower edge to `height` over [from, to], a hair narrower on both sides.
  void bar(double from, double to, double height, std::string_view css_class,
           std::string_view hint);
  void line(const std::vector<Point>& points, std::string_view css_class);
  // The area between the line and the lower edge.
  void area(const std::vector<Point>& points, std::string_view css_class);
  // The area between two lines of the same x.
  void band(const std::vector<Point>& lower, const std::vector<Point>& upper,
            std::string_view css_class);
  void dot(Point at, std::string_view css_class, std::string_view hint);
  // A vertical line over the whole height with a label at its top, on the side with more room.
  void marker(double x, std::string_view label);

  // The whole <svg>. `description` is what a screen reader says.
  std::string finish(std::string_view description) const;

 private:
  double px(double x) const;
  double py(double y) const;
  std::string path_of(const std::vector<Point>& points) const;

  PlotSize size_;
  Axis x_;
  Axis y_;
  std::string body_;
};

}  // namespace millrace::report
