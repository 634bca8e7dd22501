#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/human.h"
#include "eval/metrics.h"
#include "report/internal/curves.h"
#include "report/model_html.h"
#include "report/testing/sample_summary.h"

namespace millrace::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

double area_under(const std::vector<Point>& points) {
  double area = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    area += (points[i].x - points[i - 1].x) * (points[i].y + points[i - 1].y) / 2;
  }
  return area;
}

RC_GTEST_PROP(RocPoints, EncloseTheAreaThatTheMetricSays, ()) {
  const auto pairs = *rc::gen::nonEmpty<std::vector<std::pair<bool, int>>>(
      rc::gen::container<std::vector<std::pair<bool, int>>>(
          rc::gen::pair(rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 10))));
  std::vector<int> labels;
  std::vector<double> probabilities;
  for (const auto& [label, tenths] : pairs) {
    labels.push_back(label ? 1 : 0);
    probabilities.push_back(tenths / 10.0);
  }
  const auto points = roc_points(curve_steps(labels, probabilities));
  const auto ones = std::count(labels.begin(), labels.end(), 1);
  const bool both = ones > 0 && ones < static_cast<std::ptrdiff_t>(labels.size());
  RC_ASSERT(points.empty() == !both);
  if (both) {
    RC_ASSERT(std::abs(area_under(points) - eval::roc_auc(labels, probabilities)) < 1e-9);
  }
}

TEST(PrecisionRecallPoints, StepThroughDistinctProbabilities) {
  const auto points = precision_recall_points(
      curve_steps(std::vector{1, 0, 1, 0}, std::vector{0.9, 0.5, 0.5, 0.1}));
  ASSERT_EQ(points.size(), 3U);
  EXPECT_DOUBLE_EQ(points[0].x, 0.5);
  EXPECT_DOUBLE_EQ(points[0].y, 1);
  EXPECT_DOUBLE_EQ(points[1].y, 2.0 / 3);
  EXPECT_DOUBLE_EQ(points[2].y, 0.5);
}

TEST(Thinned, KeepsBothEnds) {
  std::vector<Point> points;
  for (int i = 0; i < 1000; ++i) points.push_back({static_cast<double>(i), 0});
  const auto few = thinned(points, 7);
  ASSERT_EQ(few.size(), 7U);
  EXPECT_EQ(few.front().x, 0);
  EXPECT_EQ(few.back().x, 999);
}

TEST(ModelHtml, ShowsTheMetricsOfItsRows) {
  const ModelReport r = sample_model();
  const std::string html = model_to_html(r, Timestamp(0));
  EXPECT_THAT(html, HasSubstr(human_number(eval::roc_auc(r.labels, r.probabilities), 4)));
  EXPECT_THAT(html, HasSubstr("Contract=Month-to-month"));
  EXPECT_THAT(html, Not(HasSubstr("unused")));
  EXPECT_THAT(html, HasSubstr("1970-01-01 00:00:00 UTC"));
}

TEST(ModelHtml, OneClassHasNoCurvesAndNoNan) {
  ModelReport r;
  r.pipeline = "<b>";
  r.labels = {0, 0};
  r.probabilities = {0.1, 0.1};
  const std::string html = model_to_html(r, Timestamp(0));
  EXPECT_THAT(html, Not(HasSubstr("ROC curve")));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, Not(HasSubstr("<b>&lt;")));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;"));
}

}  // namespace
}  // namespace millrace::report
