#include "app/terminal/chart.h"

#include <gtest/gtest.h>

#include <vector>

#include "app/terminal/width.h"

namespace millrace::app {
namespace {

Screen unicode() {
  Screen screen;
  screen.symbols = Screen::Symbols::kUnicode;
  return screen;
}

TEST(BarChart, IsAsLongAsItsShareAndShowsWhatIsThere) {
  EXPECT_EQ(bar_chart(0, 10, 8, unicode()), "");
  EXPECT_EQ(bar_chart(10, 10, 8, unicode()), "████████");
  EXPECT_EQ(bar_chart(5, 10, 8, unicode()), "████");
  EXPECT_EQ(bar_chart(0.001, 10, 8, unicode()), "▏");
  EXPECT_EQ(bar_chart(20, 10, 8, unicode()), "████████");
  EXPECT_EQ(bar_chart(5, 10, 8, Screen()), "####");
}

TEST(SparkLine, ShowsTheLatestWithTheHighestAtTheTop) {
  const std::vector<double> values = {9, 0, 1, 2};
  EXPECT_EQ(spark_line(values, 3, unicode()), "▁▅█");
  EXPECT_EQ(display_width(spark_line(values, 80, unicode())), 4U);
  EXPECT_EQ(spark_line({}, 80, unicode()), "");
  EXPECT_EQ(spark_line(std::vector<double>{0, 0}, 80, Screen()), "__");
}

}  // namespace
}  // namespace millrace::app
