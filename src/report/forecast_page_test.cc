#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/json.h"
#include "report/internal/forecast_charts.h"
#include "report/summary_html.h"
#include "report/summary_json.h"
#include "report/testing/sample_summary.h"

namespace millrace::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Timestamp kWritten(1'760'153'304'000);
const SummaryWords kWords = {"reading", "readings", "", "station", "millrace 0.1.0"};

TEST(ForecastPage, ShowsTheFiguresAsPeopleReadThem) {
  const std::string html = summary_to_html(sample_forecasts(), kWritten, kWords);
  for (const char* part :
       {"Forecast report", "928 forecasts of CO, 1 step (1 h) ahead.",
        "800 were compared with what was measured: off by 0.350 on average, 92.0&nbsp;% within",
        "90.0&nbsp;% wanted", "Forecast and measured", "CO of s1", "By 1 d of event time",
        "By station", "Dead letters by reason", "mean_shift", "and 2 more",
        "2004-03-10 18:00:00 UTC to 2004-03-27 09:00:00 UTC"})
    EXPECT_THAT(html, HasSubstr(part));
  EXPECT_THAT(html, Not(HasSubstr("probability")));
}

TEST(ForecastPage, TheLargestErrorStandsFirst) {
  const std::string html = summary_to_html(sample_forecasts(), kWritten, kWords);
  const auto at = [&html](const char* key) {
    return html.find("<th scope=\"row\">" + std::string(key) + "</th>");
  };
  ASSERT_NE(at("s2"), std::string::npos);
  EXPECT_LT(at("s2"), at("s3"));
  EXPECT_LT(at("s3"), at("s1"));
}

TEST(ForecastPage, ManyKeysAreGatheredAtTheEnd) {
  data::RunSummary s = sample_forecasts();
  for (int i = 0; i < 100; ++i)
    s.figures->keys.push_back({"station " + std::to_string(i), 10, 0, {10, 0.1, 0, 10}});
  s.figures->others = {"", 7, 0, {}};
  const std::string html = summary_to_html(s, kWritten, kWords);
  EXPECT_THAT(html, HasSubstr("all others"));
  EXPECT_THAT(html, HasSubstr("787"));  // 78 stations of 10 readings, and 7
  EXPECT_THAT(html, Not(HasSubstr("station 99")));
}

TEST(ForecastPage, LoadsNothingAndRunsNothing) {
  const std::string html = summary_to_html(sample_forecasts(), kWritten, kWords);
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* forbidden : {"<script", "http://", "https://", "src=", "url(", "nan", "inf\""})
    EXPECT_THAT(html, Not(HasSubstr(forbidden)));
}

TEST(ForecastPage, ForeignTextStaysText) {
  const std::string html = summary_to_html(hostile_forecasts(), kWritten,
                                           {kHostile, kHostile, kHostile, kHostile, kHostile});
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("alert(\"")));
  EXPECT_EQ(html.find('\x01'), std::string::npos);
}

TEST(ForecastPage, ARunWithoutForecastsSaysSo) {
  data::RunSummary s;
  s.forecast_target = "CO";
  s.figures.emplace().step = Milliseconds(3'600'000);
  s.alerts.emplace();
  const std::string html = summary_to_html(s, kWritten, kWords);
  EXPECT_THAT(html, HasSubstr("No forecasts: the run read no messages."));
  EXPECT_THAT(html, HasSubstr("hour has come yet"));
  EXPECT_THAT(html, HasSubstr("No alert was raised."));
}

TEST(ForecastSummary, HasFiguresByKeyAndOverTimeInsteadOfLabels) {
  const json::Value v = summary_to_json(sample_forecasts(), kWritten);
  EXPECT_EQ(v["target"], "CO");
  EXPECT_EQ(v["forecasts"], 928);
  EXPECT_DOUBLE_EQ(v["live_mae"].get<double>(), 280.0 / 800);
  EXPECT_DOUBLE_EQ(v["by_key"]["s2"]["mae"].get<double>(), 0.4);
  EXPECT_EQ(v["by_key"].size(), 3U);
  EXPECT_TRUE(v["other_keys"].is_null());
  EXPECT_EQ(v["over_time"].size(), 16U);
  EXPECT_TRUE(v["over_time"][7]["mae"].is_null());
  EXPECT_EQ(v["over_time"][0]["from"], "2004-03-10T00:00:00.000Z");
  EXPECT_EQ(v["drift_alerts"]["count"], 3);
  EXPECT_EQ(v["drift_alerts"]["first"][0]["feature"], "NO2");
  for (const char* absent : {"positive_label", "threshold", "probability_histogram", "top_risk"})
    EXPECT_FALSE(v.contains(absent)) << absent;
}

TEST(TimeAxis, TicksStandAtWholeHoursDaysAndMonths) {
  constexpr std::int64_t kHour = 3'600'000;
  const auto labels = [](std::int64_t hours) {
    std::string all;
    for (const Tick& tick : time_axis(Timestamp(kHour / 2), Timestamp(hours * kHour), 4).ticks)
      all += tick.label + " ";
    return all;
  };
  EXPECT_EQ(labels(4), "01:00 02:00 03:00 04:00 ");
  EXPECT_EQ(labels(40), "12:00 01-02 12:00 ");
  EXPECT_EQ(labels(24 * 20), "01-08 01-15 ");
  EXPECT_LE(time_axis(Timestamp(0), Timestamp(INT64_MAX / 4), 4).ticks.size(), 9U);
  EXPECT_GT(time_axis(Timestamp(5), Timestamp(5), 4).high, 5);
}

}  // namespace
}  // namespace millrace::report
