#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/text.h"
#include "report/internal/axis.h"
#include "report/internal/escape.h"
#include "report/internal/plot.h"

namespace millrace::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> out;
  for (const Tick& tick : axis.ticks) out.push_back(tick.label);
  return out;
}

TEST(Axis, TicksAreRoundNumbers) {
  EXPECT_THAT(labels(nice_axis(0, 1780, 4)), ElementsAre("0", "500", "1,000", "1,500", "2,000"));
  EXPECT_THAT(labels(nice_axis(0, 0.3, 3)), ElementsAre("0.0", "0.1", "0.2", "0.3"));
  EXPECT_THAT(labels(nice_axis(-3, 4, 4)), ElementsAre("-4", "-2", "0", "2", "4"));
  EXPECT_THAT(labels(nice_axis(0.001, 0.0042, 4)),
              ElementsAre("0.001", "0.002", "0.003", "0.004", "0.005"));
}

TEST(Axis, CountsHaveNoFractions) {
  EXPECT_THAT(labels(count_axis(1, 4)), ElementsAre("0", "1"));
  EXPECT_THAT(labels(count_axis(0, 4)), ElementsAre("0", "1"));
  EXPECT_THAT(labels(count_axis(3, 4)), ElementsAre("0", "1", "2", "3"));
}

TEST(Axis, EmptyAndImpossibleRangesStillHaveOne) {
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {5, 5}, {3, -3}, {std::nan(""), 1}, {0, INFINITY}, {1e17, 1e17}}) {
    const Axis axis = nice_axis(low, high, 4);
    EXPECT_LT(axis.low, axis.high);
    EXPECT_GE(axis.ticks.size(), 2U);
  }
}

RC_GTEST_PROP(AxisProperty, CoversItsRangeWithFewTicks, ()) {
  const double low = *rc::gen::inRange(-1'000'000, 1'000'000) / 997.0;
  const double width = *rc::gen::inRange(1, 1'000'000) / 991.0;
  const int ticks_max = *rc::gen::inRange(2, 12);
  const Axis axis = nice_axis(low, low + width, ticks_max);
  RC_ASSERT(axis.low <= low + 1e-6 * width);
  RC_ASSERT(axis.high >= low + width - 1e-6 * width);
  RC_ASSERT(axis.ticks.size() >= 2U);
  RC_ASSERT(axis.ticks.size() <= static_cast<std::size_t>(ticks_max) + 2);
}

TEST(HtmlText, EscapesWhatEndsTextOrAttribute) {
  EXPECT_EQ(html_text("a<b>\"c\"&'d'"), "a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;");
  EXPECT_EQ(html_text("naïve – 日本"), "naïve – 日本");
}

TEST(HtmlText, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(html_text(std::string_view("a\0b\x1B\xFF", 5)),
            "a\uFFFD"
            "b\uFFFD\uFFFD");
}

TEST(HtmlText, CutsAtACharacter) {
  EXPECT_EQ(html_text("ééééé", 3), "ééé…");
  EXPECT_EQ(html_text("ééé", 3), "ééé");
}

RC_GTEST_PROP(HtmlTextProperty, IsAlwaysPlainUtf8, (const std::string& bytes)) {
  const std::string text = html_text(bytes);
  RC_ASSERT(is_utf8(text));
  RC_ASSERT(text.find_first_of("<>\"'") == std::string::npos);
}

TEST(Plot, DrawsBarsInProportion) {
  Plot plot({100, 50, 0, 0, 0, 0}, Axis{0, 10, {}}, Axis{0, 4, {}});
  plot.bar(0, 5, 2, "base", "half <");
  EXPECT_EQ(plot.finish("a & b"),
            "<svg class=\"plot\" viewBox=\"0 0 100 50\" role=\"img\" aria-label=\"a &amp; b\">"
            "<rect class=\"base\" x=\"0.75\" y=\"25\" width=\"48.5\" height=\"25\">"
            "<title>half &lt;</title></rect></svg>");
}

TEST(Plot, ClipsToItsAxes) {
  Plot plot({100, 50, 0, 0, 0, 0}, Axis{0, 1, {}}, Axis{0, 1, {}});
  plot.line({{-5, -5}, {0.5, 0.5}, {9, 9}}, "curve");
  EXPECT_THAT(plot.finish(""), HasSubstr("d=\"M0 50L50 25L100 0\""));
}

TEST(Plot, SmallestCountStaysVisible) {
  Plot plot({100, 50, 0, 0, 0, 0}, Axis{0, 1, {}}, Axis{0, 1e6, {}});
  plot.bar(0, 1, 1, "base", "");
  EXPECT_THAT(plot.finish(""), HasSubstr("y=\"49\""));
  EXPECT_THAT(plot.finish(""), Not(HasSubstr("height=\"0\"")));
}

}  // namespace
}  // namespace millrace::report
